"""The server of the page: a few addresses under the token, on this machine only."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import asynccontextmanager, closing, contextmanager, nullcontext
from importlib import resources
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import uvicorn
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, RedirectResponse, Response
from starlette.routing import Route

from feedback_friction.errors import FrictionError, UsageError, reason
from feedback_friction.tracebacks import kept
from feedback_friction.view.guard import Guard, new_token
from feedback_friction.view.labelling import Asked, Desk
from feedback_friction.view.pages import Arm, environment
from feedback_friction.view.shelf import Run, Shelved, shelve
from feedback_friction.view.trial_rows import (
    Place,
    overview,
    run_page,
    same_problem,
    strange_arm,
    trial_page,
)
from feedback_friction.view.wanted import Beside, read_wanted, whole_number

LOCAL = "127.0.0.1"
LONGEST_ID = 4_000  # characters of a problem's id in an address
_FILES = {
    "trial.css": "text/css",
    "view.css": "text/css",
    "view.js": "text/javascript",
    "label.js": "text/javascript",
    "icon.svg": "image/svg+xml",
}


class Site:
    """The handlers of all addresses."""

    def __init__(self, shelf: dict[str, Shelved], token: str, desk: Desk | None = None) -> None:
        """Serve a shelf of runs under a token.

        Args:
            desk: where the one run on the shelf is labelled; None to look only.
        """
        self._shelf, self._desk = shelf, desk
        self._root = f"/{token}/"
        self._templates = environment()

    def app(self) -> Starlette:
        """The application, without its guard."""
        routes = [
            Route("/{token}/", self.home),
            Route("/{token}/files/{name}", self.file),
            Route("/{token}/version", self.version),
            Route("/{token}/runs/{run}/", self.run),
            Route("/{token}/runs/{run}/trial", self.trial),
            Route("/{token}/runs/{run}/sent", self.sent),
        ]
        if self._desk is not None:
            routes += [
                Route("/{token}/runs/{run}/labels", self._desk.session),
                Route("/{token}/runs/{run}/label", self._desk.read),
                Route("/{token}/runs/{run}/label", self._desk.keep, methods=["POST"]),
            ]
        failures: tuple[Any, ...] = (HTTPException, FrictionError, Exception)
        return Starlette(routes=routes, exception_handlers=dict.fromkeys(failures, self._failed))

    async def home(self, request: Request) -> Response:
        """All runs; where there is one only, that run, or what is to be labelled of it."""
        if self._desk is not None:
            _, condition, problem, epoch = self._desk.first()
            query = urlencode({"condition": condition, "problem": problem, "epoch": epoch})
            return RedirectResponse(f"{self._root}runs/{next(iter(self._shelf))}/trial?{query}")
        if len(self._shelf) == 1:
            return RedirectResponse(f"{self._root}runs/{next(iter(self._shelf))}/")
        runs = [await each.do(self._overview) for each in self._shelf.values()]
        return self._page("home.html", runs=runs)

    async def file(self, request: Request) -> Response:
        """One of the page's own files."""
        name = request.path_params["name"]
        if name not in _FILES:
            raise HTTPException(404, "no such file")
        body = resources.files(__package__).joinpath("files", name).read_bytes()
        return Response(body, media_type=_FILES[name])

    async def version(self, request: Request) -> Response:
        """A version for each run, which changes with what is shown of it."""
        versions = [await each.do(Run.state) for each in self._shelf.values()]
        return JSONResponse({"version": versions})

    async def run(self, request: Request) -> Response:
        """A run's conditions and problems."""
        wanted, at = read_wanted(request.query_params), self._at(request)
        second = await self._put_beside(at, wanted.beside)
        others = [await each.do(self._overview) for each in self._others(at)]
        shown = await at.do(lambda run: run_page(run, self._root, wanted, others, second))
        return self._page("run.html", **shown, up=self._up())

    async def trial(self, request: Request) -> Response:
        """A trial."""
        wanted, at = read_wanted(request.query_params), self._at(request)
        place, blind = await self._place(request), self._desk is not None
        await self._put_beside(at, wanted.beside)
        shown = await at.do(lambda run: trial_page(run, self._root, wanted, place, blind=blind))

        def same(run: Run) -> dict[str, Any]:
            return same_problem(run, self._root, wanted, place, shown["trial"], shown["link"])

        found = [await each.do(same) for each in self._others(at)]
        shown["elsewhere"] = [arm for each in found for arm in each["elsewhere"]]
        shown["other"] = next((each["other"] for each in found if each["other"]), shown["other"])
        return self._page("trial.html", **shown, up=self._up(), labelling=blind)

    async def sent(self, request: Request) -> Response:
        """The exact prompts of one attempt of a trial, and of its feedback: a part of a page."""
        at, problem, epoch = await self._place(request)
        number = whole_number(request.query_params.get("attempt", ""), "attempt")

        def read(run: Run) -> dict[str, Any]:
            try:
                found = run.sent(at, problem, epoch)
            except UsageError as error:  # the data are gone, say: the rest of the page stands
                return {"sent": (), "why": str(error)}
            return {
                "sent": [each for each in found if each.iteration == number - 1],
                "why": "No prompt was sent for this attempt.",
            }

        return self._page("sent.html", **await self._at(request).do(read))

    def _others(self, at: Shelved) -> list[Shelved]:
        return [each for each in self._shelf.values() if each is not at]

    def _overview(self, run: Run) -> dict[str, Any]:
        return overview(run, self._root)

    async def _put_beside(self, at: Shelved, beside: Beside | None) -> Arm | None:
        """Have another run's condition stand in the index of a run, if one is wanted beside."""
        if beside is None or not beside.run:
            return None
        if beside.run not in self._shelf or self._shelf[beside.run] is at:
            raise HTTPException(404, f"no other run '{beside.run}' is open here")
        other = self._shelf[beside.run]
        strange = await other.do(lambda run: run.strange(beside.arm))
        await at.do(lambda run: run.put_beside(strange))
        return await other.do(lambda run: strange_arm(run, self._root, beside.arm))

    async def _place(self, request: Request) -> Place:
        """The trial that an address names, its condition by number or by name."""
        query = request.query_params
        problem = query.get("problem", "")
        if not problem or len(problem) > LONGEST_ID:
            raise UsageError("the address names no problem")
        if (name := query.get("condition")) is not None:
            names = [each.condition.condition for each in await self._at(request).do(Run.refreshed)]
            at = 1 + names.index(name) if name in names else 0
        else:
            at = whole_number(query.get("at", ""), "at")
        return Place(at, problem, whole_number(query.get("epoch", "0"), "epoch"))

    def _at(self, request: Request) -> Shelved:
        name = request.path_params["run"]
        if name not in self._shelf:
            raise HTTPException(404, "no such run")
        return self._shelf[name]

    def _up(self) -> str:
        """The address of all runs; none where there is one only."""
        return self._root if len(self._shelf) > 1 else ""

    def _page(self, template: str, status: int = 200, **values: Any) -> Response:
        page = self._templates.get_template(template).render(root=self._root, **values)
        return HTMLResponse(page, status)

    async def _failed(self, request: Request, error: Exception) -> Response:
        """An error as a page, or as JSON for the page's own script."""
        if isinstance(error, HTTPException):
            status, said = error.status_code, error.detail
        elif isinstance(error, FrictionError):
            status, said = 400 if isinstance(error, UsageError) else 500, str(error)
        else:
            status, said = 500, kept(error)
        if "json" in request.headers.get("accept", "") or request.method == "POST":
            return JSONResponse({"error": said}, status)
        return self._page("error.html", status, said=said)


class _Server(uvicorn.Server):
    """Leaves signals to its caller."""

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Take none."""
        yield


@asynccontextmanager
async def serving(
    directories: Sequence[Path], port: int = 0, labelling: Asked | None = None
) -> AsyncIterator[tuple[str, int]]:
    """Serve while the block runs, on this machine only.

    Args:
        port: to listen at; 0 takes a free one.
        labelling: what is to be labelled, of the one directory; None to look only.

    Yields:
        The address with its token, and the number of trials to label.
    """
    shelf, token = shelve(directories), new_token()
    desk = Desk(directories[0], labelling) if labelling else None
    guard = Guard(Site(shelf, token, desk).app(), token)
    with closing(desk) if desk else nullcontext(), _listening(port) as listening:
        guard.port = listening.getsockname()[1]
        server = _Server(
            uvicorn.Config(
                guard,
                http="h11",  # strict, in Python; one person's page needs no faster one
                ws="none",
                lifespan="off",
                log_config=None,
                log_level="critical",  # a malformed request is answered 400, and no news
                access_log=False,
                server_header=False,
                timeout_graceful_shutdown=1,
            )
        )
        running = asyncio.create_task(server.serve(sockets=[listening]))
        # begun before anybody asks, so that the first page of a large run is there at once
        made = [asyncio.create_task(each.do(Run.refreshed)) for each in shelf.values()]
        try:
            yield f"http://{LOCAL}:{guard.port}/{token}/", len(desk.trials) if desk else 0
        finally:
            server.should_exit = True
            await asyncio.gather(running, *made, return_exceptions=True)
            for each in shelf.values():
                await each.close()


@contextmanager
def _listening(port: int) -> Iterator[socket.socket]:
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as made:
        made.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            made.bind((LOCAL, port))
            made.listen()
        except (OSError, OverflowError) as error:
            raise UsageError(f"cannot listen at {LOCAL}:{port}: {reason(error)}") from error
        yield made
