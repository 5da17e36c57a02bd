"""Measure feedback friction: how often a language model repeats an error after feedback.

The rooms, in the direction in which data flows: ``tasks`` make problems, ``protocol`` is the loop
(a pure generator that does no I/O), ``grading`` gives verdicts, ``engine`` runs trials and keeps
the journal, ``analysis`` turns journals into numbers with intervals, ``report`` shows them.

From Python: ``import feedback_friction as ff``; ``ff.run`` and ``ff.open`` (``api``) give a run and
its tables. Nothing of it is loaded before it is used.
"""

from __future__ import annotations

import importlib
from typing import Any

__version__ = "0.1.0"

# By name, the module; types of all of them stand in __init__.pyi.
_WHERE = {
    "Run": "api", "open": "api", "run": "api",
    "Model": "engine.models.base", "FunctionModel": "engine.models.python_model",
    "feedback": "engine.run.python_objects", "model": "engine.run.python_objects",
    "Task": "tasks.own_page:OwnTask", "Problem": "problem",
    "Outcome": "grading.verdict", "Verdict": "grading.verdict",
    "Attempt": "protocol.records", "Completion": "protocol.records",
    "Generate": "protocol.records", "Message": "protocol.records",
    "Reply": "protocol.records", "Usage": "protocol.records",
    "FrictionError": "errors", "RunStoppedError": "errors", "UsageError": "errors",
}  # fmt: skip
__all__ = [
    "Attempt", "Completion", "FrictionError", "FunctionModel", "Generate", "Message", "Model",
    "Outcome", "Problem", "Reply", "Run", "RunStoppedError", "Task", "Usage", "UsageError",
    "Verdict", "feedback", "model", "open", "run",
]  # fmt: skip


def __getattr__(name: str) -> Any:
    """What a program uses, loaded when it is used."""
    if name not in _WHERE:
        raise AttributeError(f"module 'feedback_friction' has no attribute '{name}'")
    module, _, attribute = _WHERE[name].partition(":")
    return getattr(importlib.import_module(f"feedback_friction.{module}"), attribute or name)


def __dir__() -> list[str]:
    """The names of the package, also those that are not loaded yet."""
    return sorted([*globals(), *__all__])
