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

_NODES = 21
_WIDEST = 30.0  # log-odds: beyond, the data separate, and the maximum lies at infinity


@dataclass(frozen=True, slots=True)
class Mixed:
    """A fitted model."""

    # one for each column, with limits; n is the number of problems
    odds_ratios: tuple[Estimate, ...]
    p_values: tuple[float, ...]  # two-sided, of an odds ratio of 1
    spread: float  # standard deviation of the problems' effects, in log-odds
    icc: float  # share of the latent variance that lies between problems, s^2 / (s^2 + pi^2 / 3)


def mixed_logit(right: FloatArray, columns: FloatArray, problem: IntArray) -> Mixed | None:
    """Fit by maximum likelihood, the problems' effects integrated out by Gauss-Hermite quadrature.

    The covariance is the sandwich over problems with the correction C / (C - 1), and limits are
    Student's with as many degrees of freedom as there are problems more than columns, so that they
    hold where the effects are not normal, too.

    Args:
        right: shape (attempts,): 1 or 0.
        columns: shape (attempts, columns), an intercept among them.
        problem: shape (attempts,): 0, 1, ...

    Returns:
        The fit; None where there is none to find: no success or no failure, columns that depend on
        each other, fewer problems than columns, or data that a column separates.

    Source: Hedeker and Gibbons (1994), Biometrics 50:933-944; Barber, Murphy and Verbitsky (2004),
    Sociological Methodology 34:201-235 (discrete time); White (1982), Econometrica 50:1-25
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
    if not np.all(np.isfinite(values)) or np.abs(values[:-1]).max() > _WIDEST:
        return None
    bread = np.linalg.pinv(_jacobian(model, values))
    scores = model.scores(values)
    covariance = bread @ (scores.T @ scores) @ bread * clusters / (clusters - 1)
    errors = np.sqrt(np.maximum(np.diag(covariance)[:-1], 0.0))
    degrees = clusters - width
    reach = student(degrees) * errors
    tested = 2 * distributions.t.sf(np.abs(values[:-1]) / np.maximum(errors, 1e-300), degrees)
    spread = math.exp(float(values[-1]))
    return Mixed(
        tuple(
            Estimate(_exp(value), _exp(value - half), _exp(value + half), clusters)
            for value, half in zip(values[:-1].tolist(), reach.tolist(), strict=True)
        ),
        tuple(tested.tolist()),
        spread,
        spread**2 / (spread**2 + math.pi**2 / 3),
    )


def _exp(value: float) -> float:
    return math.exp(min(value, 700.0))


@dataclass(frozen=True, slots=True)
class _Likelihood:
    """Minus the log-likelihood, and each problem's score, of b and log s."""

    right: FloatArray
    columns: FloatArray
    problem: IntArray
    clusters: int

    def _by_problem(self, values: FloatArray) -> FloatArray:
        """Sums over the attempts of each problem."""
        return np.bincount(self.problem, values, self.clusters).astype(np.float64)

    def _parts(self, values: FloatArray) -> tuple[FloatArray, FloatArray]:
        """Log-likelihood of each problem, shape (problems,), and its scores (problems, values)."""
        nodes, weights = np.polynomial.hermite_e.hermegauss(_NODES)
        spread = math.exp(min(float(values[-1]), 5.0))
        fixed = self.columns @ values[:-1]
        sign = 2 * self.right - 1
        logs = np.empty((self.clusters, _NODES))
        residuals = np.empty((len(fixed), _NODES))
        for q, node in enumerate(nodes):
            at = fixed + spread * node
            each = -np.logaddexp(0, -sign * at)
            logs[:, q] = self._by_problem(each)
            residuals[:, q] = self.right - special.expit(at)
        logs += np.log(weights / weights.sum())
        total: FloatArray = np.logaddexp.reduce(logs, axis=1)
        posterior = np.exp(logs - total[:, np.newaxis])
        mean = (posterior[self.problem] * residuals).sum(axis=1)
        scores: FloatArray = np.stack(
            [self._by_problem(column * mean) for column in self.columns.T]
            + [
                self._by_problem((posterior[self.problem] * residuals * nodes).sum(axis=1) * spread)
            ],
            axis=1,
        )
        return total, scores

    def loss(self, values: FloatArray) -> tuple[float, FloatArray]:
        """What is minimised, and its gradient."""
        total, scores = self._parts(values)
        return -float(total.sum()), -scores.sum(axis=0)

    def scores(self, values: FloatArray) -> FloatArray:
        """Each problem's score, shape (problems, values)."""
        return self._parts(values)[1]


def _jacobian(model: _Likelihood, values: FloatArray) -> FloatArray:
    """The matrix of second derivatives of the loss, by central differences of its gradient."""
    step = 1e-4
    rows = []
    for index in range(len(values)):
        moved = np.zeros(len(values))
        moved[index] = step
        ahead, behind = (model.loss(values + sign * moved)[1] for sign in (1, -1))
        rows.append((ahead - behind) / (2 * step))
    hessian = np.array(rows)
    return np.asarray((hessian + hessian.T) / 2)
