"""Six raw error categories folded into three."""

from __future__ import annotations

import pytest

from feedback_friction.labels import Category, RawCategory, fold


@pytest.mark.parametrize(
    ("raw", "folded"),
    [
        ("feedback not followed", "resistance"),
        ("feedback wrong", "quality"),
        ("impossible", "other"),
        ("too complicated", "other"),
        ("style or format", "other"),
        ("unknown", "other"),
    ],
)
def test_each_raw_category_has_its_fold(raw: str, folded: str) -> None:
    assert fold(RawCategory(raw)) is Category(folded)


def test_no_raw_category_is_without_a_fold() -> None:
    assert {fold(raw) for raw in RawCategory} == set(Category)
    assert len(RawCategory) == 6
