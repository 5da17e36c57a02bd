"""Where a server is, and which key it gets.

A key goes only where it belongs. A server's own variable comes first, ``FRICTION_API_KEY_`` and its
host (``FRICTION_API_KEY_API_EXAMPLE_COM``, for one port ``..._COM_8001``; set and empty it says: no
key). Then comes ``FRICTION_SOLVER_API_KEY`` (and so on for each role), then ``FRICTION_API_KEY``;
neither goes to the servers of two models at different hosts (``refuse_stray_keys``).
``OPENAI_API_KEY`` is sent to OpenAI itself, to the server that ``OPENAI_BASE_URL`` names, and to
this machine, and to nobody else, so that pointing ``--base-url`` at some server cannot hand it the
account. At OpenAI itself it comes before ``FRICTION_API_KEY``: a run whose solver stands on a
server of one's own may well have both.

A URL with ``user:password@`` is answered with those, by Basic authentication, and with no key: a
request has one ``Authorization``.
"""

from __future__ import annotations

import re
from base64 import b64encode
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from ipaddress import ip_address, ip_network
from itertools import combinations

from yarl import URL

from feedback_friction.errors import UsageError
from feedback_friction.redact import Secrets, names_secret, without_secrets

_CALL = re.compile(r"/+(?:chat/completions|completions|responses|models|embeddings)$")
OPENAI = "https://api.openai.com/v1"
_OF_SERVER = "FRICTION_API_KEY_"
_OF_SEVERAL = re.compile(r"FRICTION_(?:[A-Z]+_)?API_KEY")  # by role, or for all


@dataclass(frozen=True, slots=True)
class Endpoint:
    """One server, ready to be called."""

    # normalised base URL without user and password; a path is kept, none becomes ``/v1``
    base: URL = field(repr=False)
    label: str  # the base URL as it may be shown: without query
    # the key, never shown: not in repr, not in any message
    key: str = field(default="", repr=False)
    key_source: str = ""  # name of the variable that the key was read from, ``""`` without a key
    # ``user:password`` of the URL, sent instead of a key, and shown as little
    user: str = field(default="", repr=False)
    unused: str = ""  # the variable whose key is not sent, since the URL has a user
    # names of the variables that are looked up for it after its own, the first one that is set wins
    key_names: tuple[str, ...] = field(default=("FRICTION_API_KEY",), compare=False)
    # URL of the proxy that the environment names for this server
    proxy: URL | None = field(default=None, repr=False)

    def headers(self) -> dict[str, str]:
        """The headers of a call; never to be shown."""
        if self.user:
            return {"Authorization": f"Basic {b64encode(self.user.encode()).decode()}"}
        return {"Authorization": f"Bearer {self.key}"} if self.key else {}

    @property
    def secrets(self) -> Secrets:
        """What no text that came from the server may show: key, passwords, keys of the query."""
        proxy = (self.proxy.password or "") if self.proxy is not None else ""
        query = [value for name, value in self.base.query.items() if names_secret(name)]
        return Secrets((self.key, self.user, self.user.partition(":")[2], proxy, *query))

    @property
    def note(self) -> str:
        """What the user should know of how it is called, as one line; empty for nothing."""
        if not self.unused:
            return ""
        return f"{self.label} is sent the user and password of its URL, not {self.unused}"

    def key_refused(self, detail: str) -> str:
        """The line for the user when the server does not take the key, or wants one."""
        if self.user:
            return f"{self.label} refuses the user and password of its URL ({detail})"
        if self.key_source:
            return f"{self.label} refuses the key in {self.key_source} ({detail})"
        return f"{self.label} wants a key: set {' or '.join(self.key_names)} ({detail})"

    def at(self, path: str) -> URL:
        """The URL of one call, e.g. ``at("chat/completions")``; a query of the base is kept."""
        return self.base.with_path(f"{self.base.path.rstrip('/')}/{path}", keep_query=True)


def endpoints(
    base_urls: Sequence[str], environ: Mapping[str, str], role: str = ""
) -> tuple[Endpoint, ...]:
    """The servers behind repeated ``--base-url``; without any ``OPENAI_BASE_URL``, else OpenAI's.

    Args:
        base_urls: as the user gave them; repetitions of the same URL count once.
        environ: where keys and proxies are looked up, usually ``os.environ``.
        role: ``"solver"``, ``"feedback"`` or ``"judge"``, for a key of its own.

    Raises:
        UsageError: not a URL, no key for OpenAI, or a key that cannot be one.
    """
    default = environ.get("OPENAI_BASE_URL", "").strip() or OPENAI
    bases = dict.fromkeys(normal(url) for url in base_urls or (default,))
    return tuple(_endpoint(base, environ, role) for base in bases)


def refuse_stray_keys(models: Iterable[Sequence[Endpoint]]) -> None:
    """See that no key goes to servers of several parties unless each was given it.

    Replicas of one model are one party, whatever their hosts; so are servers at one host. What
    listens on this machine is no other party.

    Args:
        models: the servers of each model of a run.

    Raises:
        UsageError: one variable's key would go to two parties.
    """
    parties: dict[str, list[set[str]]] = {}
    for servers in models:
        for source in filter(_OF_SEVERAL.fullmatch, {each.key_source for each in servers}):
            hosts = {each.base.host or "" for each in servers if each.key_source == source}
            if strange := {host for host in hosts if not _is_loopback(host)}:
                parties.setdefault(source, []).append(strange)
    for source, found in parties.items():
        for one, other in combinations(found, 2):
            if one.isdisjoint(other):
                first, second = min(one), min(other)
                raise UsageError(
                    f"{source} would be sent to {first} and to {second}: give each its own key "
                    f"({_OF_SERVER}{_as_variable(first)}, {_OF_SERVER}{_as_variable(second)}; "
                    "empty for none)"
                )


def normal(base_url: str) -> URL:
    """A base URL in one form: no trailing slash, no path of one call, ``/v1`` for no path.

    Raises:
        UsageError: it is not the http or https URL of a host.
    """
    try:
        url = URL(base_url.strip()).with_fragment(None)
        port = url.port
    except ValueError:
        url, port = URL(), None
    if url.scheme not in ("http", "https") or not url.host or port == 0:
        shown = without_secrets(base_url).rpartition("@")[2]
        raise UsageError(f"base URL '{shown}' is not of the form http://HOST:PORT or https://HOST")
    path = _CALL.sub("", url.path.rstrip("/"))
    return url.with_path(path or "/v1", keep_query=True)


def _endpoint(base: URL, environ: Mapping[str, str], role: str) -> Endpoint:
    user = "" if base.user is None and base.password is None else _user(base)
    base = base.with_user(None)
    label = str(base.with_query(None))
    names = _key_names(base, environ, role)
    source = _key_source(base, environ, names)
    # A request has one Authorization, and what a URL says is said of this server alone.
    key = "" if user or not source else environ[source].strip()
    if not user and not key and _is_openai(base):
        raise UsageError(
            f"{label} needs a key: set OPENAI_API_KEY, or name another server with --base-url"
        )
    if not (key.isascii() and key.isprintable()) or " " in key:
        raise UsageError(
            f"{source} contains a character that no key has (a space or a line break?)"
        )
    return Endpoint(
        base,
        label,
        key,
        source if key else "",
        user,
        unused=source if user else "",
        key_names=names,
        proxy=_proxy(base, environ),
    )


def _user(url: URL) -> str:
    """``user:password`` as Basic authentication has it (RFC 7617)."""
    user, password = url.user or "", url.password or ""
    if ":" in user:
        raise UsageError("the user in a base URL cannot contain a colon")
    return f"{user}:{password}"


def _key_source(base: URL, environ: Mapping[str, str], names: Sequence[str]) -> str:
    """The variable that this server's key is read from; its own may be empty, and then it has none.

    Args:
        names: of those that are looked up after its own.
    """
    host = _as_variable(base.host or "")
    own = (f"{_OF_SERVER}{host}_{base.port}", f"{_OF_SERVER}{host}")
    found = (name for name in own if name in environ)
    return next(found, next((name for name in names if environ.get(name, "").strip()), ""))


def _as_variable(host: str) -> str:
    return re.sub(r"[^A-Z0-9]+", "_", host.upper()).strip("_")


def _key_names(base: URL, environ: Mapping[str, str], role: str) -> tuple[str, ...]:
    """The variables that may hold this server's key; the first that is set counts."""
    own = (f"FRICTION_{role.upper()}_API_KEY",) if role else ()
    if _is_openai(base):
        return (*own, "OPENAI_API_KEY", "FRICTION_API_KEY")
    if _is_loopback(base.host or "") or _is_named(base, environ.get("OPENAI_BASE_URL", "")):
        return (*own, "FRICTION_API_KEY", "OPENAI_API_KEY")
    return (*own, "FRICTION_API_KEY")


def _is_named(base: URL, base_url: str) -> bool:
    """Whether this is the server that ``OPENAI_BASE_URL`` names."""
    return bool(base_url.strip()) and base == normal(base_url).with_user(None)


def _is_openai(base: URL) -> bool:
    """Whether this is OpenAI itself, a regional host included, over an encrypted connection."""
    host = base.host or ""
    ours = host == "api.openai.com" or host.endswith(".api.openai.com")
    return ours and base.scheme == "https"


def _proxy(base: URL, environ: Mapping[str, str]) -> URL | None:
    """The proxy for this server by the usual variables; never one for this machine itself."""
    host = (base.host or "").lower()
    lowered = {name.lower(): value.strip() for name, value in environ.items()}
    names = (f"{base.scheme}_proxy", "all_proxy")
    name = next((each for each in names if lowered.get(each)), None)
    if name is None or _is_loopback(host) or _is_exempt(base, lowered.get("no_proxy", "")):
        return None
    proxy = lowered[name]
    try:
        url = URL(proxy if "://" in proxy else f"http://{proxy}")
    except ValueError as error:
        raise UsageError(f"{name} is not the URL of a proxy") from error
    if url.scheme not in ("http", "https") or not url.host:
        raise UsageError(f"{name} must name an http proxy, not '{url.scheme}'")
    return url


def _is_exempt(base: URL, no_proxy: str) -> bool:
    """Whether ``no_proxy`` names a server: by host, domain, port, network or glob."""
    host = (base.host or "").lower().rstrip(".")
    for word in no_proxy.lower().replace(",", " ").split():
        name, _, port = word.rpartition(":")
        if not (name and port.isdecimal() and (":" not in name or name.endswith("]"))):
            name, port = word, ""
        if (not port or int(port) == base.port) and _is_named_by(host, name.strip("[]")):
            return True
    return False


def _is_named_by(host: str, name: str) -> bool:
    try:
        return ip_address(host) in ip_network(name, strict=False)
    except ValueError:
        bare = name.lstrip(".")
        return fnmatchcase(host, name) or host == bare or (bare != "" and host.endswith(f".{bare}"))


def _is_loopback(host: str) -> bool:
    try:
        address = ip_address(host)
        return address.is_loopback or address.is_unspecified  # 0.0.0.0 is what servers print
    except ValueError:
        name = host.rstrip(".").lower()
        return name == "localhost" or name.endswith(".localhost")  # RFC 6761
