"""What is learnt of forms of feedback: the planted rule, its worth, nothing where there is none.

Coverage over 300 runs is measured by ``python -m benchmarks adapting``; here a few seeds.
"""

import json
from dataclasses import replace
from random import Random

import numpy as np
import pytest
from click.testing import CliRunner
from hypothesis import given
from hypothesis import strategies as st

from benchmarks.planted import alike, by_state, decided
from feedback_friction.analysis.choices import read_choices
from feedback_friction.analysis.policy_learning import learn
from feedback_friction.analysis.stats import offpolicy
from feedback_friction.analysis.stats.association import calibration
from feedback_friction.cli.main import friction
from feedback_friction.errors import UsageError
from feedback_friction.policy import State, document_of, features, parse_policy

FORMS = ("verdict", "locate", "contrast")


def value_when_run(policy, uptake, states):
    return np.mean([uptake(policy.choose(state, Random(0)).form, state) for state in states])


@pytest.fixture(scope="module")
def learnt():
    decisions = decided(by_state, FORMS, 300, seed=1)
    return learn(decisions, 0.0, 0.9), decisions


@pytest.mark.slow
def test_the_planted_rule_is_learnt_and_its_worth_is_what_running_it_brings(learnt):
    found, decisions = learnt
    states = [each.state for each in decisions]
    ran = value_when_run(found.policy, by_state, states)
    best = np.mean([max(by_state(form, state) for form in FORMS) for state in states])
    always = np.mean([by_state("locate", state) for state in states])
    assert ran - always >= 0.9 * (best - always)
    adaptive = next(each for each in found.worths if each.name == "adaptive")
    for interval in (adaptive.robust, adaptive.weighted):
        assert interval.low <= ran <= interval.high
    assert found.recommends == "adaptive"


def test_a_fixed_form_is_worth_what_was_planted(learnt):
    found, decisions = learnt
    for worth in found.worths[: len(FORMS)]:
        truth = np.mean([by_state(worth.name, each.state) for each in decisions])
        assert worth.robust.low <= truth <= worth.robust.high
        assert worth.weighted.low <= truth <= worth.weighted.high
        assert worth.tokens == 100


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(4))
def test_nothing_is_recommended_where_nothing_matters(seed):
    found = learn(decided(alike, FORMS, 150, seed=seed), 0.0, 0.9)
    assert found.recommends is None
    assert "cannot tell" in found.why


@pytest.mark.slow
def test_a_form_that_costs_too_much_is_not_taken():
    decisions = decided(by_state, FORMS, 200, seed=3)
    dear = [replace(each, tokens=10_000 if each.form == "locate" else 100) for each in decisions]
    policy = learn(dear, 0.1, 0.9).policy
    assert policy.choose(State(0), Random(0)).form != "locate"
    assert learn(dear, 0.0, 0.9).policy.choose(State(0), Random(0)).form == "locate"


def test_a_policy_is_the_same_after_its_file(learnt):
    policy = learnt[0].policy
    document = json.loads(json.dumps(document_of(policy) | {"learnt_from": {"tasks": ["toy"]}}))
    read = parse_policy(document, "policy.json")
    for state in {each.state for each in learnt[1]}:
        assert read.choose(state, Random(1)).form == policy.choose(state, Random(0)).form


def test_a_state_never_seen_gets_the_best_form_and_says_so(learnt):
    policy = learnt[0].policy
    strange = policy.choose(State(0, error="carry"), Random(0))
    assert (strange.form, "never seen (error: carry)" in strange.reason) == (policy.fallback, True)
    known = policy.choose(State(2), Random(0))
    assert policy.choose(State(40), Random(0)).form == known.form  # beyond what was seen
    assert policy.choose(State(0, logprob=-1.0), Random(0)).reason.startswith("a state never seen")


def test_above_the_threshold_the_form_is_changed_and_the_reason_kept(learnt):
    policy = learnt[0].policy
    plain = policy.choose(State(0), Random(0))
    wary = replace(policy, threshold=0.0).choose(State(0), Random(0))
    assert wary.repeat <= plain.repeat
    if wary.form != plain.form:
        assert f"{plain.form} would be useless" in wary.reason


def test_the_worth_of_the_rule_is_that_of_the_policy_with_its_threshold():
    """The best form makes answers come back, so that the written policy takes another one."""
    drawn = [
        replace(each, repeated=each.form == "locate" and not each.right)
        for each in decided(by_state, FORMS, 150, seed=4)
    ]
    found = learn(drawn, 0.0, 0.05)
    states = [each.state for each in drawn]
    ran = value_when_run(found.policy, by_state, states)
    adaptive = next(each for each in found.worths if each.name == "adaptive")
    assert adaptive.robust.low <= ran <= adaptive.robust.high
    assert ran < adaptive.robust.value + 0.1 < 0.5  # what the best forms would bring is 0.6


@pytest.mark.parametrize(
    ("decisions", "said"),
    [
        (decided(alike, FORMS, 10, seed=0), "too little to learn from: "),
        (decided(alike, FORMS, 200, seed=0)[:0], "from: 0 randomised decisions"),
        (
            [*decided(alike, FORMS, 100, 0)]
            + [replace(each, run=1) for each in decided(alike, FORMS[:2], 100, 0)],
            "same forms",
        ),
        (
            [
                *(each for each in decided(alike, FORMS, 100, 0) if each.form != "contrast"),
                *[each for each in decided(alike, FORMS, 100, 0) if each.form == "contrast"][:3],
            ],
            "'contrast' was drawn 3 times",
        ),
        ([replace(each, propensity=1.0) for each in decided(alike, FORMS, 100, 0)], "0 randomised"),
    ],
)  # fmt: skip
def test_data_that_cannot_be_learnt_from_are_refused_in_one_line(decisions, said):
    with pytest.raises(UsageError, match=said) as refused:
        learn(decisions, 0.0, 0.9)
    assert "\n" not in str(refused.value)


def drawn_data(seed=0, n=400):
    rng = np.random.default_rng(seed)
    states = rng.normal(size=(n, 2))
    shares = np.array([0.6, 0.3, 0.1])
    chosen = rng.choice(3, size=n, p=shares)
    chance = np.clip(0.3 + 0.1 * chosen + 0.1 * states[:, 0], 0, 1)
    outcome = (rng.random(n) < chance).astype(float)
    return offpolicy.Drawn(states, chosen, shares[chosen], outcome, np.arange(n) // 2, 3)


def test_the_value_of_the_rule_that_drew_is_the_mean():
    data = drawn_data()
    rule = np.tile([0.6, 0.3, 0.1], (len(data), 1))
    assert offpolicy.weighted(data, rule)[0] == pytest.approx(data.outcome.mean())
    model = np.zeros((len(data), 3))
    assert offpolicy.doubly_robust(data, rule, model)[0] == pytest.approx(data.outcome.mean())
    assert offpolicy.support(data, rule) == pytest.approx(len(data))


def test_doubly_robust_is_right_with_a_model_that_is_wrong():
    """Of 60 draws, the mean of the estimates, with a model of nonsense and with the ridge."""
    found = {"nonsense": [], "ridge": []}
    for seed in range(60):
        data = drawn_data(seed)
        rule = offpolicy.always(data, 2)
        models = {
            "nonsense": np.full((len(data), 3), 0.9),
            "ridge": offpolicy.predicted(data, offpolicy.ridge(3)),
        }
        for name, model in models.items():
            found[name].append(offpolicy.doubly_robust(data, rule, model)[0])
    for values in found.values():
        assert np.mean(values) == pytest.approx(0.5, abs=4 * np.std(values) / 60**0.5 + 0.003)
    assert np.std(found["ridge"]) < np.std(found["nonsense"])


def test_a_cluster_counts_as_one_whatever_it_holds():
    parts, one = np.array([1.0, -1.0, 1.0, -1.0]), np.arange(4)
    twice = offpolicy.estimate(0.5, np.repeat(parts, 2), np.repeat(one, 2))
    once = offpolicy.estimate(0.5, parts, one)
    assert (twice.low, twice.high, twice.n) == pytest.approx((once.low, once.high, once.n))


def test_calibration_of_chances_that_hold_and_of_those_that_do_not():
    rng = np.random.default_rng(0)
    chance = rng.random(4000)
    happened = (rng.random(4000) < chance).astype(float)
    good = calibration(chance, happened)
    assert good.brier == pytest.approx(1 / 6, abs=0.01)  # of a uniform chance: 1/2 - 1/3
    assert good.auroc == pytest.approx(5 / 6, abs=0.02)
    assert all(abs(each.happened / each.n - each.predicted) < 0.08 for each in good.bins)
    assert calibration(1 - chance, happened).auroc == pytest.approx(1 / 6, abs=0.02)
    assert calibration(np.full(4000, 0.5), happened).auroc == 0.5


@given(st.lists(st.tuples(st.floats(0, 1), st.booleans()), min_size=1, max_size=40))
def test_auroc_is_the_share_of_pairs_in_order(pairs):
    yes = [p for p, happened in pairs if happened]
    no = [p for p, happened in pairs if not happened]
    found = calibration(np.array([p for p, _ in pairs]), np.array([float(h) for _, h in pairs]))
    if yes and no:
        order = [(a > b) + (a == b) / 2 for a in yes for b in no]
        assert found.auroc == pytest.approx(np.mean(order))
    assert sum(each.n for each in found.bins) == len(pairs)


def told(*words):
    return CliRunner().invoke(friction, [str(word) for word in words])


@pytest.mark.slow
def test_from_mixed_to_learn_to_adaptive_and_again_from_its_own_directory(tmp_path):
    student = "student/ability=0.1,resistant=0,repeat=0.5,uptake.locate=0.7,uptake.contrast=0.1"
    run = ("run", "decimal_multiplication", "--solver", student, "--quiet", "--iterations", 3)
    mixed = (*run, "--limit", 90, "--feedback", "mixed:locate=.5,contrast=.5")
    assert told(*mixed, "--out", tmp_path / "mixed").exit_code == 0
    policy = tmp_path / "policy.json"
    done = told("learn", tmp_path / "mixed", "--out", policy)
    assert done.exit_code == 0, done.output
    assert "recommended: " in done.output
    document = json.loads(policy.read_text())
    assert document["forms"].keys() == {"locate", "contrast"}
    assert document["learnt_from"]["decisions"] == len(read_choices([tmp_path / "mixed"]))

    out = tmp_path / "adaptive"
    adaptive = (*run, "--limit", 20, "--feedback", f"adaptive:{policy}", "--out", out)
    assert told(*adaptive).exit_code == 0
    chosen = read_choices([out])
    assert {each.form for each in chosen if each.state.iteration == 0} == {"locate"}
    assert told(*adaptive).exit_code == 0  # resumed
    policy.unlink()
    shown = told("show", out, chosen[0].problem, "--prompt")
    assert "predicted" in shown.output
    assert "made again" not in shown.output
    replayed = told("regrade", out)
    assert replayed.exit_code == 0, replayed.output
    policy.write_text(json.dumps({**document, "rule": {**document["rule"], "threshold": 0.1}}))
    changed = told(*adaptive)
    assert isinstance(changed.exception, UsageError)
    assert f"another configuration: the file of 'adaptive:{policy}' was" in str(changed.exception)


def test_every_feature_of_a_state_is_a_number():
    found = features(State(1, True, 1, 1, False, True, -0.5, None, "sum"))
    assert found["error: sum"] == found["logprob known"] == found["repeats"] == 1.0
    assert found["entropy known"] == 0.0
