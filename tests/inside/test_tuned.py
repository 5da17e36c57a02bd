"""The tuned lens: it finds an affine map that is there, and otherwise stays with the logit lens."""

from __future__ import annotations

import pytest

torch = pytest.importorskip("torch", reason="needs torch")
pytestmark = pytest.mark.heavy

from feedback_friction.inside import tuned  # noqa: E402


def drawn(*shape, seed=0):
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed))


@pytest.mark.parametrize("tokens", [20, 400])  # fewer than the width, and more
def test_an_affine_map_is_found_where_the_tokens_allow_it(tokens):
    width, turn = 40, drawn(40, 40, seed=1) / 40**0.5
    states = drawn(tokens, width) + 3
    last = states @ turn - 1
    fresh = drawn(50, width, seed=2) + 3
    missed = (tuned.fit(states, last, 1e-4)(fresh) - (fresh @ turn - 1)).square().mean()
    unmapped = (fresh - (fresh @ turn - 1)).square().mean()
    assert missed < unmapped * (0.9 if tokens < width else 0.01)


def test_a_strong_ridge_leaves_the_logit_lens_moved_by_the_mean():
    states, last = drawn(30, 8), drawn(30, 8, seed=1)
    found = tuned.fit(states, last, 1e9)(states)
    assert torch.allclose(found, states + (last - states).mean(0), atol=1e-4)


def test_the_ridge_is_strong_where_nothing_can_be_foreseen_and_weak_where_all_can():
    states, places = drawn(90, 30), torch.arange(90) // 10
    noise = states + drawn(90, 30, seed=1)
    exact = states @ drawn(30, 30, seed=2)
    assert tuned._ridge(states, noise, places) == max(tuned.RIDGES)
    assert tuned._ridge(states, exact, places) == min(tuned.RIDGES)
