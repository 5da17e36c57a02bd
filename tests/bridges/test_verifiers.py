"""The environment of verifiers asks what the loop asks, turn by turn, and judges as a run does."""

from __future__ import annotations

import asyncio
import sys
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from types import SimpleNamespace

import pytest

pytest.importorskip("verifiers", reason="verifiers is a package for environments/ alone")
sys.path.insert(0, str(Path(__file__).parents[2] / "environments" / "feedback-friction"))

from friction_env.env import _driven
from friction_env.taskset import FrictionConfig, FrictionTaskset

OPTIONS = {"digits": 2, "limit": 3, "iterations": 3}


@dataclass
class Talk:
    """A conversation whose replies are a script; keeps what it was told."""

    replies: list[str]
    told: list[str | None] = field(default_factory=list)

    async def turn(self, message=None):
        self.told.append(message)
        return SimpleNamespace(terminated=False, last_reply=self.replies[len(self.told) - 1])


class Seat:
    """A seat that says the same to whatever it is asked, in a conversation of its own each time."""

    def __init__(self, reply):
        self.reply, self.asked = reply, []

    @asynccontextmanager
    async def interaction(self, task):
        self.asked.append(task)
        yield Talk([self.reply])


def driven(feedback, replies, aside="It is \\boxed{1}."):
    taskset = FrictionTaskset(FrictionConfig(id="friction-env", feedback=feedback, options=OPTIONS))
    condition, talk, seat = taskset.condition, Talk(replies), Seat(aside)
    agents = SimpleNamespace(aside=seat, teacher=seat)
    found = asyncio.run(_driven(condition, condition.problems[0], agents, talk))
    return found, talk, seat


def right(feedback="binary"):
    config = FrictionConfig(id="friction-env", feedback=feedback, options=OPTIONS)
    return f"\\boxed{{{FrictionTaskset(config).condition.problems[0].gold}}}"


def test_a_wrong_answer_is_told_so_in_the_next_turn_and_a_right_one_ends_the_trial():
    found, talk, seat = driven("binary", ["\\boxed{1}", right()])
    assert [each.verdict.is_correct for each in found.attempts] == [False, True]
    assert talk.told[0] is None  # the task's own prompt opens
    assert found.attempts[0].feedback.text in talk.told[1]
    assert seat.asked == []


def test_what_is_no_turn_of_the_conversation_is_asked_aside():
    found, talk, seat = driven("placebo:tutor", ["\\boxed{1}", "\\boxed{2}", "\\boxed{3}"])
    assert found.status == "unsolved"
    assert len(talk.told) == 3
    assert len(seat.asked) >= 1  # a donor's first attempt
    assert found.attempts[0].feedback.donor is not None


def test_retry_shows_nothing_and_so_asks_anew():
    found, talk, seat = driven("retry", ["\\boxed{1}"], aside=right("retry"))
    assert found.status == "solved"
    assert (len(talk.told), len(seat.asked)) == (1, 1)
