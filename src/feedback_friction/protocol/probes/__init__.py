"""Probes: questions about the causes of friction, asked beside a finished run.

Each is a pure generator over a ``Scene``, driven as trials are; what each returns is a frozen
record of counts and yes-or-no findings, kept as JSON.

    scene            where a probe looks; how undecided the solver is after the feedback
                     (entropy), how often it is right when asked many times (in-domain)
    self_perception  whether it says that it understood, and that it acted
    reader           whether the masked feedback alone gives the answer away
"""
