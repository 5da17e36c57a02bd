"""Before anything is paid for: is there a server, and does it take the key and have the model?"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from difflib import get_close_matches

import aiohttp

from feedback_friction.engine.models.remote.chat_reply import MalformedError, parse_json
from feedback_friction.engine.models.remote.endpoint import Endpoint
from feedback_friction.engine.models.remote.faults import fault_of, read_error
from feedback_friction.engine.models.remote.transport import TooLargeError, lost, read
from feedback_friction.errors import UsageError

_TIMEOUT = aiohttp.ClientTimeout(total=30, sock_connect=10)
_LONGEST_LIST = 2**24  # bytes; OpenRouter's list of several hundred models takes half a million
_SHOWN = 5


@dataclass(frozen=True, slots=True)
class _Answer:
    """What one replica said."""

    trouble: str = ""  # why it cannot be used for now
    has_model: bool = False  # it lists the model, or serves what it has under any name
    lists: tuple[str, ...] = ()  # where the model is missing from its list, what is there


async def check_endpoints(
    session: aiohttp.ClientSession,
    endpoints: Sequence[Endpoint],
    model: str,
    *,
    notice: Callable[[str], None],
) -> tuple[frozenset[Endpoint], bool]:
    """Ask every replica for its list of models.

    A server without such a list passes: not every compatible server has one. So does one whose
    list lacks the model: aliases, adapters and what a proxy routes to are often not listed.

    Args:
        session: the run's connection pool.
        endpoints: the replicas.
        model: the model's name at the servers.
        notice: told of what is odd but no reason to stop; one line each.

    Returns:
        The replicas that cannot be used for now, and whether none says that it has the model, so
        that the first call has to show it.

    Raises:
        UsageError: a replica refuses the key, or lacks the model that another one lists, or all of
            them are down.
    """
    for line in (each.note for each in endpoints if each.note):
        notice(line)
    bodies = await asyncio.gather(*(_ask(session, each) for each in endpoints))
    by_endpoint = {
        each: body if isinstance(body, _Answer) else _read_list(each, model, body, notice)
        for each, body in zip(endpoints, bodies, strict=True)
    }
    down = {each: answer.trouble for each, answer in by_endpoint.items() if answer.trouble}
    if len(down) == len(endpoints):
        raise UsageError("; ".join(down.values()))
    for line in down.values():
        notice(f"{line}; the run goes on with the other servers")
    is_listed = any(answer.has_model for answer in by_endpoint.values())
    for each, answer in by_endpoint.items():
        if not answer.lists:
            continue
        lacking = f"{each.label} does not list the model '{model}'; it lists "
        lacking += _few(answer.lists, model)
        if is_listed:
            raise UsageError(f"{lacking}; replicas must serve the same model")
        notice(f"{lacking}; the first call will show whether it is there")
    return frozenset(down), not is_listed


async def list_models(
    session: aiohttp.ClientSession, endpoint: Endpoint
) -> tuple[Mapping[str, object], ...]:
    """What a server says of each of its models, as it says it (``id`` is the name).

    Empty for a server without such a list.

    Raises:
        UsageError: there is no server, or it refuses the key.
    """
    body = await _ask(session, endpoint)
    if isinstance(body, _Answer):
        if body.trouble:
            raise UsageError(body.trouble)
        return ()
    try:
        return _entries(parse_json(body))
    except MalformedError:
        return ()


async def _ask(session: aiohttp.ClientSession, endpoint: Endpoint) -> bytes | _Answer:
    """The body of the list, or what its absence means."""
    try:
        async with session.get(
            endpoint.at("models"),
            headers=endpoint.headers(),
            timeout=_TIMEOUT,
            proxy=endpoint.proxy,
            allow_redirects=False,
        ) as response:
            status, _, body = await read(response, _LONGEST_LIST)
    except TooLargeError:
        return _Answer(f"{endpoint.label} lists models without end: is it the right server?")
    except (aiohttp.ClientError, TimeoutError, OSError) as error:
        return _Answer(f"no server answers at {endpoint.label} ({lost(error).message})")
    if status == 200:
        return body
    answer = read_error(body, endpoint.secrets.hide)
    fault = fault_of(status, answer)
    # A key may be allowed to generate and not to list (OpenAI's restricted keys).
    if status in (401, 403) and "scope" not in answer.words:
        raise UsageError(endpoint.key_refused(fault.message))
    if 300 <= status < 400:
        raise UsageError(f"{endpoint.label} redirects elsewhere: give the final URL instead")
    if status >= 500 and status != 501:
        return _Answer(f"{endpoint.label} answers {fault.message}")
    return _Answer()


def _read_list(
    endpoint: Endpoint, model: str, body: bytes, notice: Callable[[str], None]
) -> _Answer:
    try:
        data = parse_json(body)
    except MalformedError:
        notice(f"{endpoint.label} lists no models: is it an OpenAI-compatible server?")
        return _Answer()
    hide = endpoint.secrets.hide
    owners = {hide(str(entry["id"])): entry.get("owned_by") for entry in _entries(data)}
    if any(_is_same(listed, model) for listed in owners):
        return _Answer(has_model=True)
    if not owners or (endpoint.base.host or "").endswith(".azure.com"):
        return _Answer()  # Azure lists models, and is asked for deployments
    if all(owner in ("llamacpp", listed) for listed, owner in owners.items()):
        # llama.cpp and TGI serve what they have, whatever they are asked for.
        notice(f"{endpoint.label} serves '{next(iter(owners))}', asked for as '{model}'")
        return _Answer(has_model=True)
    return _Answer(lists=tuple(owners))


def _entries(data: object) -> tuple[Mapping[str, object], ...]:
    entries = data.get("data") if isinstance(data, dict) else None
    return tuple(
        entry
        for entry in (entries if isinstance(entries, list) else ())
        if isinstance(entry, dict) and isinstance(entry.get("id"), str)
    )


def _is_same(listed: str, model: str) -> bool:
    """Whether a listed name means the model: Ollama tags, OpenRouter variants, Gemini paths."""
    return (
        listed in (model, f"{model}:latest", f"models/{model}") or model.partition(":")[0] == listed
    )


def _few(names: Sequence[str], model: str) -> str:
    close = get_close_matches(model, names, n=_SHOWN, cutoff=0.4)
    shown = (close + [name for name in names if name not in close])[:_SHOWN]
    more = len(names) - len(shown)
    return ", ".join(shown) + (f" and {more} more" if more else "")
