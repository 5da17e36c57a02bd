"""The tutor: exact feedback on an attempt at a multiplication, written by a program.

It reads the work, finds the first step that is wrong, and says which one and why, without the
answer and without the right partial products. What it says is right by construction: every claim
is calculated, and where a line can be meant in a way in which it is right, nothing is said of it.
So what stays wrong after its feedback is not for want of right feedback.

``find_error`` gives the finding, ``tutor`` its text, ``diagnose`` the parts of it, ``wrong_step``
its numbers. The way of an attempt through the modules:

- ``lines``: plain text, tokens, words put into signs;
- ``chains``, ``verify``: chains of equal expressions, and which of them hold in any reading;
- ``diagnosis``, ``slips``: what kind of error an equation is or carries on;
- ``steps``, ``column_sums``: labelled steps, digits and carries, long multiplication;
- ``conclusion``, ``accounts``: what is wrong when no line is;
- ``question``, ``ledger``, ``finding``: what all of them share;
- ``finder``: the search, and the same words about a line that is right.
"""

from feedback_friction.tasks.tutor.finder import (
    diagnose,
    find_error,
    first_wrong,
    mislead,
    tutor,
    wrong_step,
)
from feedback_friction.tasks.tutor.finding import Finding, Kind

__all__ = ["Finding", "Kind", "tutor"]
__all__ += ["diagnose", "find_error", "first_wrong", "mislead", "wrong_step"]
