"""Learning which form of feedback helps in which state, from runs that drew it at random.

One regularised logistic model predicts a right next attempt from the state, the form and their
products, another a repeated answer; the rule takes the form of the largest predicted worth. What
the rule is worth is not read from the model but from the draws (``stats.offpolicy``), each decision
judged by a rule that has seen nothing of its problem.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np

from feedback_friction.analysis.choices import Decision, in_form_order
from feedback_friction.analysis.stats import offpolicy
from feedback_friction.analysis.stats.arrays import FloatArray, IntArray
from feedback_friction.analysis.stats.association import Calibration, calibration
from feedback_friction.analysis.stats.intervals import Estimate
from feedback_friction.errors import UsageError
from feedback_friction.forms import FORMS, Form, parse_form
from feedback_friction.modes import ADAPTIVE, LADDER
from feedback_friction.policy import Ladder, Learnt, Line, Option, chosen, features

FEWEST = 100  # decisions that were drawn
FEWEST_PROBLEMS = 30
FEWEST_OF_A_FORM = 8
PENALTIES = (0.02, 0.1, 0.5)  # inverse strengths of the penalty, chosen by cross-validation
INNER_FOLDS = 3
DRAWN = "drawn at random"
SMALLEST = 1e-3  # chance of a constant outcome


@dataclass(frozen=True, slots=True)
class Worth:
    """What a rule is worth in one more round, in the states that the data have."""

    name: str  # the form that is always given, ``ladder``, ``adaptive`` or ``drawn at random``
    weighted: Estimate  # share of right next attempts, self-normalised
    robust: Estimate  # the same, doubly robust
    over_drawn: Estimate  # what it adds to a draw, doubly robust, limits for all rules at once
    adaptive_over: Estimate  # what the adaptive rule adds to it, doubly robust
    tokens: float  # that a round of it takes
    support: float  # decisions that followed it, as many as they are worth


@dataclass(frozen=True, slots=True)
class Learning:
    """What ``learn`` found: the policy, the worth of each rule, and a recommendation."""

    policy: Learnt  # the rule
    # every fixed form, the ladder where all its rungs were drawn, a draw, the rule
    worths: tuple[Worth, ...]
    recommends: str | None  # ``adaptive``, the best form, or None where the data cannot tell
    why: str  # what the recommendation stands on, in words
    detector: Calibration  # how well repeated answers were predicted for problems not seen
    decisions: int  # how many were learnt from, of so many ``problems``
    problems: int


def learn(decisions: Sequence[Decision], price: float, threshold: float, seed: int = 0) -> Learning:
    """Learn a policy from drawn decisions.

    Args:
        decisions: those of all runs; what was not drawn is left out.
        price: share of right attempts that a thousand tokens must bring.
        threshold: predicted chance of a repeated answer above which the form is changed.
        seed: deals problems to folds.

    Raises:
        UsageError: too few decisions were drawn, or runs drew from different forms.
    """
    drawn = [each for each in decisions if each.is_drawn]
    forms = _forms(drawn)
    every, names = as_drawn(drawn, [form.name for form in forms], "right")
    known = tuple(
        (name, float(column.min()), float(column.max()))
        for name, column in zip(names, every.states.T, strict=True)
    )
    varies = every.states.std(axis=0) > 0
    solved = replace(every, states=every.states[:, varies])
    repeated = replace(solved, outcome=np.array([float(bool(each.repeated)) for each in drawn]))
    tokens = replace(solved, outcome=np.array([float(each.tokens) for each in drawn]))
    always = [offpolicy.always(solved, at) for at in range(len(forms))]
    costs = [offpolicy.weighted(tokens, rule)[0] for rule in always]
    toll = price * np.array(costs) / 1000
    cross, again = (
        offpolicy.predicted(each, _logistic(len(forms)), seed) for each in (solved, repeated)
    )
    rules = {form.name: rule for form, rule in zip(forms, always, strict=True)}
    ladder = [chosen(Ladder(), each.state) for each in drawn]
    if {*ladder} <= rules.keys():
        rules[LADDER.name] = np.stack([rules[name][at] for at, name in enumerate(ladder)])
    rules[DRAWN] = _drawn_rule(drawn, solved)
    rules[ADAPTIVE.name] = np.eye(len(forms))[_by_policy(cross - toll, again, threshold)]
    worths = _worths(solved, rules, cross, tokens)
    fixed = [worth for worth in worths if worth.name in FORMS or ":" in worth.name]
    best = max(fixed, key=lambda worth: np.nan_to_num(worth.robust.value, nan=-1.0))
    answered = np.array([each.repeated is not None for each in drawn])
    said = again[np.arange(len(drawn)), solved.chosen]
    varying = [name for name, each in zip(names, varies, strict=True) if each]
    options = _options(varying, solved, repeated, forms, costs)
    tasks = tuple(sorted({each.task for each in drawn}))
    policy = Learnt(options, best.name, price, threshold, known, tasks)
    recommends, why = _recommendation(worths, best)
    found = calibration(said[answered], repeated.outcome[answered])
    problems = len(np.unique(solved.cluster))
    return Learning(policy, worths, recommends, why, found, len(drawn), problems)


def _forms(drawn: Sequence[Decision]) -> list[Form]:
    """The forms that were drawn, in the order of ``FORMS``."""
    problems = len({(each.task, each.problem) for each in drawn})
    if len(drawn) < FEWEST or problems < FEWEST_PROBLEMS:
        raise UsageError(
            f"too little to learn from: {len(drawn)} randomised decisions on {problems} "
            f"problems; at least {FEWEST} on {FEWEST_PROBLEMS} problems are needed, from runs of "
            "--feedback mixed"
        )
    sets: dict[tuple[int, str], set[str]] = {}
    for each in drawn:
        sets.setdefault((each.run, each.condition), set()).add(each.form)
    names = set.union(*sets.values())
    odd = next((where for where, found in sets.items() if found != names), None)
    if odd is not None:
        raise UsageError(
            f"'{odd[1]}' drew {', '.join(sorted(sets[odd]))}, and all conditions together "
            f"{', '.join(sorted(names))}: learn from runs that draw from the same forms"
        )
    counts = {name: sum(each.form == name for each in drawn) for name in names}
    rarest = min(counts, key=lambda name: counts[name])
    if counts[rarest] < FEWEST_OF_A_FORM:
        raise UsageError(
            f"too little to learn from: '{rarest}' was drawn {counts[rarest]} times; at least "
            f"{FEWEST_OF_A_FORM} are needed of each form"
        )
    return [parse_form(name) for name in in_form_order(names)]


def as_drawn(
    decisions: Sequence[Decision], names: Sequence[str], outcome: str
) -> tuple[offpolicy.Drawn, list[str]]:
    """Drawn decisions as arrays, and the names of the features.

    Args:
        decisions: those of all conditions; the clusters are their problems.
        names: of the forms, in the order of the treatments.
        outcome: the field of a decision that tells what followed.
    """
    found = [features(each.state) for each in decisions]
    columns = sorted({name for each in found for name in each})
    keys = [(each.task, each.problem) for each in decisions]
    number = {key: at for at, key in enumerate(dict.fromkeys(keys))}
    data = offpolicy.Drawn(
        np.array([[each.get(name, 0.0) for name in columns] for each in found]),
        np.array([names.index(each.form) for each in decisions]),
        np.array([each.propensity for each in decisions]),
        np.array([float(getattr(each, outcome)) for each in decisions]),
        np.array([number[key] for key in keys]),
        len(names),
    )
    return data, columns


def _by_policy(worth: FloatArray, again: FloatArray, threshold: float) -> IntArray:
    """The form that ``policy.Learnt`` takes by its worth and its chance of a repeated answer."""
    best = worth.argmax(axis=1)
    useless = again[np.arange(len(best)), best] > threshold
    return np.asarray(np.where(useless, again.argmin(axis=1), best))


def _drawn_rule(drawn: Sequence[Decision], data: offpolicy.Drawn) -> FloatArray:
    """The probabilities with which the forms were drawn, by condition."""
    shares: dict[tuple[int, str], FloatArray] = {}
    for each, at in zip(drawn, data.chosen, strict=True):
        where = (each.run, each.condition)
        shares.setdefault(where, np.zeros(data.treatments))[at] = each.propensity
    return np.stack([shares[each.run, each.condition] for each in drawn])


def _worths(
    data: offpolicy.Drawn, rules: dict[str, FloatArray], model: FloatArray, tokens: offpolicy.Drawn
) -> tuple[Worth, ...]:
    """What every rule is worth, and how they differ."""
    robust = {name: offpolicy.doubly_robust(data, rule, model) for name, rule in rules.items()}
    together = 1 - 0.05 / max(1, len(rules) - 1)  # Bonferroni over all but the draw
    least = {name: offpolicy.least_variance(data, rule) for name, rule in rules.items()}

    def value(name: str, found: tuple[float, FloatArray]) -> Estimate:
        made = offpolicy.estimate(*found, data.cluster, least=least[name])
        low, high = max(made.low, min(made.value, 0.0)), min(made.high, max(made.value, 1.0))
        return Estimate(made.value, low, high, made.n)

    def gap(one: str, other: str, level: float) -> Estimate:
        (a, parts_a), (b, parts_b) = robust[one], robust[other]
        known = least[one] + least[other]
        return offpolicy.estimate(a - b, parts_a - parts_b, data.cluster, level, known)

    return tuple(
        Worth(
            name,
            value(name, offpolicy.weighted(data, rule)),
            value(name, robust[name]),
            gap(name, DRAWN, together),
            gap(ADAPTIVE.name, name, 0.95),
            offpolicy.weighted(tokens, rule)[0],
            offpolicy.support(data, rule),
        )
        for name, rule in rules.items()
    )


def _recommendation(worths: Sequence[Worth], best: Worth) -> tuple[str | None, str]:
    """What the data can tell: the rule, the best form, or nothing."""
    adaptive = next(worth for worth in worths if worth.name == ADAPTIVE.name)
    over_best = best.adaptive_over
    if adaptive.over_drawn.low > 0 and over_best.low > 0:
        return ADAPTIVE.name, (
            f"it beats a draw, and the best form ({best.name}) by "
            f"{over_best.percent(unit=' points')}"
        )
    if best.over_drawn.low > 0:
        return best.name, (
            f"always {best.name} beats a draw by {best.over_drawn.percent(unit=' points')}; that "
            "the state matters beside it is not shown"
        )
    return None, "no rule is shown to beat a draw: the data cannot tell which form is best"


def _logistic(treatments: int) -> offpolicy.Fit:
    """The logistic model as ``offpolicy.predicted`` fits it."""

    def fit(
        states: FloatArray, given: IntArray, outcome: FloatArray
    ) -> Callable[[FloatArray], FloatArray]:
        weights, intercepts = _fitted(states, given, outcome, treatments)

        def predict(new: FloatArray) -> FloatArray:
            odds = new @ weights.T + intercepts
            chances: FloatArray = 1 / (1 + np.exp(-np.clip(odds, -50, 50)))
            return chances

        return predict

    return fit


def _fitted(
    states: FloatArray, given: IntArray, outcome: FloatArray, treatments: int
) -> tuple[FloatArray, FloatArray]:
    """Weights, shape (treatments, features), and intercepts of the logistic model."""
    from sklearn.linear_model import LogisticRegression

    features_count = states.shape[1]
    if outcome.min() == outcome.max():
        chance = min(max(float(outcome.mean()), SMALLEST), 1 - SMALLEST)
        level = math.log(chance / (1 - chance))
        return np.zeros((treatments, features_count)), np.full(treatments, level)
    middle, scale = states.mean(axis=0), states.std(axis=0)
    scale[scale == 0] = 1.0
    table = offpolicy.design((states - middle) / scale, given, treatments)
    strength = _best_penalty(table, outcome)
    model = LogisticRegression(C=strength, solver="newton-cholesky").fit(table, outcome)
    found = model.coef_[0]
    shared, own = found[:features_count], found[features_count : features_count + treatments]
    crossed = found[features_count + treatments :].reshape(treatments, features_count)
    weights = (shared + crossed) / scale
    return weights, model.intercept_[0] + own - weights @ middle


def _best_penalty(table: FloatArray, outcome: FloatArray) -> float:
    """The strength with the least loss on folds that it was not fitted on."""
    from sklearn.linear_model import LogisticRegression
    from sklearn.model_selection import GridSearchCV, StratifiedKFold

    rarest = int(min(outcome.sum(), len(outcome) - outcome.sum()))
    if rarest < INNER_FOLDS:
        return PENALTIES[0]
    search = GridSearchCV(
        LogisticRegression(solver="newton-cholesky"), {"C": PENALTIES}, scoring="neg_log_loss",
        cv=StratifiedKFold(INNER_FOLDS, shuffle=True, random_state=0), refit=False,
    )  # fmt: skip
    return float(search.fit(table, outcome).best_params_["C"])


def _options(
    names: Sequence[str],
    solved: offpolicy.Drawn,
    repeated: offpolicy.Drawn,
    forms: Sequence[Form],
    costs: Sequence[float],
) -> tuple[Option, ...]:
    """What was learnt of each form, from all decisions."""
    models = [_fitted(d.states, d.chosen, d.outcome, len(forms)) for d in (solved, repeated)]

    def line(at: int, weights: FloatArray, intercepts: FloatArray) -> Line:
        named = zip(names, map(float, weights[at]), strict=True)
        return Line(float(intercepts[at]), tuple(named))

    return tuple(
        Option(form, line(at, *models[0]), line(at, *models[1]), costs[at])
        for at, form in enumerate(forms)
    )
