"""How alike two workings are."""

from __future__ import annotations

import re

import numpy as np

_WORDS = re.compile(r"\w+|[^\w\s]")
MOST_WORDS = 1_000  # of each text; more would take seconds a pair


def edit_distance(one: str, other: str) -> float:
    """Words and signs to insert, delete or replace, as a share of the longer text; 0 if alike.

    Levenshtein's distance over words, of at most 1,000 of each text, row by row: what insertions
    add along a row is a running minimum. 0 for two empty texts.

    Source: Wagner and Fischer (1974), Journal of the ACM 21:168-173.
    """
    first, second = (_WORDS.findall(text)[:MOST_WORDS] for text in (one, other))
    if first == second:
        return 0.0
    codes = {word: code for code, word in enumerate(dict.fromkeys([*first, *second]))}
    row_words = np.array([codes[word] for word in second], dtype=np.int64)
    places = np.arange(len(second) + 1)
    row = places.copy()
    for number, word in enumerate(first, 1):
        changed = row[:-1] + (row_words != codes[word])
        best = np.concatenate(([number], np.minimum(changed, row[1:] + 1)))
        row = np.minimum.accumulate(best - places) + places
    return float(row[-1]) / max(len(first), len(second))
