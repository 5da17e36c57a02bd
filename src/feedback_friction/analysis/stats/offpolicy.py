"""What a rule for choosing among treatments is worth, from data in which they were drawn at random.

Decisions i = 1..n in clusters (problems); in each, a treatment a_i was drawn with known probability
p_i and the outcome y_i followed. A target rule gives treatment a with probability t(a) in the state
of i. With w_i = t(a_i) / p_i:

- weighted (SNIPS, Swaminathan and Joachims 2015): V = sum(w y) / sum(w);
- doubly robust (Dudik, Langford and Li 2011): V = mean(sum_a t(a) q_i(a) + w (y - q_i(a_i))),
  q predicted by a model that has seen no decision of the cluster of i (cross-fitting). As the
  probabilities are known, it is unbiased however bad the model is, and the better the narrower.

Both are means of what each decision contributes; intervals are of cluster sums (linearised), with
Student's quantile. The value is that of one more round in the states that the data have.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from feedback_friction.analysis.stats.arrays import BoolArray, FloatArray, IntArray
from feedback_friction.analysis.stats.clusters import student_value
from feedback_friction.analysis.stats.intervals import LEVEL, Estimate

FOLDS = 5
RARE = 5  # outcomes below which their scatter tells no variance
RIDGE = 5.0  # penalty on standardised coefficients, in decisions
Fit = Callable[[FloatArray, IntArray, FloatArray], Callable[[FloatArray], FloatArray]]


@dataclass(frozen=True, slots=True, eq=False)
class Drawn:
    """Decisions in which a treatment was drawn."""

    states: FloatArray  # features, shape (n, features)
    chosen: IntArray  # treatment of each decision, from 0, shape (n,)
    propensity: FloatArray  # its probability, shape (n,)
    outcome: FloatArray  # what followed, shape (n,)
    cluster: IntArray  # number of its cluster, from 0, shape (n,)
    treatments: int  # how many treatments there are

    def __len__(self) -> int:
        return len(self.chosen)

    def among(self, rows: BoolArray) -> Drawn:
        """Some of the decisions, shape (n,)."""
        return Drawn(
            self.states[rows],
            self.chosen[rows],
            self.propensity[rows],
            self.outcome[rows],
            np.unique(self.cluster[rows], return_inverse=True)[1],
            self.treatments,
        )


def predicted(data: Drawn, fit: Fit, seed: int = 0) -> FloatArray:
    """Outcome predicted for each decision and treatment, shape (n, treatments), cross-fitted.

    Args:
        fit: from states, treatments and outcomes to a function of states.
        seed: deals the clusters to the folds.
    """
    rng = np.random.default_rng(seed)
    clusters = int(data.cluster.max()) + 1
    folds = min(FOLDS, clusters)
    fold = (rng.permutation(clusters) % folds)[data.cluster]
    found = np.full((len(data), data.treatments), float(data.outcome.mean()))
    for each in range(folds if clusters > 1 else 0):
        here, there = fold == each, fold != each
        model = fit(data.states[there], data.chosen[there], data.outcome[there])
        found[here] = model(data.states[here])
    return found


def design(states: FloatArray, chosen: IntArray, treatments: int) -> FloatArray:
    """States, treatments and their products as the columns of a linear model."""
    given = np.eye(treatments)[chosen]
    products = (given[:, :, None] * states[:, None, :]).reshape(len(states), -1)
    return np.hstack([states, given, products])


def ridge(treatments: int) -> Fit:
    """Linear model of the outcome with treatments, states and their products, by ridge."""

    def fit(
        states: FloatArray, chosen: IntArray, outcome: FloatArray
    ) -> Callable[[FloatArray], FloatArray]:
        middle, scale = states.mean(axis=0), states.std(axis=0)
        scale[scale == 0] = 1.0
        table, mean = design((states - middle) / scale, chosen, treatments), outcome.mean()
        normal = table.T @ table + RIDGE * np.eye(table.shape[1])
        weights = np.linalg.solve(normal, table.T @ (outcome - mean))

        def predict(new: FloatArray) -> FloatArray:
            scaled = (new - middle) / scale
            columns = [
                design(scaled, np.full(len(new), each), treatments) @ weights
                for each in range(treatments)
            ]
            clipped: FloatArray = np.clip(mean + np.stack(columns, axis=1), 0.0, 1.0)
            return clipped

        return predict

    return fit


def always(data: Drawn, treatment: int) -> FloatArray:
    """The rule that gives one treatment whatever the state, shape (n, treatments)."""
    return np.tile(np.eye(data.treatments)[treatment], (len(data), 1))


def weighted(data: Drawn, rule: FloatArray) -> tuple[float, FloatArray]:
    """SNIPS: the value of a rule, and what each decision contributes to it, around 0."""
    weights = rule[np.arange(len(data)), data.chosen] / data.propensity
    total = weights.sum()
    if total == 0:
        return math.nan, np.zeros(len(data))
    value = float((weights * data.outcome).sum() / total)
    return value, weights * (data.outcome - value) * len(data) / total


def doubly_robust(data: Drawn, rule: FloatArray, model: FloatArray) -> tuple[float, FloatArray]:
    """DR: the value of a rule, and what each decision contributes to it, around 0."""
    rows = np.arange(len(data))
    weights = rule[rows, data.chosen] / data.propensity
    each = (rule * model).sum(axis=1) + weights * (data.outcome - model[rows, data.chosen])
    value = float(each.mean())
    return value, each - value


def estimate(
    value: float, parts: FloatArray, cluster: IntArray, level: float = LEVEL, least: float = 0.0
) -> Estimate:
    """A mean of contributions around 0, with the interval of its cluster sums; n is of clusters.

    Args:
        least: the variance that it has at least; see ``least_variance``.
    """
    sums = np.bincount(cluster, weights=parts)
    sums = sums[np.bincount(cluster) > 0]
    clusters = len(sums)
    if clusters < 2 or math.isnan(value):
        return Estimate(value, -math.inf, math.inf, clusters)
    variance = max(least, clusters / (clusters - 1) * float((sums**2).sum()) / len(parts) ** 2)
    half = student_value(clusters - 1, level) * math.sqrt(variance)
    return Estimate(value, value - half, value + half, clusters)


def least_variance(data: Drawn, rule: FloatArray) -> float:
    """A floor for the variance of a value that few outcomes tell of; 0 where there are enough.

    Where fewer than five of the decisions that followed the rule had the rarer outcome, cluster
    sums know too little of the variance (nothing at all where it never happened). Then it is at
    least that of a share with two successes and two failures more (Agresti and Coull 1998).
    """
    followed = rule[np.arange(len(data)), data.chosen] > 0
    outcomes = data.outcome[followed]
    if min(outcomes.sum(), (1 - outcomes).sum()) >= RARE:
        return 0.0
    size, (value, _) = support(data, rule), weighted(data, rule)
    share = (size * (0.0 if math.isnan(value) else value) + 2) / (size + 4)
    return share * (1 - share) / (size + 4)


def support(data: Drawn, rule: FloatArray) -> float:
    """How many decisions followed the rule, in decisions of equal weight (Kish)."""
    weights = rule[np.arange(len(data)), data.chosen] / data.propensity
    squares = float((weights**2).sum())
    return float(weights.sum()) ** 2 / squares if squares else 0.0
