"""What the progress says: no time that nobody can know, a speed that is not zero."""

from __future__ import annotations

from types import SimpleNamespace

from rich.console import Console

from feedback_friction.cli.progress import Display, Pace
from feedback_friction.engine.run.caller import Spent
from feedback_friction.engine.run.runner import Progress


class Clock:
    now = 0.0

    def __call__(self) -> float:
        return self.now


def watched(progress: Progress) -> tuple[Display, Clock]:
    clock = Clock()
    display = Display(Console(), clock=clock)
    display.watch(SimpleNamespace(progress=progress, caller=None))
    return display, clock


def test_nothing_is_said_of_the_time_left_while_nothing_has_ended() -> None:
    progress = Progress(Spent(calls=50), total=100, running=40)
    display, clock = watched(progress)
    clock.now = 100.0
    assert "left" not in display.describe(progress)
    progress.count("solved", 10)
    clock.now = 200.0
    assert "about 15m00s left" in display.describe(progress)  # 10 in the later 100 s, 90 to go


def test_the_pace_is_that_of_what_ran_later() -> None:
    pace = Pace()
    for second in range(1, 101):
        pace.note(second, min(second, 50) * 2 + max(0, second - 50))
    assert pace.seconds_left(10) == 10  # one a second since half-time; two before
    assert pace.seconds_left(0) is None
    for second in range(101, 400):
        pace.note(second, 150)
    assert pace.seconds_left(10) is None  # nothing has ended for as long


def test_a_slow_server_has_a_speed() -> None:
    progress = Progress(Spent(calls=3), total=10)
    display, clock = watched(progress)
    clock.now = 60.0
    assert "3.0 calls/min" in display.describe(progress)
    clock.now = 1.0
    assert "3.0 calls/s" in display.describe(progress)
