"""Exact tutors for generated families: the first wrong step of an attempt, found by a program.

A family (``family.Family``) is a page's own: how a question is drawn and read, how it is worked
out line by line, and what its lines may claim beside equations. The rest is shared:

- ``claims``: which equations a text claims, and whether they hold, by the tutor's own reader;
- ``family``: rows, problems, what is said of a wrong step, and the page's functions.

What the tutor says is right by construction: a claim is called wrong only where it is calculated to
be false in every way in which it may be meant, so that what stays wrong after it is not for want of
right feedback.
"""
