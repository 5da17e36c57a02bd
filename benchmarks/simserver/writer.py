"""What the simulated model says: right or wrong work on the question that it finds in the prompt.

Everything is a function of the messages and, at a temperature above 0, of temperature, seed and
number of the reply: digests of those are the only dice. Attempts that the prompt shows are counted
by ``MARK``, with which every attempt begins, so the wording of the prompts does not matter.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from hashlib import blake2b
from math import exp
from statistics import NormalDist

from benchmarks.simserver.prefix import CHARS_PER_TOKEN
from benchmarks.simserver.settings import Settings
from feedback_friction.protocol.masking.numbers import split

MARK = "Let me work through this."
DICE = 8

_QUESTION = re.compile(
    r"Calculate the following question(, where each number is represented in base 16)?: "
    r"([0-9A-F]{1,40}) \* ([0-9A-F]{1,40})"
)
_OPTION = re.compile(r"^\(?([A-J])[).:] ", re.MULTILINE)
_GOLD = re.compile(r"^#* ?correct answer:? ?\n?([^\n]{1,200})$", re.IGNORECASE | re.MULTILINE)
_FILLER = (
    "Before going on it helps to look at the problem as a whole and to say in plain words what is "
    "asked, what is known, and which way leads from here to there. Each step is checked before the "
    "next begins, so that an early slip does not spoil what follows. "
) * 4  # words that no grader could take for an answer
_NORMAL = NormalDist()


@dataclass(frozen=True, slots=True)
class Written:
    """One reply: its text, its length in tokens, and how it ended."""

    text: str
    tokens: int
    finish_reason: str
    dice: Sequence[float]


def roll(*parts: str) -> list[float]:
    """Eight numbers in (0, 1) that depend on the parts alone."""
    digest = blake2b("\0".join(parts).encode("utf-8", "replace")).digest()
    return [
        (int.from_bytes(digest[8 * i : 8 * i + 8], "little") + 0.5) / 2**64 for i in range(DICE)
    ]


def write(
    settings: Settings, system: str, prompt: str, dice: Sequence[float], max_tokens: int
) -> Written:
    """One reply.

    Args:
        system: text of the system message, which tells what is wanted.
        prompt: the whole chat as one text.
        dice: eight numbers in (0, 1), see ``roll``.
        max_tokens: limit on the reply's length.
    """
    if settings.replies:
        text = settings.replies[int(dice[1] * len(settings.replies))]
    elif "YES" in system and "NO" in system:
        text = "YES" if dice[1] < settings.p_first else "NO"
    elif "feedback" in system:
        text = _padded("", _feedback(settings, prompt, dice), _length(settings, dice[0]))
    else:
        text = _padded(
            MARK + "\n", _answer(settings, system, prompt, dice), _length(settings, dice[0])
        )
    if dice[7] < settings.filtered:
        return _cut(text, max(1, token_count(text) // 2), "content_filter", dice)
    if token_count(text) > max_tokens:
        return _cut(text, max_tokens, "length", dice)
    return Written(text, token_count(text), "stop", dice)


def token_count(text: str) -> int:
    """Tokens of a text: four characters each, the last one perhaps shorter."""
    return -(-len(text) // CHARS_PER_TOKEN)


def _cut(text: str, tokens: int, reason: str, dice: Sequence[float]) -> Written:
    return Written(text[: tokens * CHARS_PER_TOKEN], tokens, reason, dice)


def _length(settings: Settings, die: float) -> int:
    """Length of a reply in tokens; one die is enough with the inverse distribution."""
    tail = exp(settings.reply_sigma * _NORMAL.inv_cdf(die)) if settings.reply_sigma else 1.0
    return int(settings.reply_tokens * tail)


def _padded(head: str, content: str, tokens: int) -> str:
    """Head and content with so much filler in between that the text has that many tokens."""
    missing = tokens * CHARS_PER_TOKEN - len(head) - len(content) - 1
    if missing <= 0:
        return head + content
    whole, rest = divmod(missing, len(_FILLER))
    return f"{head}{_FILLER * whole}{_FILLER[:rest]}\n{content}"


def _answer(settings: Settings, system: str, prompt: str, dice: Sequence[float]) -> str:
    if dice[2] < settings.p_silent:
        return "There is no way forward from here that seems right."
    p_right = settings.p_first + settings.p_gain * prompt.count(MARK)
    question = _last_question(prompt)
    if question is not None:
        return _multiplication(settings, question, dice[1] < p_right, dice)
    letters = _last_options(prompt)
    if letters:
        return f"The answer is ({letters[int(dice[1] * len(letters))]})."
    if "boxed" in system:
        return f"This leaves \\boxed{{{int(dice[1] * 10)}}}."
    return "The Lighthouse of Alexandria"


def _feedback(settings: Settings, prompt: str, dice: Sequence[float]) -> str:
    found = _GOLD.search(prompt)
    gold = found.group(1).strip() if found else ""
    question = _last_question(prompt)
    what = "{} * {}".format(*question) if question else "the problem"
    part = ("first", "second", "third", "last")[int(dice[3] * 4)]
    advice = f"The method for {what} is sound, but a step went wrong: do the {part} part again."
    if not gold or dice[1] >= settings.p_leak:
        return advice
    grouped = f"{int(gold):,}" if gold.isdecimal() else gold
    forms = (gold, grouped, f"\\boxed{{{gold}}}", f"**{gold}**")
    return f"{advice} It should come out as {forms[int(dice[2] * len(forms))]} in the end."


def _last_question(prompt: str) -> tuple[str, str, int] | None:
    start = prompt.rfind("Calculate the following question")
    found = _QUESTION.match(prompt, start) if start >= 0 else None
    if found is None:
        return None
    hexadecimal, a, b = found.groups()
    if not hexadecimal and not (a + b).isdecimal():
        return None
    return a, b, 16 if hexadecimal else 10


def _last_options(prompt: str) -> str:
    """The letters of the last block of options, e.g. ``"ABCD"``."""
    letters = "".join(_OPTION.findall(prompt))
    return letters[max(letters.rfind("A"), 0) :]


def _multiplication(
    settings: Settings, question: tuple[str, str, int], right: bool, dice: Sequence[float]
) -> str:
    a, b, base = question
    if dice[3] < settings.p_repeat:
        dice = roll(a, b)  # the problem's usual mistake, whatever came before
    steps = _hexadecimal_steps(a, b) if base == 16 else _decimal_steps(a, b)
    spoiled = -1 if right else int(dice[4] * len(steps))
    slip = (1 + int(dice[5] * 8)) * base ** (1 + int(dice[6] * 3))
    lines, total = [], 0
    for number, (left, factor, value, shift) in enumerate(steps):
        value += slip if number == spoiled else 0
        total += value * base**shift
        shown = f" shifted by {shift}" if shift else ""
        lines.append(f"{left} * {factor} = {_written(value, base)}{shown}")
    work = "\n".join(lines)
    return f"{work}\nAdding these up gives \\boxed{{{_written(total, base)}}}."


def _decimal_steps(a: str, b: str) -> list[tuple[int, int, int, int]]:
    """The four partial products of both numbers split as in the worked solution."""
    firsts, seconds = split(int(a), int(b))
    return [(x, y, x * y, 0) for x in firsts for y in seconds]


def _hexadecimal_steps(a: str, b: str) -> list[tuple[str, str, int, int]]:
    """The first number times each digit of the second, from the right, with its shift."""
    left = int(a, 16)
    return [(a, digit, left * int(digit, 16), i) for i, digit in enumerate(reversed(b))]


def _written(value: int, base: int) -> str:
    return f"{value:X}" if base == 16 else str(value)
