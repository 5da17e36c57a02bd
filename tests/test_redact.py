"""Secrets are found in a text however they are spelt, and in a command by what its words mean."""

import base64
import html
import json
import string
from collections.abc import Callable
from typing import Any
from urllib.parse import quote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from feedback_friction.redact import (
    HIDDEN,
    SHORTEST,
    Secrets,
    cleaned,
    environment_secrets,
    names_secret,
    secret_in,
    without_secrets,
)

KEY = "sk-secret-0123456789/aB+x="
NOTHING = Secrets(())

SPELT: dict[str, Callable[[str], str]] = {
    "as it is": str,
    "JSON, every character": lambda key: "".join(f"\\u{ord(c):04x}" for c in key),
    "JSON, one character": lambda key: key.replace("s", "\\u0073", 1),
    "JSON in JSON": lambda key: json.dumps(key.replace("s", "\\u0073", 1)),
    "JSON in JSON in JSON": lambda key: json.dumps(json.dumps(key.replace("s", "\\u0073", 1))),
    "JavaScript": lambda key: "".join(f"\\u{{{ord(c):x}}}" for c in key),
    "C": lambda key: "".join(f"\\x{ord(c):02x}" for c in key),
    "solidus": lambda key: key.replace("/", "\\/"),
    "percent": lambda key: "".join(f"%{ord(c):02X}" for c in key),
    "percent, where it must be": lambda key: quote(key, safe=""),
    "percent twice": lambda key: quote(quote(key, safe=""), safe=""),
    "HTML decimal": lambda key: "".join(f"&#{ord(c)};" for c in key),
    "HTML hexadecimal": lambda key: "".join(f"&#x{ord(c):x};" for c in key),
    "HTML": html.escape,
    "hexadecimal": lambda key: key.encode().hex(),
    "base64": lambda key: base64.b64encode(key.encode()).decode(),
    "base64 after one byte": lambda key: base64.b64encode(b":" + key.encode()).decode(),
    "base64 after two bytes": lambda key: base64.b64encode(b"u:" + key.encode() + b"\n").decode(),
    "base64 for URLs": lambda key: base64.urlsafe_b64encode(b"u:" + key.encode()).decode(),
    "its beginning": lambda key: key[:12],
    "its end": lambda key: key[-12:],
    "its middle": lambda key: key[6:-6],
}


@pytest.mark.parametrize("how", SPELT)
def test_a_key_is_hidden_however_it_is_spelt(how: str) -> None:
    spelt = SPELT[how](KEY)
    shown = Secrets([KEY]).hide(f"Incorrect key ({spelt}), see the manual")
    assert shown.startswith("Incorrect key (")
    assert shown.endswith("), see the manual")
    assert HIDDEN in shown
    left = shown.removeprefix("Incorrect key (").removesuffix("), see the manual")
    # In base64 the characters at the ends belong to the neighbours as well: two stay at most.
    assert len(left.replace(HIDDEN, "")) <= 8
    assert spelt not in shown


@pytest.mark.parametrize("short", ["x", "EMPTY", "1234567"])
def test_what_is_too_short_to_be_a_key_hides_nothing(short: str) -> None:
    text = f"the context of {short} tokens is exceeded"
    assert Secrets([short]).hide(text) == text


def test_words_that_a_key_is_made_of_are_left_alone() -> None:
    secrets = Secrets(["anything-goes-on-this-server"])
    text = "It is necessary that anything goes; this server, on the whole, goes-on."
    assert secrets.hide(text) == text
    assert secrets.hide("key: anything-goes-on-this-server.") == "key: ***."


def test_every_one_of_several_keys_is_hidden_wherever_it_stands() -> None:
    secrets = Secrets(["first-key-1"]) | Secrets(["second-key-2"])
    assert secrets.hide("first-key-1second-key-2, first-key-1") == "******, ***"
    assert "key" not in repr(secrets)


TEXT = st.text(string.ascii_letters + string.digits + " \\%&;u/=+-_.", max_size=60)
KEYS = st.text(string.ascii_letters + string.digits + "-_./+=", min_size=SHORTEST, max_size=80)


@given(TEXT, KEYS, TEXT)
def test_no_key_survives_in_any_text(before: str, key: str, after: str) -> None:
    secrets = Secrets([key])
    shown = secrets.hide(before + key + after)
    assert key not in shown
    assert HIDDEN in shown
    assert secrets.hide(shown) == shown


@given(TEXT, KEYS)
def test_a_text_without_a_piece_of_the_key_is_left_as_it_is(text: str, key: str) -> None:
    pieces = {key[at : at + SHORTEST] for at in range(len(key))}
    spelt = [base64.b64encode(bytes(n) + key.encode()).decode()[n:-4] for n in range(3)]
    pieces |= {form[at : at + SHORTEST] for form in [*spelt, key.encode().hex()] for at in (0, 4)}
    if "%" in text or "\\" in text or "&" in text or any(piece in text for piece in pieces):
        return
    assert Secrets([key]).hide(text) == text


def test_hiding_takes_steps_in_proportion_to_the_text() -> None:
    """A server that repeats a piece of the key without end must not buy time with it."""

    class Counted(str):
        looks = 0

        def find(self, *args: Any) -> int:
            Counted.looks += 1
            return super().find(*args)

    secrets = Secrets(["abcde" * 8])

    def looks(n: int) -> int:
        Counted.looks = 0
        list(secrets._found(Counted("abcdX" * n)))
        list(secrets._found(Counted("abcde" * n)))
        return Counted.looks

    assert looks(2000) <= 2.1 * looks(1000)


def test_keys_of_the_environment_are_known_by_their_names() -> None:
    environ = {
        "FRICTION_API_KEY": "friction-key-1",
        "HF_TOKEN": "hugging-face-2",
        "AWS_SECRET_ACCESS_KEY": "amazon-three-3",
        "SORT_KEY": "accuracy",
        "HOME": "/home/someone",
    }
    shown = environment_secrets(environ).hide(" ".join(environ.values()))
    assert shown == "*** *** *** accuracy /home/someone"


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        ("http://user:secret@host:8000/v1?key=secret#x", "http://host:8000/v1"),
        ("http://user@host/v1", "http://host/v1"),
        ("http://us%40er:p%2Fw@host/v1", "http://host/v1"),
        ("http://user:p@ss@host/v1", "http://host/v1"),
        ("http://user:pass@[::1", "http://[::1"),
        ("http://host/v1", "http://host/v1"),
        ("openai/name", "openai/name"),
    ],
)
def test_a_url_is_written_down_without_its_secrets(url: str, shown: str) -> None:
    assert without_secrets(url) == shown


@pytest.mark.parametrize(
    ("word", "written"),
    [
        ("--base-url=http://u:p4ssword@h:1/v1", "--base-url=http://h:1/v1"),
        ("http://u:p4ssword@h:1/v1", "http://h:1/v1"),
        ("--feedback-base-url=https://h/v1?key=p4ssword", "--feedback-base-url=https://h/v1"),
        ("api_key=p4ssword", "api_key=***"),
        ("--api-key=p4ssword", "--api-key=***"),
        ("proxy=http://u:p4ssword@h:1", "proxy=http://h:1"),
        ('extra_headers={"Authorization":"p4ssword"}', 'extra_headers={"Authorization":"***"}'),
        ('extra_headers={"X-A":"Bearer p4ssword"}', 'extra_headers={"X-A":"***"}'),
        ('a={"b":[{"url":"http://u:p4ssword@h"}]}', 'a={"b":[{"url":"http://h"}]}'),
        ("--x=known-value-1", "--x=***"),
        ("--limit=10", "--limit=10"),
        ("openai/org/name:free", "openai/org/name:free"),
        ("top_k=20", "top_k=20"),
        ('stop=["a","b"]', 'stop=["a","b"]'),
        ("question={x", "question={x"),
    ],
)
def test_a_command_is_written_down_without_its_secrets(word: str, written: str) -> None:
    assert cleaned([word], Secrets(["known-value-1"])) == [written]


@pytest.mark.parametrize(
    "name",
    [
        "api_key",
        "apiKey",
        "API-KEY",
        "X-Api-Key",
        "x-goog-api-key",
        "Ocp-Apim-Subscription-Key",
        "Authorization",
        "Proxy-Authorization",
        "auth",
        "Cookie",
        "key",
        "token",
        "hf_token",
        "accessToken",
        "client_secret",
        "password",
    ],
)
def test_names_of_credentials_are_recognised(name: str) -> None:
    assert names_secret(name)
    assert secret_in("o", {"a": [{name: "v"}]}, NOTHING) == f"o.a.{name}"


@pytest.mark.parametrize(
    "name",
    [
        "prompt_cache_key",
        "thinking_token_budget",
        "stop_token_ids",
        "eos_token",
        "max_tokens",
        "tokenizer",
        "author",
        "X-Title",
        "HTTP-Referer",
        "logit_bias",
        "session_id",
        "",
    ],
)
def test_other_names_are_not(name: str) -> None:
    assert not names_secret(name)
    assert secret_in("o", {name: "v", "n": 1, "none": None}, NOTHING) is None


@pytest.mark.parametrize("value", ["Bearer abc", "Basic dTpw", "http://u:p@h/v1", "known-value-1"])
def test_a_value_that_is_a_credential_is_found_under_any_name(value: str) -> None:
    assert secret_in("a", {"b": [value]}, Secrets(["known-value-1"])) == "a.b"
