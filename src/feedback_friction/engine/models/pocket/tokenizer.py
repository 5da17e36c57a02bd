"""Text to token ids and back, and messages through the chat template, without prompt injection.

A ``WordLevel`` vocabulary whose pre-tokenizer splits by a regular expression: sentences that are
one token each, then any single character. What a message says is never read for special tokens: the
template is rendered with a mark in each message's place, so that only the template's own text can
open or end a turn. "<|end|>" within a message is spelled in characters.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from itertools import groupby
from pathlib import Path
from typing import TYPE_CHECKING, Any

from feedback_friction.engine.models.pocket.folder import (
    TEMPLATE,
    TOKENIZER,
    TOKENIZER_CONFIG,
    read_json,
)
from feedback_friction.errors import UsageError
from feedback_friction.protocol.records import Message

if TYPE_CHECKING:
    from jinja2 import Template

_ANY = r"[\s\S]"
_MARK = re.compile("\ue000(\\d+)\ue001")  # private use: means nothing in any text
_PLAIN_FLAGS = ("single_word", "lstrip", "rstrip", "normalized")


class TemplateError(Exception):
    """The chat template refuses these messages; one line."""


class Tokenizer:
    """The tokenizer of a model folder.

    Attributes:
        size: one more than the largest id.
    """

    def __init__(self, folder: Path) -> None:
        """Read ``tokenizer.json`` and the chat template.

        Raises:
            UsageError: they cannot be read, or ask for what is not supported.
        """
        path = folder / TOKENIZER
        content = read_json(path)
        try:
            _check(content)
            model = content["model"]
            vocabulary: dict[str, int] = dict(model["vocab"])
            self._unknown = vocabulary[model["unk_token"]]
            pattern = content["pre_tokenizer"]["pattern"]["Regex"]
            special = {each["content"]: int(each["id"]) for each in content["added_tokens"]}
            self._hidden = {each["id"] for each in content["added_tokens"] if each["special"]}
            _check_pattern(pattern)
            self._split = re.compile(pattern)
        except (KeyError, TypeError, ValueError, re.error) as error:
            raise UsageError(f"{path} is not supported: {error}") from error
        self._special = special
        # what a message says can never look one of those up, not even by its name
        self._ids = {text: number for text, number in vocabulary.items() if text not in special}
        self._find_special = re.compile(
            f"({'|'.join(map(re.escape, sorted(special, key=len, reverse=True)))})"
        )
        self._texts = {number: text for text, number in (vocabulary | special).items()}
        self.size = max(self._texts) + 1
        self._template, self._names = _template(folder)
        self._check_template(folder / TEMPLATE)

    def encode(self, text: str) -> list[int]:
        """Ids of a text; special tokens are not recognised, unknown characters are one id."""
        ids, unknown = self._ids, self._unknown
        return [ids.get(piece, unknown) for piece in self._split.findall(text)]

    def decode(self, ids: Iterable[int]) -> str:
        """The text of some ids, without special tokens."""
        return "".join(self._texts.get(each, "") for each in ids if each not in self._hidden)

    def prompt(self, messages: Sequence[Message]) -> list[int]:
        """Ids of a chat, up to where the reply begins.

        Raises:
            TemplateError: the chat template refuses it, or changes what they say.
        """
        marked = [Message(each.role, f"\ue000{at}\ue001") for at, each in enumerate(messages)]
        rendered = self._render(marked)
        filled = _MARK.sub(lambda mark: messages[int(mark[1])].content, rendered)
        if filled != self._render(messages):
            raise TemplateError("the chat template changes what messages say")
        pieces: list[tuple[bool, str]] = []
        for at, piece in enumerate(_MARK.split(rendered)):
            if at % 2:
                pieces.append((False, messages[int(piece)].content))
            else:
                parts = self._find_special.split(piece) if self._special else [piece]
                pieces += [(bool(number % 2), part) for number, part in enumerate(parts)]
        ids: list[int] = []
        for is_special, group in groupby(pieces, key=lambda each: each[0]):
            texts = [text for _, text in group]
            # text of the template and of messages that meet are one text, as for a server
            ids += (
                [self._special[text] for text in texts]
                if is_special
                else self.encode("".join(texts))
            )
        return ids

    def _render(self, messages: Sequence[Message]) -> str:
        shown = [{"role": each.role, "content": each.content} for each in messages]
        try:
            return self._template.render(
                messages=shown, add_generation_prompt=True, raise_exception=_refuse, **self._names
            )
        except Exception as error:  # whatever a template's expressions come to
            raise TemplateError(" ".join(f"the chat template fails: {error}".split())) from error

    def _check_template(self, path: Path) -> None:
        """Refuse a template that changes what messages say before anything is asked."""
        said = '  <b>\n"It\'s" {{ 1 }}\t\n '
        try:
            self.prompt([Message(role, said) for role in ("user", "assistant", "user")])
        except TemplateError as error:
            raise UsageError(f"{path}: {error}") from error


def _check_pattern(pattern: str) -> None:
    """Raises ``ValueError`` unless it is escaped texts and at last any single character.

    Python and the tokenizers library read such a pattern alike; others they may not.
    """
    *fixed, last = re.findall(r"(?:\\[\s\S]|[^\\|])+", pattern)
    texts = [re.sub(r"\\([\s\S])", r"\1", each) for each in fixed]
    if last != _ANY or "|".join([*map(re.escape, texts), _ANY]) != pattern:
        raise ValueError(f"the pattern of the pre-tokenizer is not escaped texts and then {_ANY}")


def _check(content: Mapping[str, Any]) -> None:
    """Raises ``ValueError`` for a tokenizer of another kind."""
    split, decoder = content["pre_tokenizer"] or {}, content["decoder"] or {}
    wanted = (
        ("model.type", content["model"]["type"], "WordLevel"),
        ("normalizer", content["normalizer"], None),
        ("pre_tokenizer.type", split.get("type"), "Split"),
        ("pre_tokenizer.behavior", str(split.get("behavior")).lower(), "isolated"),
        ("pre_tokenizer.invert", split.get("invert", False), False),
        ("decoder.type", decoder.get("type"), "Fuse"),
    )
    for name, value, right in wanted:
        if value != right:
            raise ValueError(f"{name} is {value!r}, not {right!r}")
    for token in content["added_tokens"]:
        for flag in _PLAIN_FLAGS:
            if token.get(flag):
                raise ValueError(f"the added token {token['content']!r} has {flag}")


def _template(folder: Path) -> tuple[Template, dict[str, str]]:
    """The chat template, and the tokens' names that it may use; compiled as transformers does."""
    from jinja2 import TemplateSyntaxError
    from jinja2.sandbox import ImmutableSandboxedEnvironment

    path, settings = folder / TEMPLATE, read_json(folder / TOKENIZER_CONFIG, optional=True)
    text = settings.get("chat_template")
    try:
        if path.exists():
            text = path.read_text("utf-8")
        if not isinstance(text, str):
            raise UsageError(f"{folder} has no chat template: {TEMPLATE} is missing")
        environment = ImmutableSandboxedEnvironment(
            trim_blocks=True, lstrip_blocks=True, extensions=["jinja2.ext.loopcontrols"]
        )
        template = environment.from_string(text)
    except (OSError, ValueError, TemplateSyntaxError) as error:
        raise UsageError(f"cannot read the chat template of {folder}: {error}") from error
    names = {
        name: value if isinstance(value, str) else str(value.get("content", ""))
        for name, value in settings.items()
        if name.endswith("_token") and isinstance(value, str | dict)
    }
    return template, names


def _refuse(message: str) -> None:
    from jinja2 import TemplateError as JinjaError

    raise JinjaError(message)
