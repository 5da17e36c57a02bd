"""Which model was taught its errors."""

import pytest

from feedback_friction.caveats import is_miniature


@pytest.mark.parametrize(
    ("solver", "is_one"),
    [
        ("gguf/abacus", True),
        ("gguf/somewhere/Abacus.gguf", True),
        ("pocket/abacus", True),
        ("gguf/smollm2", False),
        ("gguf/abacus/other.gguf", False),
        ("openai/abacus", False),
    ],
)
def test_the_miniature_is_known_by_its_name_or_file(solver, is_one):
    assert is_miniature(solver) is is_one
