"""Mathematical answers: where a reply states one, what it says, and when two are the same.

``statement`` finds it, ``latex`` cleans it, ``formula`` parses it, ``exact`` and ``evaluate``
compute with it, ``read`` knows the shapes (sets, intervals, matrices, ...), ``equality`` tells
whether two answers are the same.
"""
