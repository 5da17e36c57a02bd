"""``friction doctor``: what a server can do, before it is asked for thousands of replies."""

from __future__ import annotations

import asyncio
import os
from dataclasses import asdict

import click

from feedback_friction.cli.click_options import JSON
from feedback_friction.cli.grid import print_json, print_rows
from feedback_friction.engine.models.registry import (
    ModelSettings,
    is_student,
    open_models,
    parse_spec,
)
from feedback_friction.engine.models.server_check import (
    PATIENCE,
    RETRY,
    Doctor,
    Finding,
    context_finding,
    context_of,
)
from feedback_friction.errors import UsageError

_FEW = 3


@click.command("doctor")
@click.option("--base-url", metavar="URL", help="The server; without --solver its first model.")
@click.option("--solver", metavar="MODEL", help="The model, as provider/name.")
@JSON
def command(base_url: str | None, solver: str | None, as_json: bool) -> int:
    """Report in about ten seconds what a server supports, and how a run copes with the rest.

    Makes some twenty short calls. Checks roles, several replies per request, seed, token counts,
    log-probabilities, prefix cache, and tokens per second for one request and for eight at once.
    """
    if base_url is None and solver is None:
        raise UsageError("say what to check: --base-url URL, --solver MODEL, or both")
    findings: list[Finding] = []
    usable = asyncio.run(_examine(base_url, solver, findings))
    if as_json:
        print_json({"usable": usable, "findings": [asdict(each) for each in findings]})
    else:
        rows = [(each.check, each.found, each.run) for each in findings]
        print_rows(("check", "found", "friction run"), rows, texts=3)
    return 0 if usable else 1


async def _examine(base_url: str | None, solver: str | None, findings: list[Finding]) -> bool:
    is_openai = solver is None or parse_spec(solver)[0] == "openai"
    if solver is not None and is_student(solver):
        raise UsageError(f"{solver} is a simulation: there is no server to check")
    if is_openai:
        solver = await _look(base_url, solver, findings)
    assert solver is not None  # the server's first model, where none was named
    notices: list[str] = []
    settings = ModelSettings(
        solver,
        base_urls=(base_url,) if base_url else (),
        timeout=PATIENCE,
        notice=notices.append,
        retry=RETRY,
    )
    model = open_models({"solver": settings})["solver"]
    try:
        await model.check()
        return await Doctor(model, notices).examine(findings.append)
    finally:
        await model.close()


async def _look(base_url: str | None, solver: str | None, findings: list[Finding]) -> str:
    """What the server lists; the model to be examined, as ``provider/name``."""
    from feedback_friction.engine.models.remote.endpoint import endpoints
    from feedback_friction.engine.models.remote.preflight import list_models
    from feedback_friction.engine.models.remote.transport import Pool

    (endpoint,) = endpoints((base_url,) if base_url else (), os.environ, "solver")
    pool = Pool(1)
    pool.join()
    try:
        entries = await list_models(pool.session, endpoint)
    finally:
        await pool.leave()
    names = [endpoint.secrets.hide(str(entry["id"])) for entry in entries]
    shown = ", ".join(names[:_FEW]) + (f" and {len(names) - _FEW} more" if names[_FEW:] else "")
    findings.append(Finding("server", endpoint.label))
    findings.append(Finding("models", shown or "no list", "" if shown else "trusts --solver"))
    if solver is None and not names:
        raise UsageError(f"{endpoint.label} lists no models: name one with --solver openai/NAME")
    solver = solver or f"openai/{names[0]}"
    name = parse_spec(solver)[1]
    entry = next((each for each in entries if each["id"] == name), entries[0] if entries else {})
    findings.append(Finding("model", solver))
    findings.append(context_finding(context_of(entry)))
    return solver
