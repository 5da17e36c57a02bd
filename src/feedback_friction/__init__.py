"""Measure feedback friction: how much of the feedback that a language model is given it takes up.

The rooms, in the direction in which data flows: ``tasks`` make problems, ``protocol`` is the loop
(a pure generator that does no I/O), ``grading`` gives verdicts, ``engine`` runs trials and keeps
the journal, ``analysis`` turns journals into numbers with intervals, ``report`` shows them.
"""

__version__ = "0.1.0"
