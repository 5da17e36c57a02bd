"""Numbers from journals, each with an interval; knows no engine."""
