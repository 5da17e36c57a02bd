"""The tokenizer: characters for whatever varies, one token for each sentence that never does.

Numbers, signs and unknown text are spelled in characters. The fixed sentences of the protocol's
prompts and of the tutor are found by counting, and are one token each: a prompt of 900 characters
is some 150 tokens, which is what makes a model of this size, and a demo on two cores, possible.
"""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

from training.dialogues import Example, examples

ROLES = ("system", "user", "assistant")
END, PAD, UNKNOWN = "<|end|>", "<|pad|>", "<|unknown|>"
SPECIAL = (PAD, UNKNOWN, *(f"<|{role}|>" for role in ROLES), END)
CHARACTERS = (*map(chr, range(32, 127)), "\n", "×", "…", "−", "–", "’")
TEMPLATE = (
    "{% for message in messages %}<|{{ message['role'] }}|>{{ message['content'] }}"
    "{% if message['role'] == 'assistant' %}<|end|>{% endif %}{% endfor %}"
    "{% if add_generation_prompt %}<|assistant|>{% endif %}"
)
_SAMPLE, _OFTEN, _SHORTEST = 20_000, 40, 2
_PIECES = re.compile(r"\d+|\n+|(?:(?![.:?!](?:\s|$)|\d|\n)[\s\S])+[.:?!]?")


def sentences(sample: Iterable[Example]) -> list[str]:
    """What is said again and again in the examples, longest first; never a digit in it."""
    counts: Counter[str] = Counter()
    for example in sample:
        texts = {message.content for message in example.messages} | {example.reply}
        for text in texts:
            counts.update(piece for piece in _PIECES.findall(text) if not piece[0].isdecimal())
    often = [each for each, n in counts.items() if n >= _OFTEN and len(each) >= _SHORTEST]
    return sorted(often, key=lambda each: (-len(each), each))


@dataclass(frozen=True, slots=True)
class Encoded:
    """A dialogue in tokens.

    Attributes:
        ids: of the prompt and the reply, with its end.
        learnt: which of them the model learns to foretell.
        prompt: how many of them are the prompt.
    """

    ids: list[int]
    learnt: list[bool]
    prompt: int


class Vocabulary:
    """Token ids of texts and dialogues.

    Attributes:
        tokens: the tokens by id.
    """

    def __init__(self, fixed: Sequence[str]) -> None:
        self.fixed = tuple(fixed)
        self.tokens = (*SPECIAL, *CHARACTERS, *self.fixed)
        self.pattern = "|".join([*map(re.escape, self.fixed), r"[\s\S]"])
        self._ids = {token: number for number, token in enumerate(self.tokens)}
        self._split = re.compile(self.pattern)

    @classmethod
    def counted(cls) -> Vocabulary:
        """The vocabulary of the dialogues; the same each time."""
        return cls(sentences(islice(examples(0, frozenset()), _SAMPLE)))

    def __len__(self) -> int:
        return len(self.tokens)

    def encode(self, text: str) -> list[int]:
        """Ids of a text, in which no special token can occur."""
        unknown = self._ids[UNKNOWN]
        return [self._ids.get(piece, unknown) for piece in self._split.findall(text)]

    def example(self, example: Example) -> Encoded:
        """Ids of a dialogue with its reply and end, and what of it is to be learnt."""
        ids: list[int] = []
        learnt: list[bool] = []
        hidden = list(example.hidden)
        for message in example.messages:
            pieces = self.encode(message.content)
            ids += [self._ids[f"<|{message.role}|>"], *pieces]
            learnt += [False, *self._learnt(message.content, pieces, hidden)]
            if message.role == "assistant":
                ids.append(self._ids[END])
                learnt.append(False)
        ids.append(self._ids["<|assistant|>"])
        reply = [*self.encode(example.reply), self._ids[END]]
        learnt += [False, *(True for _ in reply)]
        return Encoded([*ids, *reply], learnt, len(ids))

    def _learnt(self, text: str, ids: Sequence[int], hidden: list[str]) -> Iterator[bool]:
        """For each token of a text whether it lies outside of what is hidden in it.

        Args:
            hidden: what is hidden where it occurs first; what occurs is taken out.
        """
        covered = [False] * len(text)
        for each in [each for each in hidden if each in text]:
            hidden.remove(each)
            begin = text.index(each)
            covered[begin : begin + len(each)] = [True] * len(each)
        at = 0
        for number in ids:
            yield not covered[at]
            at += len(self.tokens[number]) if number != self._ids[UNKNOWN] else 1

    def id(self, token: str) -> int:
        """The id of one token."""
        return self._ids[token]

    def save(self, folder: Path) -> None:
        """``tokenizer.json``, ``tokenizer_config.json`` and ``chat_template.jinja``."""
        special = {
            "single_word": False,
            "lstrip": False,
            "rstrip": False,
            "normalized": False,
            "special": True,
        }
        tokenizer = {
            "version": "1.0",
            "truncation": None,
            "padding": None,
            "added_tokens": [
                {"id": self._ids[token], "content": token, **special} for token in SPECIAL
            ],
            "normalizer": None,
            "pre_tokenizer": {
                "type": "Split",
                "pattern": {"Regex": self.pattern},
                "behavior": "Isolated",
                "invert": False,
            },
            "post_processor": None,
            "decoder": {"type": "Fuse"},
            "model": {"type": "WordLevel", "vocab": self._ids, "unk_token": UNKNOWN},
        }
        settings = {
            "tokenizer_class": "PreTrainedTokenizerFast",
            "eos_token": END,
            "pad_token": PAD,
            "unk_token": UNKNOWN,
            "clean_up_tokenization_spaces": False,
        }
        _write(folder / "tokenizer.json", tokenizer)
        _write(folder / "tokenizer_config.json", settings)
        (folder / "chat_template.jinja").write_text(TEMPLATE + "\n", "utf-8")


def _write(path: Path, content: object) -> None:
    path.write_text(json.dumps(content, ensure_ascii=False, indent=1) + "\n", "utf-8")
