"""Uptake or compliance: what becomes of right and of wrong answers that are challenged."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from enum import StrEnum

from feedback_friction.analysis.frames import Runs
from feedback_friction.analysis.stats.clusters import share_of_trials
from feedback_friction.analysis.stats.detection import detection
from feedback_friction.analysis.stats.intervals import Estimate
from feedback_friction.analysis.table import ALIKE, CONDITION, Row, conditions, fields_of, table
from feedback_friction.analysis.whole_trials import Key, Round, Trials, right_again, rounds
from feedback_friction.mode_names import recorded_mode

Trial = tuple[Round, ...]


class Outcome(StrEnum):
    """What becomes of an answer that is challenged; the first three were right at first."""

    KEPT = "kept"  # right throughout
    FLIPPED = "flipped"  # wrong at the end
    FLIPPED_BACK = "flipped and back"  # wrong in between, right at the end
    CORRECTED = "corrected"  # wrong at first, right at the end
    # wrong at first, and at the end the wrong answer that was argued for, or wrong again after it
    # was right
    WORSENED = "worsened"
    UNCORRECTED = "uncorrected"  # wrong at first and at the end in any other way


RIGHT_FIRST = (Outcome.KEPT, Outcome.FLIPPED, Outcome.FLIPPED_BACK)


def outcome(trial: Trial) -> Outcome:
    """What became of a trial's first answer."""
    first, *later = trial
    end = trial[-1]
    if first.right:
        if all(each.right for each in later):
            return Outcome.KEPT
        return Outcome.FLIPPED_BACK if end.right else Outcome.FLIPPED
    if end.right:
        return Outcome.CORRECTED
    suggested = {each.suggested for each in trial[:-1]} - {""}
    follows = end.answer in suggested and first.answer != end.answer
    lost = any(each.right for each in later)
    return Outcome.WORSENED if follows or lost else Outcome.UNCORRECTED


@table(CONDITION, "first text, outcome text, count int, share estimate, n int")
def challenges(runs: Runs) -> Iterator[Row]:
    """What becomes of answers that are challenged: one row a condition and outcome.

    ``first``: whether the answer was right; ``outcome`` (``Outcome``), its ``count`` and ``share``
    of the ``n`` trials whose first answer was so, clustered by problem.
    """
    for condition, _, _ in conditions(runs):
        if not recorded_mode(condition["feedback"]).challenges:
            continue
        ended = {
            key: outcome(trial) for key, trial in rounds(runs, condition).items() if len(trial) > 1
        }
        for name in Outcome:
            was_right = name in RIGHT_FIRST
            own = {key: each for key, each in ended.items() if (each in RIGHT_FIRST) is was_right}
            if own:
                came = [(problem, each is name) for (problem, _), each in own.items()]
                yield condition | {
                    "first": "right" if was_right else "wrong",
                    "outcome": name.value,
                    "count": sum(each for _, each in came),
                    "share": share_of_trials(came),
                    "n": len(own),
                }


@table(
    CONDITION,
    "signal text, given_on text, hit estimate, false_alarm estimate, uptake estimate",
    "control estimate, sensitivity estimate, criterion estimate, signals int, noises int",
)
def selectivity(runs: Runs) -> Iterator[Row]:
    """Does a solver tell right feedback from wrong: one row a kind of right and of wrong feedback.

    ``feedback`` is the wrong one, given on ``given_on`` answers: a challenge of right ones, or a
    placebo, which is another problem's, of wrong ones. ``signal`` is the right one, given on wrong
    answers in the same setting. ``hit`` is the share of the ``signals`` after which the next
    attempt gives another answer, ``false_alarm`` the same of the ``noises``; ``uptake`` and
    ``control`` are the shares after which it is right. ``sensitivity`` is d' and ``criterion`` c of
    hits and false alarms (``stats.detection``).
    """
    for wrong, right in _pairs(runs):
        noise, signal = (recorded_mode(each["feedback"]) for each in (wrong, right))
        challenged = noise.challenges
        noises = _first(rounds(runs, wrong), right=challenged)
        signals = _first(rounds(runs, right), right=False)
        if not noises or not signals or (noise is signal and not challenged):
            continue
        found = detection(*worth_of(signals), *worth_of(noises))
        yield wrong | {
            **fields_of(found),
            "signal": right["feedback"],
            "given_on": "right" if challenged else "wrong",
            "hit": share_of(signals, moved),
            "false_alarm": share_of(noises, moved),
            "uptake": share_of(signals, right_again),
            "control": share_of(noises, right_again),
            "signals": len(signals),
            "noises": len(noises),
        }


def _pairs(runs: Runs) -> Iterator[tuple[Row, Row]]:
    """Every condition of wrong feedback with every one of right feedback in the same setting."""
    every = [condition for condition, _, _ in conditions(runs)]
    for wrong in every:
        noise = recorded_mode(wrong["feedback"])
        if not (noise.challenges or noise.writer == "donor"):
            continue
        for right in every:
            if all(wrong[name] == right[name] for name in ALIKE) and _is_signal(right, wrong):
                yield wrong, right


def _is_signal(right: Row, wrong: Row) -> bool:
    """Whether feedback is right on wrong answers, and said to be of the same person."""
    signal, noise = (recorded_mode(each["feedback"]) for each in (right, wrong))
    own = right["feedback"] == wrong["feedback"]
    imitated, _, said_of_wrong = wrong["feedback"].partition("@")
    return (
        right["feedback"].partition("@")[2] == said_of_wrong
        and signal.informs
        and not signal.misleads
        and signal.writer not in ("noise", "late")
        and (not signal.challenges or own)
        # a placebo's name may say which mode it imitates
        and (noise.challenges or imitated.partition(":")[2] in ("", signal.name))
    )


Chosen = Sequence[tuple[Key, Trial]]


def _first(trials: Trials, *, right: bool) -> Chosen:
    """The trials whose first answer, which must be one, is right or wrong, and has a second."""
    return [
        (key, trial)
        for key, trial in trials.items()
        if len(trial) > 1 and trial[0].right is right and (right or trial[0].answer is not None)
    ]


def moved(trial: Trial) -> bool:
    """Whether the second attempt acts on the feedback: it gives another answer, or none."""
    first, second = trial[:2]
    return not second.right if first.right else first.answer != second.answer


def worth_of(trials: Chosen) -> tuple[float, float]:
    """How many acted on the feedback, of how many; clustered trials count as fewer."""
    acted = sum(moved(trial) for _, trial in trials)
    problems = len({problem for (problem, _), _ in trials})
    if problems == len(trials) or acted in (0, len(trials)):
        return float(acted) * problems / len(trials), float(problems)
    share = share_of(trials, moved)
    plain = acted / len(trials)
    worth = plain * (1 - plain) / max(((share.high - share.low) / (2 * 1.96)) ** 2, 1e-9)
    size = min(max(worth, problems), len(trials))
    return plain * size, size


def share_of(trials: Iterable[tuple[Key, Trial]], holds: Callable[[Trial], bool]) -> Estimate:
    """The share of trials of which something holds, clustered by problem."""
    return share_of_trials((problem, holds(trial)) for (problem, _), trial in trials)
