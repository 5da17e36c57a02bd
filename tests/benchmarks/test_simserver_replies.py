"""What the simulated model says: deterministic, and right or wrong as its settings want it."""

from __future__ import annotations

import re

import pytest
from simclient import DECIMAL, HEX, ask, ask_all, boxed, questions, request

from benchmarks.simserver import Settings, simulated_server
from feedback_friction.protocol import prompts


def test_greedy_replies_depend_on_the_messages_alone() -> None:
    bodies = questions(20)
    with simulated_server() as first:
        one = [answer.texts for answer in ask_all(first, bodies)]
    with simulated_server() as second:
        reverse = ask_all(second, [{**body, "seed": 7} for body in reversed(bodies)])
    assert one == [answer.texts for answer in reversed(reverse)]
    assert len({text for texts in one for text in texts}) == 20


def test_warm_replies_depend_on_seed_and_number_of_the_reply() -> None:
    user = DECIMAL.format(54321, 12345)
    settings = Settings(p_repeat=0.0, reply_sigma=1.0)
    with simulated_server(settings) as server:
        five = ask(server, user, temperature=0.7, seed=5, n=4).texts
        again = ask(server, user, temperature=0.7, seed=5, n=4).texts
        six = ask(server, user, temperature=0.7, seed=6, n=4).texts
        unseeded = [ask(server, user, temperature=0.7).texts[0] for _ in range(4)]
    assert five == again
    assert len({*five, *six}) == 8
    assert len(set(unseeded)) > 1  # drawn anew each time, so that two may be alike


@pytest.mark.parametrize(
    ("template", "base"), [(DECIMAL, 10), (HEX, 16)], ids=["decimal", "hexadecimal"]
)
@pytest.mark.parametrize("p_first", [1.0, 0.0])
def test_a_product_is_right_or_wrong_as_the_probability_says(
    template: str, base: int, p_first: float
) -> None:
    pairs = [(str(10000 + 7 * i), str(91234 - 11 * i)) for i in range(50)]
    with simulated_server(Settings(p_first=p_first, p_gain=0.0)) as server:
        answers = ask_all(server, [request(template.format(a, b)) for a, b in pairs])
    right = [
        int(boxed(answer.texts[0]), base) == int(a, base) * int(b, base)
        for answer, (a, b) in zip(answers, pairs, strict=True)
    ]
    assert right == [p_first == 1.0] * 50


def test_a_wrong_product_has_exactly_one_wrong_step() -> None:
    with simulated_server(Settings(p_first=0.0, p_gain=0.0)) as server:
        answers = ask_all(server, questions(50))
    for answer in answers:
        steps = re.findall(r"(\d+) \* (\d+) = (\d+)", answer.texts[0])
        assert len(steps) == 4
        assert sum(int(a) * int(b) != int(c) for a, b, c in steps) == 1
        assert int(boxed(answer.texts[0])) == sum(int(c) for _, _, c in steps)


def test_earlier_attempts_in_the_prompt_raise_the_chance_to_be_right() -> None:
    with simulated_server(Settings(p_first=0.0, p_gain=0.5)) as server:
        wrong = ask(server, DECIMAL.format(12345, 54321)).texts[0]
        shares = []
        for attempts in (0, 1, 2):
            bodies = [
                request("\n\n".join([DECIMAL.format(20000 + i, 54321), *[wrong] * attempts]))
                for i in range(100)
            ]
            right = [
                int(boxed(a.texts[0])) == (20000 + i) * 54321
                for i, a in enumerate(ask_all(server, bodies))
            ]
            shares.append(sum(right))
    assert shares[0] == 0
    assert 30 < shares[1] < 70
    assert shares[2] == 100


def test_the_last_question_of_the_prompt_is_the_one_that_is_answered() -> None:
    with simulated_server(Settings(p_first=1.0)) as server:
        text = ask(server, f"{DECIMAL.format(11, 22)}\n\n{DECIMAL.format(33333, 3)}").texts[0]
    assert boxed(text) == "99999"


def test_a_choice_is_made_among_the_options_that_are_there() -> None:
    few_shot = "\n".join(f"({letter}) old" for letter in "ABCDEFGHIJ")
    options = "\n".join(f"({letter}) new" for letter in "ABC")
    bodies = [request(f"{few_shot}\n\nWhich, {i}?\n{options}", system="") for i in range(200)]
    with simulated_server() as server:
        texts = [answer.texts[0] for answer in ask_all(server, bodies)]
    letters = [re.findall(r"The answer is \((.)\)\.$", text)[0] for text in texts]
    assert set(letters) == set("ABC")


def test_feedback_is_recognised_by_the_prompts_and_leaks_at_its_rate() -> None:
    def body(number: int) -> dict[str, object]:
        question = DECIMAL.format(10000 + number, 23456)
        gold = str((10000 + number) * 23456)
        known = [prompts.headed("Problem", question), prompts.headed("Correct answer", gold)]
        return request("\n\n".join([*known, "Write it."]), system=prompts.FEEDBACK_SYSTEM)

    with simulated_server(Settings(p_leak=0.3)) as server:
        texts = [answer.texts[0] for answer in ask_all(server, [body(i) for i in range(300)])]
    golds = [str((10000 + i) * 23456) for i in range(300)]
    leaks = [gold in text.replace(",", "") for gold, text in zip(golds, texts, strict=True)]
    assert not any("Let me work" in text for text in texts)
    assert 60 < sum(leaks) < 120


def test_logprobs_cover_the_reply_and_are_never_positive() -> None:
    with simulated_server() as server:
        choice = ask(server, DECIMAL.format(1234, 5678), logprobs=True).json["choices"][0]
        without = ask(server, DECIMAL.format(1234, 5678)).json["choices"][0]
    tokens = choice["logprobs"]["content"]
    assert "".join(token["token"] for token in tokens) == choice["message"]["content"]
    assert all(-2 < token["logprob"] <= 0 for token in tokens)
    assert without["logprobs"] is None


def test_lengths_are_long_tailed_and_end_at_the_limit() -> None:
    with simulated_server(Settings(reply_tokens=300, reply_sigma=1.0)) as server:
        replies = [answer.json for answer in ask_all(server, questions(500))]
        limited = ask(server, DECIMAL.format(1234, 5678), max_tokens=10).json
    lengths = sorted(reply["usage"]["completion_tokens"] for reply in replies)
    assert lengths[250] == pytest.approx(300, rel=0.25)
    assert lengths[450] > 2.5 * lengths[250]
    ended = [reply["choices"][0]["finish_reason"] for reply in replies]
    assert [length == 2000 for length in lengths].count(True) == ended.count("length") > 0
    assert limited["usage"]["completion_tokens"] == 10
    assert limited["choices"][0]["finish_reason"] == "length"
