"""A study from its command to its end: every check before the model is loaded, then the places."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, NamedTuple

from feedback_friction.engine.journal.store import Journal
from feedback_friction.engine.passes.reopen import Prompts
from feedback_friction.engine.run.run_directory import locked
from feedback_friction.engine.run.seats import seat_of
from feedback_friction.errors import UsageError
from feedback_friction.inside.loading import Source, find_source, load
from feedback_friction.inside.network import Network
from feedback_friction.inside.notebook import Notebook
from feedback_friction.inside.places import Found, find_places
from feedback_friction.inside.survey import Progress, Study


class Looked(NamedTuple):
    """What a study looked at."""

    settings: str  # of its findings, as the journal keeps them
    found: Found
    left_out: Counter[str]  # by reason, how many places
    interrupted: bool


def look_inside(
    directory: Path,
    model: str,
    what: Sequence[str],
    *,
    layers: Sequence[int] | None = None,
    attempt: int = 2,
    sample: int | None = None,
    seed: int = 0,
    only: Sequence[str] = (),
    as_is: bool = False,
    quiet: bool = True,
) -> Looked:
    """Measure what is asked for at the places of a run, and keep it in its journal.

    Args:
        what: names as ``friction inside --what`` takes them.
        layers: those to cut, patch and steer one by one; None for all, or some of many.
        attempt: number of the attempt whose reply is looked at, from 2.
        sample: problems at most; None is all.
        only: ids of the conditions; none is all.
        as_is: take a model that is not the run's solver.
    """
    prompts = Prompts(directory)
    digests = prompts.run.config.get("digests", {})
    solvers = tuple(dict.fromkeys(each.solver for each in prompts.conditions))
    source = find_source(model, solvers, digests, as_is=as_is)
    found = find_places(prompts, directory, source.solvers, attempt, sample, seed, only)
    network = Network(load(source))
    wrong = [each for each in layers or () if each >= network.depth]
    if wrong:
        last = network.depth - 1
        raise UsageError(f"{model} has no layer {wrong[0]}; allowed: 0 to {last}")
    seats = prompts.run.seats
    stop: Any = seats[seat_of("solver", source.solvers[0], seats)].options.extra.get("stop") or ()
    stops = [stop] if isinstance(stop, str) else list(map(str, stop))
    settings = _settings(source, network)
    left_out = Counter(found.left_out)
    interrupted = False
    with locked(directory):
        journal = Journal(directory)
        notebook = Notebook(journal, directory, settings)
        study = Study(network, found, notebook, layers, stops, _progress(quiet), left_out)
        try:
            study.run(what)
        except KeyboardInterrupt:
            interrupted = True
        finally:
            journal.close()
    return Looked(settings, replace(found, places=study.places), left_out, interrupted)


def _settings(source: Source, network: Network) -> str:
    """What decides the findings: the weights and the precision; and whether they are the run's."""
    about = {
        "as_is": source.as_is,
        "digest": source.digest,
        "dtype": str(network.model.dtype).removeprefix("torch."),
        "model": source.name,
    }
    return json.dumps(about, sort_keys=True)


def _progress(quiet: bool) -> Progress:
    if quiet:
        return lambda doing, done, of: None
    import sys

    def tell(doing: str, done: int, of: int) -> None:
        end = "\n" if done == of else "\r"
        if sys.stderr.isatty() or done == of:
            sys.stderr.write(f"{doing}: {done} of {of} places{end}")
            sys.stderr.flush()

    return tell
