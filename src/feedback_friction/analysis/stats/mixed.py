"""Logistic regression in which every problem has an effect of its own.

``logit P(right) = x b + u``, u normal with mean 0 and standard deviation s, one for each problem.
Applied to attempts that are still at risk it is a discrete-time survival model.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from scipy import optimize, special
from scipy import stats as distributions

from feedback_friction.analysis.stats.arrays import FloatArray, IntArray
from feedback_friction.analysis.stats.intervals import Estimate
from feedback_friction.analysis.stats.proportions import student

_NODES = 9
_STEPS = 12  # by Newton, of 2 log-odds at most, to the likeliest effect of each problem
_WIDEST = 10.0  # log-odds: limits further from their estimate say nothing


@dataclass(frozen=True, slots=True)
class Mixed:
    """A fitted model."""

    # one for each column, with limits; n is the number of problems. ``nan``, from 0 to infinity,
    # where the data cannot tell: all attempts with a feature, or all without, came out alike
    odds_ratios: tuple[Estimate, ...]
    p_values: tuple[float, ...]  # two-sided, of an odds ratio of 1; ``nan`` likewise
    spread: float  # standard deviation of the problems' effects, in log-odds
    icc: float  # share of the latent variance that lies between problems, s^2 / (s^2 + pi^2 / 3)


def mixed_logit(right: FloatArray, columns: FloatArray, problem: IntArray) -> Mixed | None:
    """Fit by maximum likelihood, the problems' effects integrated out by adaptive quadrature.

    The variance is the larger of the information's and of the sandwich's over problems, with the
    correction C / (C - 1): the first alone is too small where the effects are not normal, the
    second where few problems have a feature, and nothing where all attempts with it came out alike.
    Limits are Student's with as many degrees of freedom as there are problems more than columns.

    Args:
        right: shape (attempts,): 1 or 0.
        columns: shape (attempts, columns), an intercept among them.
        problem: shape (attempts,): 0, 1, ...

    Returns:
        The fit; None where there is none to find: no success or no failure, columns that depend on
        each other, fewer problems than columns, or nothing that the data can tell.

    Source: Liu and Pierce (1994), Biometrika 81:624-629 (quadrature); Barber, Murphy and Verbitsky
    (2004), Sociological Methodology 34:201-235 (discrete time); White (1982), Econometrica 50:1-25
    (sandwich).
    """
    clusters, width = int(problem.max(initial=-1)) + 1, columns.shape[1]
    if clusters <= width + 1 or right.min() == right.max():
        return None
    if np.linalg.matrix_rank(columns) < width:
        return None
    model = _Likelihood(right, columns, problem, clusters)
    start = np.zeros(width + 1)
    found = optimize.minimize(model.loss, start, jac=True, method="BFGS")
    values = found.x
    if not np.all(np.isfinite(values)):
        return None
    steps = 1e-4 * np.eye(width + 1)
    hessian = [(model.loss(values + up)[1] - model.loss(values - up)[1]) / 2e-4 for up in steps]
    bread = np.linalg.pinv(np.array(hessian) / 2 + np.array(hessian).T / 2)
    _, scores = model.by_problem(values)
    sandwich = bread @ (scores.T @ scores) @ bread * clusters / (clusters - 1)
    errors = np.sqrt(np.maximum(np.diag(sandwich), np.diag(bread))[:-1])
    degrees = clusters - width
    told = student(degrees) * errors < _WIDEST
    if not told.any():
        return None
    logs = np.where(told, values[:-1], math.nan)
    reach = np.where(told, student(degrees) * errors, math.inf)
    tested = 2 * distributions.t.sf(np.abs(logs) / errors, degrees)
    limits = (np.exp(np.nan_to_num(logs) + sign * reach).tolist() for sign in (-1, 1))
    spread = math.exp(float(values[-1]))
    return Mixed(
        tuple(
            Estimate(value, low, high, clusters)
            for value, low, high in zip(np.exp(logs).tolist(), *limits, strict=True)
        ),
        tuple(tested.tolist()),
        spread,
        spread**2 / (spread**2 + math.pi**2 / 3),
    )


@dataclass(frozen=True, slots=True)
class _Likelihood:
    """Minus the log-likelihood, and each problem's score, of b and log s."""

    right: FloatArray
    columns: FloatArray
    problem: IntArray
    clusters: int

    def _sums(self, values: FloatArray) -> FloatArray:
        """Sums over the attempts of each problem."""
        return np.bincount(self.problem, values, self.clusters).astype(np.float64)

    def by_problem(self, values: FloatArray) -> tuple[FloatArray, FloatArray]:
        """Log-likelihood of each problem, shape (problems,), and its scores (problems, values)."""
        spread = math.exp(min(max(float(values[-1]), -20.0), 5.0))
        fixed = self.columns @ values[:-1]
        sign = 2 * self.right - 1
        effects, logs = self._nodes(fixed, spread)
        residuals = np.empty((len(fixed), _NODES))
        for q, effect in enumerate(effects.T):
            at = fixed + spread * effect[self.problem]
            logs[:, q] += self._sums(-np.logaddexp(0, -sign * at))
            residuals[:, q] = self.right - special.expit(at)
        total: FloatArray = np.logaddexp.reduce(logs, axis=1)
        posterior = np.exp(logs - total[:, np.newaxis])[self.problem] * residuals
        mean, pull = posterior.sum(axis=1), (posterior * effects[self.problem]).sum(axis=1)
        scores = [self._sums(column * mean) for column in self.columns.T]
        return total, np.stack([*scores, self._sums(pull * spread)], axis=1)

    def _nodes(self, fixed: FloatArray, spread: float) -> tuple[FloatArray, FloatArray]:
        """Effects in standard deviations at which each problem is weighed, and logs of the weights.

        They lie around its likeliest effect, as close as its attempts tell it: fixed ones miss the
        peak of a problem with many attempts.
        """
        middle = np.zeros(self.clusters)
        for _ in range(_STEPS):
            chance = special.expit(fixed + spread * middle[self.problem])
            slope = spread * self._sums(self.right - chance) - middle
            width = 1 / np.sqrt(1 + spread**2 * self._sums(chance * (1 - chance)))
            middle = middle + np.clip(slope * width**2, -2 / spread, 2 / spread)
        places, weights = np.polynomial.hermite_e.hermegauss(_NODES)
        effects: FloatArray = middle[:, np.newaxis] + width[:, np.newaxis] * places
        known = np.log(weights / weights.sum()) + places**2 / 2 + np.log(width)[:, np.newaxis]
        return effects, known - effects**2 / 2

    def loss(self, values: FloatArray) -> tuple[float, FloatArray]:
        """What is minimised, and its gradient."""
        total, scores = self.by_problem(values)
        return -float(total.sum()), -scores.sum(axis=0)
