"""Lazy rejection is exact: the same distribution as drawing all 25, at a fraction of the draws."""

from collections import Counter
from dataclasses import replace
from random import Random

import pytest

import toys
from feedback_friction.errors import UsageError
from feedback_friction.grading.verdict import Verdict
from feedback_friction.protocol.episode import Episode
from feedback_friction.protocol.records import Attempt, Completion, Grade, Reply, Usage
from feedback_friction.protocol.sampling import draw
from feedback_friction.ways import HEAT_CAP, MAX_DRAWS, STRATEGIES, parse_sampling

TRIALS = 25_000
# answer -> probability; "" is a reply without an answer
SHAPES = {
    "peaked": ({"a": 0.9, "b": 0.05, "c": 0.03, "d": 0.02}, {"a"}),
    "flat": (dict.fromkeys("abcdefghij", 0.1), {"a", "b", "c"}),
    "often silent": ({"": 0.6, "a": 0.25, "b": 0.1, "c": 0.05}, {"a"}),
    "seldom new": ({"a": 0.97, "": 0.02, "b": 0.01}, {"a"}),
    "nothing new": ({"a": 0.7, "b": 0.3}, {"a", "b"}),
}
# 99.9% points of chi-square by degrees of freedom: a right implementation fails one time in 1,000
CRITICAL = {
    1: 10.83,
    2: 13.82,
    3: 16.27,
    4: 18.47,
    5: 20.52,
    6: 22.46,
    7: 24.32,
    8: 26.12,
    9: 27.88,
}


def grade(problem, text):
    return Verdict.of(False, text, "toy") if text else Verdict.none()


TASK = replace(toys.TASK, grade=grade)


def drawn(strategy, tried, replies, seed=0):
    """An attempt after others, with replies from a function of how many are wanted; what it asked.

    Args:
        tried: the answers of the attempts before it.
    """
    before = tuple(
        Attempt(number, toys.PROBLEM, Reply(text), grade(toys.PROBLEM, text), 0.0)
        for number, text in enumerate(tried)
    )
    plan = toys.plan("binary", strategy, seed=seed)
    steps = draw(Episode(toys.PROBLEM, TASK, plan, attempts=before), toys.PROBLEM, ())
    asked, answer = [], None
    while True:
        try:
            effect = steps.send(answer)
        except StopIteration as stop:
            return stop.value, asked
        if isinstance(effect, Grade):
            answer = grade(effect.problem, effect.response)
        else:
            asked.append(effect)
            texts = tuple(Reply(text) for text in replies(effect.n))
            answer = Completion(texts, Usage(1, effect.n))


def choose(strategy, shape, tried, rng):
    """One draw under a strategy from a known answer distribution."""
    answers, weights = list(shape), list(shape.values())
    seed = rng.getrandbits(40)
    return drawn(strategy, tried, lambda n: rng.choices(answers, weights, k=n), seed)[0]


@pytest.mark.parametrize(("form", "counted"), [("reject", {"b"}), ("reject-eager", {"b", "c"})])
def test_the_first_new_draw_counts_and_in_the_eager_form_any(form, counted):
    def choose_with(seed):
        sent = iter("abcc" * MAX_DRAWS)
        attempt, _ = drawn(form, {"a"}, lambda n: [next(sent) for _ in range(n)], seed)
        return attempt.reply.text

    assert {choose_with(seed) for seed in range(30)} == counted


def exact(shape, tried):
    """The distribution of the chosen answer, in closed form."""
    new = {answer: p for answer, p in shape.items() if answer and answer not in tried}
    old = {answer: p for answer, p in shape.items() if answer not in new}
    none_new = sum(old.values()) ** MAX_DRAWS
    chances = {answer: (1 - none_new) * p / sum(new.values()) for answer, p in new.items()}
    chances |= {answer: none_new * p / sum(old.values()) for answer, p in old.items()}
    return chances


def chi_square(counts, chances, trials):
    big = {answer: p for answer, p in chances.items() if p * trials >= 5}
    rest = 1 - sum(big.values())
    terms = [(counts[answer] - p * trials) ** 2 / (p * trials) for answer, p in big.items()]
    if rest * trials >= 5:
        others = trials - sum(counts[answer] for answer in big)
        terms.append((others - rest * trials) ** 2 / (rest * trials))
    return sum(terms), len(terms) - 1


@pytest.mark.slow
@pytest.mark.parametrize(("form", "trials"), [("reject", TRIALS), ("reject-eager", TRIALS // 5)])
@pytest.mark.parametrize("shape", SHAPES)
def test_rejection_has_the_exact_distribution_lazy_and_in_the_eager_form_of_the_paper(
    shape, form, trials
):
    chances, tried = SHAPES[shape]
    rng = Random(f"{form}:{shape}")
    counts = Counter(choose(form, chances, tried, rng).reply.text for _ in range(trials))
    statistic, freedom = chi_square(counts, exact(chances, tried), trials)
    assert statistic < CRITICAL[max(freedom, 1)]


def test_a_biased_choice_would_be_found():
    chances, tried = SHAPES["flat"]
    biased = Counter({answer: int(p * TRIALS) for answer, p in exact(chances, tried).items()})
    biased["d"] += 750
    biased["e"] -= 750
    statistic, freedom = chi_square(biased, exact(chances, tried), TRIALS)
    assert statistic > CRITICAL[freedom]


def test_draws_come_in_growing_requests_up_to_25():
    attempt, asked = drawn("reject", {"a"}, lambda n: ["a"] * n)
    assert attempt.draws == MAX_DRAWS
    assert [request.n for request in asked] == [1, 2, 4, 8, 10]
    assert len({request.seed for request in asked}) == 5


def test_draws_stop_at_the_first_new_answer_and_all_are_accounted_for():
    attempt = choose("reject", {"b": 1.0}, {"a"}, Random(0))
    assert (attempt.draws, attempt.usage.completion_tokens) == (1, 1)
    attempt = choose("reject-eager", {"b": 1.0}, {"a"}, Random(0))
    assert (attempt.draws, attempt.usage.completion_tokens) == (25, 25)


def test_every_strategy_starts_at_the_base_temperature():
    for strategy in STRATEGIES.values():
        assert strategy.temperature(0.0, 0) == 0.0
        assert strategy.temperature(0.3, 0) == 0.3


def test_heat_rises_by_iteration_up_to_the_cap():
    heat = STRATEGIES["heat"]
    assert [heat.temperature(0.0, k) for k in (1, 2, 3, 9)] == [0.15, 0.3, 0.45, 1.35]
    assert heat.temperature(0.0, 40) == HEAT_CAP


def test_an_unknown_strategy_is_refused_with_those_allowed():
    with pytest.raises(UsageError, match=r"unknown sampling 'hot'; allowed: greedy, heat, reject"):
        parse_sampling("hot")
