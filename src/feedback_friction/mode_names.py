"""What a feedback mode is called: from a name on the command line or in a run to its value.

A name is that of a mode, and may say more behind a colon (``hint:2``, ``placebo:tutor``,
``partial:0.5``) or an attribution's sign (``denial@expert``).
"""

from __future__ import annotations

import math
import re
from contextlib import suppress
from dataclasses import replace

from feedback_friction.errors import UsageError
from feedback_friction.forms import CONTRAST, EXPLAIN, FORMS, Form, parse_form
from feedback_friction.modes import (
    ADAPTIVE,
    ATTRIBUTIONS,
    MIXED,
    MODES,
    NO_FEEDBACK,
    PROCESS,
    RETRY,
    STRONG,
    Mode,
    Speaker,
    of_form,
)
from feedback_friction.policy import Drawn


def parse_mode(name: str, *, has_feedback_model: bool) -> Mode:
    """The mode of that name.

    ``placebo:MODE`` names the mode that the placebo imitates; a bare ``placebo`` imitates
    ``strong`` where there is a feedback model, else ``process``. ``hint:L`` gives one level only.
    A form's name, with its writer or without, is the mode that gives this form alone.

    Raises:
        UsageError: the name is unknown, or the mode needs a feedback model and there is none.
    """
    plain, at, attribution = name.partition("@")
    if at:
        said = parse_mode(plain, has_feedback_model=has_feedback_model)
        return attributed(said, attribution)
    base, colon, rest = name.partition(":")
    speaker: Speaker = "feedback" if has_feedback_model else "solver"
    if base in FORMS:
        return of_form(parse_form(name), speaker)
    mode = MODES.get(base)
    if mode is not None and mode.writer in _DOSES:
        return _dosed(mode, name, rest, has_feedback_model=has_feedback_model)
    takes_more = mode is not None and (mode.writer in ("donor", "question") or mode in _WITH_MORE)
    if mode is None or (colon and not takes_more):
        raise _unknown(name, *MODES, f"or one form alone: {', '.join(FORMS)}")
    if mode.writer == "form":
        return _adapting(mode, name, speaker)
    if mode is STRONG and colon:
        mode = _knowing(name, rest)
    elif mode.writer == "donor":
        mode = _donor(mode, name, rest, has_feedback_model=has_feedback_model)
    elif colon:
        if rest not in {*"123456789"}:
            raise _unknown(name, base, f"{base}:1 to :9")
        mode = replace(mode, name=name, level=int(rest))
    if mode.written_as.speaker == "feedback" and not has_feedback_model:
        raise UsageError(f"feedback mode '{name}' needs --feedback-model")
    return mode


def _unknown(name: str, *allowed: str) -> UsageError:
    return UsageError(f"unknown feedback mode '{name}'; allowed: {', '.join(allowed)}")


def _donated() -> list[str]:
    """The modes whose feedback may be taken for another problem, corrupted or given late."""
    return [each.name for each in MODES.values() if each.can_be_donated]


_WITH_MORE = (MIXED, ADAPTIVE, STRONG)


def _knowing(name: str, knowledge: str) -> Mode:
    """Strong feedback whose writer knows nothing, the answer, or the solution, too."""
    known = ("none", "answer", "solution")
    if knowledge not in known:
        raise _unknown(name, STRONG.name, *(f"{STRONG.name}:{each}" for each in known))
    return replace(
        STRONG, name=name, sees_answer=knowledge != "none", sees_solution=knowledge == "solution"
    )


def _donor(mode: Mode, name: str, rest: str, *, has_feedback_model: bool) -> Mode:
    source = rest or (STRONG if has_feedback_model else PROCESS).name
    if source.partition(":")[0] in FORMS:
        parse_form(source)
    elif source not in _donated():
        allowed = ", ".join([mode.name, *(f"{mode.name}:{each}" for each in _donated())])
        raise UsageError(f"unknown placebo '{name}'; allowed: {allowed}, or a form's")
    speaker: Speaker = "feedback" if has_feedback_model else "solver"
    return replace(mode, name=name, source=source, speaker=speaker)


def _adapting(mode: Mode, name: str, speaker: Speaker) -> Mode:
    """A mode that chooses among forms, with what its name says beside it."""
    _, colon, rest = name.partition(":")
    if mode is ADAPTIVE and not rest:
        raise UsageError(
            f"feedback mode '{name}' needs a policy: {ADAPTIVE.name}:FILE, as 'friction learn' "
            "writes it"
        )
    if mode is MIXED and colon:
        mode = replace(mode, chooser=Drawn(_shares(name, rest)))
    return replace(mode, name=name, speaker=speaker)


def _shares(name: str, text: str) -> tuple[tuple[Form, float], ...]:
    """``locate=.5,contrast=.5``, or without numbers, alike."""
    parts = [part.partition("=") for part in text.split(",")]
    forms = [parse_form(form) for form, _, _ in parts]
    if len({form.name for form in forms}) < len(forms):
        raise UsageError(f"feedback mode '{name}' names a form twice")
    if not any(equals for _, equals, _ in parts):
        return tuple((form, 1 / len(forms)) for form in forms)
    try:
        shares = [float(share) for _, _, share in parts]
    except ValueError:
        shares = [math.nan]
    if not all(0 < share <= 1 for share in shares) or abs(math.fsum(shares) - 1) > _ROUNDING:
        raise UsageError(
            f"the shares of '{name}' must each be above 0 and add up to 1, as in "
            f"{MIXED.name}:{EXPLAIN.name}=.5,{CONTRAST.name}=.5"
        )
    whole = math.fsum(shares)
    return tuple((form, share / whole) for form, share in zip(forms, shares, strict=True))


_ROUNDING = 0.011  # thirds are written .33


def attributed(mode: Mode, attribution: str) -> Mode:
    """The mode with whose words the solver is told that it reads; named ``denial@expert``.

    Raises:
        UsageError: there is no such attribution, or the mode says nothing.
    """
    found = next((each for each in ATTRIBUTIONS if each == attribution), None)
    if found is None or not mode.shows_history:
        raise UsageError(
            f"unknown attribution '{attribution}' of '{mode.name}'; allowed: "
            f"{', '.join(ATTRIBUTIONS)}, of any mode but {RETRY.name}"
        )
    if found == "none":
        return mode
    return replace(mode, name=f"{mode.name}@{found}", attribution=found)


BY = " by "  # before the feedback model, where a table tells several of them apart
_DOSES = ("part", "noise", "late")
BY_CHANCE = "random"


def _dosed(mode: Mode, name: str, rest: str, *, has_feedback_model: bool) -> Mode:
    """A mode with its dose; ``partial`` may be drawn at random, the others name another mode."""
    amount, _, more = rest.partition(":")
    whole = mode.writer == "late"
    bounds = "attempts, from 0 to 99" if whole else "a share, from 0 to 1"
    pattern = r"\d{1,2}" if whole else r"(?:0|1|0?\.\d{1,6}|1\.0{1,6})"
    if not re.fullmatch(pattern, amount, re.ASCII):
        raise UsageError(f"feedback mode '{name}' needs {bounds}; allowed: {mode.name}:DOSE")
    if mode.writer == "part":
        if more not in ("", BY_CHANCE):
            raise _unknown(name, f"{mode.name}:P", f"{mode.name}:P:{BY_CHANCE}")
        return replace(mode, name=name, dose=float(amount), by_chance=bool(more))
    if more:
        if more not in _donated():
            raise _unknown(name, *(f"{mode.name}:{amount}:{each}" for each in _donated()))
        parse_mode(more, has_feedback_model=has_feedback_model)
    return replace(mode, name=name, dose=float(amount), source=more)


def recorded_mode(name: str) -> Mode:
    """The mode that a run directory names; of one that this version does not know, a plain value.

    Args:
        name: as on the command line, with what follows a colon or an attribution's sign.
    """
    name = name.partition(BY)[0]
    base = name.partition("@")[0].partition(":")[0]
    plain = replace(NO_FEEDBACK, name=base, writer="fixed", informs=True)
    if base in FORMS:
        return of_form(FORMS[base], "solver")
    if base in MODES and MODES[base].writer in _DOSES:
        with suppress(UsageError):
            dosed = parse_mode(name.partition("@")[0], has_feedback_model=True)
            return replace(dosed, name=base)
    return NO_FEEDBACK if base == NO_FEEDBACK.name else MODES.get(base, plain)
