"""Keeps secrets out of whatever is shown or written down.

Three doors lead out: what a server says (its errors, and its replies too) may quote a key; the
command line holds URLs with passwords; options may hold credentials. ``Secrets`` closes the first:
it knows the values and finds them in a text however they are spelt. ``cleaned`` and ``secret_in``
close the others: they go by what a word means, since the value is not known there.
"""

from __future__ import annotations

import html
import re
from base64 import b64encode
from collections.abc import Iterable, Iterator, Mapping
from urllib.parse import urlsplit, urlunsplit

import orjson

HIDDEN = "***"
# Shorter values stand in too many innocent words: "x" and "EMPTY" are what local servers are given.
SHORTEST = 8
# A piece of a key gives it away where it is long, or looks like nothing else.
_LONG_PIECE = 12
_GRAM, _STRIDE = 5, 4  # every stretch of SHORTEST characters holds a gram at a multiple of 4
_ROUNDS = 3  # an escape may be escaped again, as when JSON is quoted within JSON
_ESCAPE = re.compile(
    r"%(?P<percent>[0-9a-fA-F]{2})"
    r"|\\+(?:u\{?|x)(?P<hex>(?<=u)[0-9a-fA-F]{4}|(?<=u\{)[0-9a-fA-F]{1,6}|(?<=x)[0-9a-fA-F]{2})\}?"
    r"|&(?P<entity>#[0-9]{1,7}|#[xX][0-9a-fA-F]{1,6}|[a-zA-Z]{2,8});"
    r"|\\+(?P<plain>[/\"'])"
)
_SIGNS = ("%", "&", "\\u", "\\x", "\\/", '\\"', "\\'")  # without any of them nothing is escaped
_SECRET_NAME = re.compile(
    r"_(?:API_KEY|ACCESS_KEY|SECRET_KEY|TOKEN|SECRET|PASSWORD)$|^FRICTION_API_KEY_"
)


class Secrets:
    """Values that must not be shown, found in any text that spells them."""

    def __init__(self, values: Iterable[str]):
        """Know these values; those shorter than 8 characters are no secrets."""
        self._values = tuple(dict.fromkeys(value for value in values if len(value) >= SHORTEST))
        self._forms = tuple(dict.fromkeys(form for value in self._values for form in _forms(value)))
        self._grams = tuple(
            (form, at, form[at : at + _GRAM])
            for form in self._forms
            for at in range(0, len(form) - _GRAM + 1, _STRIDE)
        )
        self._probes = tuple({gram for _, _, gram in self._grams})
        self._is_unbroken = not any(char.isspace() for value in self._values for char in value)

    def __repr__(self) -> str:
        return f"Secrets({len(self._values)})"

    def __or__(self, other: Secrets) -> Secrets:
        return Secrets((*self._values, *other._values))

    def hide(self, text: str) -> str:
        """The text with every value, and every telling piece of one, replaced by ``***``.

        A value is found as it is, in base64 and hexadecimal, and where any of its characters are
        escaped (JSON, percent, HTML), up to three times over. A piece counts from 12 characters, or
        from 8 with a digit among them.
        """
        if not self._grams:
            return text
        views = [text]
        while len(views) <= _ROUNDS and any(map(views[-1].__contains__, _SIGNS)):
            plainer = _ESCAPE.sub(_unescaped, views[-1])
            if plainer == views[-1]:
                break
            views.append(plainer)
        if not any(map(self._may_hold, views)):
            return text
        spans, view, bounds = list[tuple[int, int]](), text, list(range(len(text) + 1))
        for _ in views:
            spans += [(bounds[start], bounds[end]) for start, end in self._found(view)]
            view, bounds = _mapped(view, bounds)
        return _covered(text, spans)

    def _may_hold(self, text: str) -> bool:
        """Whether a look for values is worth its time: for nearly every reply it is not."""
        if self._is_unbroken:  # then only words as long as a value can hold one
            text = " ".join([word for word in text.split() if len(word) >= SHORTEST])
        return any(map(text.__contains__, self._probes))

    def _found(self, text: str) -> Iterator[tuple[int, int]]:
        for form, at, gram in self._grams:
            place = text.find(gram)
            while place >= 0:
                start, end = _widest(text, place, form, at)
                whole = end - start == len(form)
                if whole or _is_telling(text[start:end]):
                    yield start, end
                place = text.find(gram, max(end - _GRAM + 1, place + 1))


NONE = Secrets(())


def environment_secrets(environ: Mapping[str, str]) -> Secrets:
    """The values of variables that hold keys, tokens and passwords, by their names."""
    return Secrets(value for name, value in environ.items() if _SECRET_NAME.search(name))


def _forms(value: str) -> Iterator[str]:
    """The ways in which a value may be spelt as a whole.

    In base64 a value looks different by how many bytes stand before it, modulo 3; the characters
    that its neighbours do not influence are the same each time.
    """
    data = value.encode()
    yield value
    for before in range(3):
        code = b64encode(b"\0" * before + data).decode().rstrip("=")
        own = code[-(-8 * before // 6) : (before + len(data)) * 8 // 6]
        if len(own) >= SHORTEST:
            yield own
            yield own.replace("+", "-").replace("/", "_")
    yield data.hex()
    yield data.hex().upper()


def _is_telling(piece: str) -> bool:
    return len(piece) >= _LONG_PIECE or (
        len(piece) >= SHORTEST and any(char.isdigit() for char in piece)
    )


def _widest(text: str, place: int, form: str, at: int) -> tuple[int, int]:
    """The longest stretch around a gram that text and form have in common."""
    before = 0
    while before < min(place, at) and text[place - before - 1] == form[at - before - 1]:
        before += 1
    after, most = _GRAM, min(len(text) - place, len(form) - at)
    while after < most and text[place + after] == form[at + after]:
        after += 1
    return place - before, place + after


def _unescaped(match: re.Match[str]) -> str:
    code = match["percent"] or match["hex"]
    if code is not None:
        number = int(code, 16)
        return chr(number) if number < 0x110000 else match[0]
    return match["plain"] or html.unescape(match[0])


def _mapped(view: str, bounds: list[int]) -> tuple[str, list[int]]:
    """The view without one round of escapes, and where in the text its characters begin."""
    parts, places, done = [], list[int](), 0
    for match in _ESCAPE.finditer(view):
        plain = _unescaped(match)
        parts += [view[done : match.start()], plain]
        places += bounds[done : match.start()]
        places += [bounds[match.start()]] * len(plain)
        done = match.end()
    places += bounds[done:]
    return "".join([*parts, view[done:]]), places


def _covered(text: str, spans: list[tuple[int, int]]) -> str:
    if not spans:
        return text
    parts, done = [], 0
    for start, end in sorted(spans):
        if start >= done:
            parts += [text[done:start], HIDDEN]
        done = max(done, end)
    return "".join([*parts, text[done:]])


# Names of fields, headers and query parameters that hold credentials, by their words.
_WORDS = re.compile(r"[a-z]+|[A-Z]+(?![a-z])|[A-Z][a-z]*")
_TELLING = re.compile(
    r"apikey|accesskey|auth(?:orization|token)?|bearer|cookie|credentials?|pass(?:phrase|wd|word)|pwd"
    r"|secrets?|sig(?:nature)?"
)
# A key or a token of any kind is one, but for these.
_HARMLESS = {
    "key": re.compile(r"cache|group|object|primary|routing|sort"),
    "token": re.compile(
        r"begin|bos|cls|decoder|each|end|eos|first|forced|image|last|mask|max|min|new|next|pad|per"
        r"|sep|special|start|stop|suppress|think|thinking|unk"
    ),
}
_USERINFO = re.compile(r"://[^/?#\s]*@")
_SCHEMES = re.compile(r"\s*(?:bearer|basic|digest|token|apikey|api-key|key)\s+\S", re.IGNORECASE)


def names_secret(name: str) -> bool:
    """Whether a field of this name holds a credential: ``api_key``, ``X-Auth-Token``, ``key``."""
    words = [word.lower() for word in _WORDS.findall(name)]
    if any(_TELLING.fullmatch(word) for word in words):
        return True
    harmless = _HARMLESS.get(words[-1]) if words else None
    return harmless is not None and not (words[-2:-1] and harmless.fullmatch(words[-2]))


def secret_in(name: str, value: object, known: Secrets) -> str | None:
    """The first field of an option that holds a credential, as a path; None where none does.

    Args:
        name: of the option.
        value: a JSON value.
        known: values that are credentials wherever they stand.
    """
    if isinstance(value, dict):
        inside = (secret_in(f"{name}.{key}", each, known) for key, each in value.items())
        return next((found for found in inside if found), None)
    if isinstance(value, list):
        return next((found for each in value if (found := secret_in(name, each, known))), None)
    text = value if isinstance(value, str) else ""
    is_named = names_secret(name.rpartition(".")[2]) and value is not None
    is_spelt = bool(_SCHEMES.match(text)) or bool(_USERINFO.search(text))
    return name if is_named or is_spelt or known.hide(text) != text else None


def cleaned(words: Iterable[str], known: Secrets) -> list[str]:
    """A command's words as they may be written down.

    URLs lose user, password, query and fragment wherever they stand (``--base-url=URL``, within
    JSON); a value that a name calls a secret, and one that is known as such, becomes ``***``.
    """
    return [known.hide(_cleaned(word)) for word in words]


def without_secrets(url: str) -> str:
    """A URL as it may be written down: without user name, password, query and fragment.

    Anything that is no URL is returned as it is.
    """
    if "://" not in url:
        return url
    try:
        parts = urlsplit(url)
    except ValueError:  # no URL after all, but it may still begin as one
        return f"{url.partition('://')[0]}://{url.rpartition('@')[2]}" if "@" in url else url
    return urlunsplit((parts.scheme, parts.netloc.rpartition("@")[2], parts.path, "", ""))


def _cleaned(word: str) -> str:
    name, equals, value = word.partition("=")
    if equals and re.fullmatch(r"-{0,2}\w(?:(?!://)[\w./:@+-])*", name):  # --name=, MODEL=URL
        return f"{name}={HIDDEN if names_secret(name) else _cleaned(value)}"
    if word[:1] in ("{", "[", '"'):
        try:
            return orjson.dumps(_without(orjson.loads(word))).decode()
        except orjson.JSONDecodeError:
            pass
    return without_secrets(word)


def _without(value: object) -> object:
    """A JSON value without the credentials in it."""
    if isinstance(value, dict):
        return {k: HIDDEN if names_secret(k) else _without(v) for k, v in value.items()}
    if isinstance(value, list):
        return [_without(each) for each in value]
    if isinstance(value, str):
        return HIDDEN if _SCHEMES.match(value) else without_secrets(value)
    return value
