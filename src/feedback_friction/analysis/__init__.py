"""Numbers from journals, each with an interval; knows no engine.

What reads a directory raises ``UsageError`` where it is no run's, damaged, or of a newer version.
"""
