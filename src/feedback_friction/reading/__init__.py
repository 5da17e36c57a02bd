"""Reading: where a text mentions a value, what it says, and whether that stands.

Grader, mask, audit and tutor read with the same eyes: what one of them takes for a value, the
others do too. Nothing here knows what is right.
"""
