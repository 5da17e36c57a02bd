"""Pooling over tasks: published examples, and coverage with few tasks."""

from __future__ import annotations

import math

import numpy as np
import pytest

from feedback_friction.analysis.stats.pooling import pooled

# The 13 trials of BCG vaccine: log relative risks and their variances, as metafor's dat.bcg gives
# them (Viechtbauer 2010, Journal of Statistical Software 36(3), section 3).
BCG = (
    (-0.8893, 0.3256), (-1.5854, 0.1946), (-1.3481, 0.4154), (-1.4416, 0.0200), (-0.2175, 0.0512),
    (-0.7861, 0.0069), (-1.6209, 0.2230), (0.0120, 0.0040), (-0.4694, 0.0564), (-1.3713, 0.0730),
    (-0.3394, 0.0124), (0.4459, 0.5325), (-0.0173, 0.0714),
)  # fmt: skip


def test_the_published_example_comes_out():
    found = pooled([y for y, _ in BCG], [math.sqrt(v) for _, v in BCG])
    assert found.mean.value == pytest.approx(-0.7145, abs=2e-4)
    assert found.spread**2 == pytest.approx(0.3132, abs=2e-4)
    assert found.inconsistency == pytest.approx(0.9222, abs=2e-4)
    assert found.mean.low == pytest.approx(-1.1082, abs=1e-3)  # metafor, test = "knha"
    assert found.mean.high == pytest.approx(-0.3208, abs=1e-3)
    assert found.mean.n == 13


def test_tasks_that_agree_by_chance_do_not_narrow_the_interval():
    found = pooled([0.10, 0.10], [0.05, 0.05])
    assert found.spread == 0
    error = 0.05 / math.sqrt(2)
    assert found.mean.high - found.mean.value == pytest.approx(12.7062 * error, rel=1e-4)


def test_one_task_is_nothing_to_pool():
    assert pooled([0.1], [0.05]) is None
    assert pooled([0.1, 0.2, math.nan], [0.05, 0.0, 0.1]) is None


def test_limits_hold_the_mean_with_few_tasks():
    rng, held, runs = np.random.default_rng(0), 0, 400
    for _ in range(runs):
        errors = rng.uniform(0.02, 0.08, 4)
        values = rng.normal(0.1, np.hypot(errors, 0.05))
        held += pooled(values.tolist(), errors.tolist()).mean.interval.contains(0.1)
    assert 0.92 <= held / runs <= 0.99
