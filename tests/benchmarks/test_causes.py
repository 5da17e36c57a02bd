"""The benchmark of causes knows the truth that it plants, and its intervals hold it."""

import pytest

from benchmarks.causes import covered, curves, designs, drags, sensitivities


def test_designs_have_names_of_their_own():
    names = [name for name, _, _ in designs()]
    assert len({*names}) == len(names)


@pytest.mark.parametrize(
    ("draw", "runs"),
    [
        (lambda rng: sensitivities(0.8, 0.3, 40, rng), 200),
        (lambda rng: drags(0.8, 0.4, 60, rng), 100),
        (lambda rng: curves(0.1, 0.7, 60, rng), 12),
    ],
)
def test_intervals_hold_what_was_planted_without_a_bias(draw, runs):
    for what, (share, bias) in covered(("small", draw, runs)).items():
        assert share >= 0.7, what
        assert abs(bias) < 0.2, what
