"""Where calls go, and which key goes with them."""

import pytest

from feedback_friction.engine.models.remote.endpoint import endpoints, normal, refuse_stray_keys
from feedback_friction.errors import UsageError

KEY = "sk-secret-0123456789"


@pytest.mark.parametrize(
    ("given", "calls"),
    [
        ("http://localhost:8000", "http://localhost:8000/v1/chat/completions"),
        ("http://localhost:8000/", "http://localhost:8000/v1/chat/completions"),
        ("http://localhost:8000/v1", "http://localhost:8000/v1/chat/completions"),
        ("http://localhost:8000/v1/", "http://localhost:8000/v1/chat/completions"),
        (" http://localhost:8000/v1/\n", "http://localhost:8000/v1/chat/completions"),
        ("http://h:1/v1/chat/completions", "http://h:1/v1/chat/completions"),
        ("http://h:1/v1/completions", "http://h:1/v1/chat/completions"),
        ("http://h:1/v1/models/", "http://h:1/v1/chat/completions"),
        ("https://openrouter.ai/api/v1", "https://openrouter.ai/api/v1/chat/completions"),
        ("https://h/openai/deployments/d", "https://h/openai/deployments/d/chat/completions"),
        ("https://h/openai?api-version=2", "https://h/openai/chat/completions?api-version=2"),
        ("http://[::1]:8000", "http://[::1]:8000/v1/chat/completions"),
    ],
)
def test_a_base_url_is_taken_in_every_usual_form(given: str, calls: str) -> None:
    (endpoint,) = endpoints([given], {})
    assert str(endpoint.at("chat/completions")) == calls


@pytest.mark.parametrize(
    "given",
    [
        "",
        "localhost:8000",
        "8000",
        "ftp://h",
        "http://",
        "http://h:0",
        "http://h:99999",
        "http://[",
    ],
)
def test_what_is_no_base_url_is_refused_in_one_line(given: str) -> None:
    with pytest.raises(UsageError, match=r"is not of the form http://HOST:PORT") as refused:
        normal(given)
    assert "\n" not in str(refused.value)


def test_a_password_in_a_url_is_used_and_never_shown() -> None:
    (endpoint,) = endpoints(["http://me:pass-word@h:1/v1?key=secret"], {})
    assert endpoint.headers() == {"Authorization": "Basic bWU6cGFzcy13b3Jk"}
    assert endpoint.secrets.hide("me:pass-word bWU6cGFzcy13b3Jk") == "*** ***"
    assert endpoint.label == "http://h:1/v1"
    assert "pass-word" not in repr(endpoint)
    assert "secret" not in repr(endpoint)
    with pytest.raises(UsageError) as refused:
        normal("http://me:pass-word@h:0/v1")
    assert "pass-word" not in str(refused.value)


def test_the_same_server_given_twice_counts_once() -> None:
    found = endpoints(["http://a:1", "http://b:1/v1", "http://a:1/v1/"], {})
    assert [endpoint.label for endpoint in found] == ["http://a:1/v1", "http://b:1/v1"]


@pytest.mark.parametrize(
    ("base_urls", "environ", "role", "key"),
    [
        ([], {"OPENAI_API_KEY": KEY}, "solver", KEY),
        (["https://api.openai.com/v1"], {"OPENAI_API_KEY": KEY}, "solver", KEY),
        (["https://eu.api.openai.com/v1"], {"OPENAI_API_KEY": KEY}, "solver", KEY),
        ([], {"OPENAI_API_KEY": f"{KEY}\n", "FRICTION_API_KEY": "other"}, "solver", KEY),
        (["http://h:1"], {"OPENAI_API_KEY": KEY}, "solver", ""),
        (["https://api.openai.com.evil.org/v1"], {"OPENAI_API_KEY": KEY}, "solver", ""),
        (["http://api.openai.com/v1"], {"OPENAI_API_KEY": KEY}, "solver", ""),
        (["https://evilapi.openai.com/v1"], {"OPENAI_API_KEY": KEY}, "solver", ""),
        (["http://h:1"], {"FRICTION_API_KEY": KEY}, "solver", KEY),
        (["http://h:1"], {"FRICTION_API_KEY": ""}, "solver", ""),
        (["http://h:1"], {}, "solver", ""),
        (["http://h:1"], {"OPENAI_API_KEY": KEY, "FRICTION_API_KEY": ""}, "solver", ""),
        ([], {"FRICTION_API_KEY": KEY}, "solver", KEY),
        ([], {"OPENAI_API_KEY": "a", "FRICTION_FEEDBACK_API_KEY": KEY}, "feedback", KEY),
        (["http://localhost:1"], {"OPENAI_API_KEY": KEY}, "solver", KEY),
        (["http://127.0.0.1:1"], {"OPENAI_API_KEY": KEY}, "solver", KEY),
        (["http://127.8.9.1:1"], {"OPENAI_API_KEY": KEY}, "solver", KEY),
        (["http://[::1]:1"], {"OPENAI_API_KEY": KEY}, "solver", KEY),
        (["http://127.0.0.1:1"], {"OPENAI_API_KEY": "a", "FRICTION_API_KEY": KEY}, "solver", KEY),
        (["http://127.0.0.1.evil.org:1"], {"OPENAI_API_KEY": KEY}, "solver", ""),
        (["http://localhost.evil.org:1"], {"OPENAI_API_KEY": KEY}, "solver", ""),
        (["http://[2001:db8::1]:1"], {"OPENAI_API_KEY": KEY}, "solver", ""),
        (["http://192.168.0.1:1"], {"OPENAI_API_KEY": KEY}, "solver", ""),
        ([], {"OPENAI_BASE_URL": "http://h:1/v1", "OPENAI_API_KEY": KEY}, "solver", KEY),
        (["http://h:1"], {"OPENAI_BASE_URL": "http://h:1/", "OPENAI_API_KEY": KEY}, "solver", KEY),
        (["http://i:1"], {"OPENAI_BASE_URL": "http://h:1/", "OPENAI_API_KEY": KEY}, "solver", ""),
        ([], {"OPENAI_BASE_URL": "http://h:1", "FRICTION_API_KEY": KEY}, "solver", KEY),
        ([], {"OPENAI_BASE_URL": "http://h:1"}, "solver", ""),
        (["http://h:1"], {"FRICTION_API_KEY": "a", "FRICTION_JUDGE_API_KEY": KEY}, "judge", KEY),
        (["http://h:1"], {"FRICTION_API_KEY": KEY, "FRICTION_JUDGE_API_KEY": "b"}, "solver", KEY),
        (
            ["http://a-b.c:1"],
            {"FRICTION_SOLVER_API_KEY": "a", "FRICTION_API_KEY_A_B_C": KEY},
            "solver",
            KEY,
        ),
        (["http://h:1"], {"FRICTION_API_KEY_H": "a", "FRICTION_API_KEY_H_1": KEY}, "solver", KEY),
        (["http://h:1"], {"FRICTION_API_KEY": "a", "FRICTION_API_KEY_H": ""}, "solver", ""),
        (["http://i:1"], {"FRICTION_API_KEY_H": "a"}, "solver", ""),
        (
            ["http://127.0.0.1:1"],
            {"OPENAI_API_KEY": "a", "FRICTION_API_KEY_127_0_0_1": KEY},
            "solver",
            KEY,
        ),
    ],
)
def test_a_key_goes_only_where_it_belongs(
    base_urls: list[str], environ: dict[str, str], role: str, key: str
) -> None:
    (endpoint,) = endpoints(base_urls, environ, role)
    assert endpoint.key == key
    assert endpoint.headers() == ({"Authorization": f"Bearer {key}"} if key else {})


def test_without_a_base_url_the_server_is_the_one_that_openai_base_url_names() -> None:
    (endpoint,) = endpoints([], {"OPENAI_BASE_URL": "http://h:1/v1/"})
    assert endpoint.label == "http://h:1/v1"
    (endpoint,) = endpoints([], {"OPENAI_BASE_URL": " ", "OPENAI_API_KEY": KEY})
    assert endpoint.label == "https://api.openai.com/v1"


def test_openai_without_a_key_is_refused_before_any_call() -> None:
    with pytest.raises(UsageError, match=r"^https://api.openai.com/v1 needs a key: set OPENAI_"):
        endpoints([], {})


@pytest.mark.parametrize(
    ("url", "environ", "says"),
    [
        (
            "http://h:1",
            {"OPENAI_API_KEY": KEY},
            "http://h:1/v1 wants a key: set FRICTION_JUDGE_API_KEY or FRICTION_API_KEY (HTTP 401)",
        ),
        (
            "http://localhost:1",
            {},
            "http://localhost:1/v1 wants a key: set FRICTION_JUDGE_API_KEY or FRICTION_API_KEY "
            "or OPENAI_API_KEY (HTTP 401)",
        ),
        (
            "http://h:1",
            {"FRICTION_API_KEY": KEY},
            "http://h:1/v1 refuses the key in FRICTION_API_KEY (HTTP 401)",
        ),
    ],
)
def test_a_refused_key_is_named_by_the_variable_that_it_comes_from(
    url: str, environ: dict[str, str], says: str
) -> None:
    (endpoint,) = endpoints([url], environ, "judge")
    assert endpoint.key_refused("HTTP 401") == says


@pytest.mark.parametrize("bad", ["sk-a b", "sk-a\nb", "sk-ä", "sk-\x00"])
def test_a_key_that_cannot_be_one_is_refused_without_being_shown(bad: str) -> None:
    with pytest.raises(UsageError, match="FRICTION_API_KEY contains a character") as refused:
        endpoints(["http://h:1"], {"FRICTION_API_KEY": bad})
    assert "sk-" not in str(refused.value)


def test_a_key_is_not_in_the_repr() -> None:
    (endpoint,) = endpoints(["http://h:1"], {"FRICTION_API_KEY": KEY})
    assert KEY not in repr(endpoint)


def test_an_answer_that_quotes_the_key_loses_it() -> None:
    (endpoint,) = endpoints(["http://h:1"], {"FRICTION_API_KEY": "sk/a+bcd="})
    assert endpoint.secrets.hide(r"sk/a+bcd= and sk\/a+bcd=") == "*** and ***"


def test_a_user_in_the_url_is_sent_instead_of_a_key_and_the_key_is_named() -> None:
    environ = {"FRICTION_API_KEY": KEY}
    (endpoint,) = endpoints(["http://me:pass-word@h:1/v1"], environ)
    assert endpoint.headers() == {"Authorization": "Basic bWU6cGFzcy13b3Jk"}
    assert (endpoint.key, endpoint.unused) == ("", "FRICTION_API_KEY")
    assert str(endpoint.at("models")) == "http://h:1/v1/models"
    assert endpoint.key_refused("HTTP 401") == (
        "http://h:1/v1 refuses the user and password of its URL (HTTP 401)"
    )


@pytest.mark.parametrize(
    ("base_url", "authorization"),
    [
        ("http://me@h", "Basic bWU6"),
        ("http://:word@h", "Basic OndvcmQ="),
        ("http://m%40e:p%2Fw%3A@h", "Basic bUBlOnAvdzo="),
        ("http://m%C3%A4:p@h", "Basic bcOkOnA="),
    ],
)
def test_user_and_password_of_a_url_are_sent_in_every_form(
    base_url: str, authorization: str
) -> None:
    (endpoint,) = endpoints([base_url], {})
    assert endpoint.headers() == {"Authorization": authorization}
    assert endpoint.label == "http://h/v1"


def test_what_no_error_about_a_url_may_show() -> None:
    for bad in ("http://u:s3cret@h:0", "u:s3cret@h", "http://h:0?key=s3cret", "http://u:s3/cret@h"):
        with pytest.raises(UsageError) as refused:
            endpoints([bad], {})
        assert "s3" not in str(refused.value)
    for bad in ("http://u:s3cret@h:port", "socks5://u:s3cret@h"):
        with pytest.raises(UsageError, match="_proxy") as refused:
            endpoints(["https://h"], {"https_proxy": bad})
        assert "s3" not in str(refused.value)


@pytest.mark.parametrize(
    ("base_url", "environ", "proxy"),
    [
        ("https://h/v1", {"https_proxy": "http://p:3128"}, "http://p:3128"),
        ("https://h/v1", {"HTTPS_PROXY": "p:3128"}, "http://p:3128"),
        ("http://h/v1", {"HTTPS_PROXY": "http://p:3128"}, None),
        ("http://h.lan/v1", {"http_proxy": "http://p:3128", "no_proxy": "x, .lan"}, None),
        ("http://lan/v1", {"http_proxy": "http://p:3128", "no_proxy": "lan"}, None),
        ("http://plan/v1", {"http_proxy": "http://p:3128", "no_proxy": "lan"}, "http://p:3128"),
        ("http://h/v1", {"http_proxy": "http://p:3128", "no_proxy": "*"}, None),
        ("http://h/v1", {"http_proxy": "http://p:3128", "no_proxy": ""}, "http://p:3128"),
        ("http://localhost:8000", {"http_proxy": "http://p:3128"}, None),
        ("http://127.0.0.1:8000", {"http_proxy": "http://p:3128"}, None),
        ("http://[::1]:8000", {"http_proxy": "http://p:3128"}, None),
        ("http://0.0.0.0:8000", {"http_proxy": "http://p:3128"}, None),
        ("http://llm.localhost:8000", {"http_proxy": "http://p:3128"}, None),
        ("http://h/v1", {"ALL_PROXY": "http://p:3128"}, "http://p:3128"),
        ("http://h/v1", {"ALL_PROXY": "http://q", "http_proxy": "http://p:3128"}, "http://p:3128"),
        ("http://10.1.2.3:8000", {"all_proxy": "http://p:3128", "no_proxy": "10.0.0.0/8"}, None),
        ("http://11.1.2.3", {"all_proxy": "http://p", "no_proxy": "10.0.0.0/8"}, "http://p"),
        ("http://[fd00::7]:8000", {"all_proxy": "http://p:3128", "no_proxy": "fd00::/8"}, None),
        ("http://h:8000", {"all_proxy": "http://p:3128", "no_proxy": "h:8000"}, None),
        ("http://h:8001", {"all_proxy": "http://p:3128", "no_proxy": "h:8000"}, "http://p:3128"),
        ("http://gpu1.lab", {"all_proxy": "http://p:3128", "no_proxy": "gpu*.lab"}, None),
        ("http://H.LAN.", {"all_proxy": "http://p:3128", "no_proxy": "a b,.lan"}, None),
    ],
)
def test_a_proxy_of_the_environment_is_used_but_never_for_this_machine(
    base_url: str, environ: dict[str, str], proxy: str | None
) -> None:
    (endpoint,) = endpoints([base_url], environ)
    assert (None if endpoint.proxy is None else str(endpoint.proxy).rstrip("/")) == proxy


def test_a_proxy_of_another_kind_is_refused() -> None:
    with pytest.raises(UsageError, match="must name an http proxy, not 'socks5'"):
        endpoints(["http://h:1"], {"http_proxy": "socks5://p:1080"})


ALL, SOLVER = {"FRICTION_API_KEY": KEY}, {"FRICTION_SOLVER_API_KEY": KEY}


@pytest.mark.parametrize(
    ("one", "other", "environ", "is_refused"),
    [
        (["http://a:1"], ["http://b:1"], ALL, True),
        (["http://a:1"], ["http://b:1"], SOLVER, True),
        (["http://a:1", "http://b:1"], ["http://b:2", "http://c:1"], ALL, False),
        (["http://a:1"], ["http://a:2"], SOLVER, False),
        (["http://a:1"], ["http://localhost:2"], SOLVER, False),
        (["http://a:1"], ["http://b:1"], {}, False),
        (["http://a:1"], ["http://b:1"], {**ALL, "FRICTION_API_KEY_B": "other"}, False),
        (["http://a:1"], ["http://b:1"], {**SOLVER, "FRICTION_API_KEY_B": ""}, False),
        (["http://a:1"], ["http://me:word@b:1"], ALL, False),
        (["http://a:1"], [], {**ALL, "OPENAI_API_KEY": "own"}, False),
    ],
)
def test_one_key_goes_to_one_party(
    one: list[str], other: list[str], environ: dict[str, str], is_refused: bool
) -> None:
    models = [endpoints(urls, environ, "solver") for urls in (one, other)]
    if not is_refused:
        refuse_stray_keys(models)
        return
    with pytest.raises(UsageError, match="would be sent to a and to b") as refused:
        refuse_stray_keys(models)
    assert "(FRICTION_API_KEY_A, FRICTION_API_KEY_B; empty for none)" in str(refused.value)
    assert KEY not in str(refused.value)
