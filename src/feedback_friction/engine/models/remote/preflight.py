"""Before anything is paid for: is there a server, and does it take the key and have the model?"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping, Sequence
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


Entries = tuple[Mapping[str, object], ...]


class _Down(str):
    """Why a server cannot be used for now."""


async def check_endpoints(
    session: aiohttp.ClientSession,
    endpoints: Sequence[Endpoint],
    model: str,
    *,
    notice: Callable[[str], None],
) -> frozenset[Endpoint]:
    """Ask every replica for its list of models.

    A server without such a list passes: not every compatible server has one. So does one whose
    list lacks the model: aliases, adapters and what a proxy routes to are often not listed.

    Args:
        session: the run's connection pool.
        endpoints: the replicas.
        model: the model's name at the servers.
        notice: told of what is odd but no reason to stop; one line each.

    Returns:
        The replicas that cannot be used for now.

    Raises:
        UsageError: a replica refuses the key, or lacks the model that another one lists, or all of
            them are down.
    """
    for line in (each.note for each in endpoints if each.note):
        notice(line)
    asked = await asyncio.gather(*(_down_or_lists(session, each) for each in endpoints))
    answers = dict(zip(endpoints, asked, strict=True))
    down = {each: said for each, said in answers.items() if isinstance(said, _Down)}
    if len(down) == len(endpoints):
        raise UsageError("; ".join(down.values()))
    for line in down.values():
        notice(f"{line}; the run goes on with the other servers")
    is_listed, lacking = False, list[str]()
    for each, said in answers.items():
        if isinstance(said, _Down):
            continue
        if said is None:
            notice(f"{each.label} lists no models: is it an OpenAI-compatible server?")
        hide = each.secrets.hide
        owners = {hide(str(entry["id"])): entry.get("owned_by") for entry in said or ()}
        if any(_is_same(listed, model) for listed in owners):
            is_listed = True
        elif owners and all(owner in ("llamacpp", listed) for listed, owner in owners.items()):
            # llama.cpp and TGI serve what they have, whatever they are asked for.
            notice(f"{each.label} serves '{next(iter(owners))}', asked for as '{model}'")
            is_listed = True
        elif owners and not (each.base.host or "").endswith(".azure.com"):
            # Azure lists models, and is asked for deployments.
            few = _few(tuple(owners), model)
            lacking.append(f"{each.label} does not list the model '{model}'; it lists {few}")
    for line in lacking:
        if is_listed:
            raise UsageError(f"{line}; replicas must serve the same model")
        notice(f"{line}; the first calls will show whether it is there")
    return frozenset(down)


async def list_models(session: aiohttp.ClientSession, endpoint: Endpoint) -> Entries:
    """What a server says of each of its models, as it says it (``id`` is the name).

    Empty for a server without such a list.

    Raises:
        UsageError: there is no server, or it refuses the key.
    """
    said = await _down_or_lists(session, endpoint)
    if isinstance(said, _Down):
        raise UsageError(said)
    return said or ()


async def _down_or_lists(
    session: aiohttp.ClientSession, endpoint: Endpoint
) -> Entries | _Down | None:
    """What a server lists, or why it cannot be used; None where it answers with no JSON."""
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
        return _Down(f"{endpoint.label} lists models without end: is it the right server?")
    except (aiohttp.ClientError, TimeoutError, OSError) as error:
        return _Down(f"no server answers at {endpoint.label} ({lost(error).message})")
    if status == 200:
        try:
            return _entries(parse_json(body))
        except MalformedError:
            return None
    answer = read_error(body, endpoint.secrets.hide)
    fault = fault_of(status, answer)
    # A key may be allowed to generate and not to list (OpenAI's restricted keys).
    if status in (401, 403) and "scope" not in answer.words:
        raise UsageError(endpoint.key_refused(fault.message))
    if 300 <= status < 400:
        raise UsageError(f"{endpoint.label} redirects elsewhere: give the final URL instead")
    if status >= 500 and status != 501:
        return _Down(f"{endpoint.label} answers {fault.message}")
    return ()


def _entries(data: object) -> Entries:
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
