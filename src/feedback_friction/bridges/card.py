"""The card of a training set: where it comes from, what was left out, whose licence holds."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from pathlib import Path

from feedback_friction import __version__
from feedback_friction.analysis.journal import open_journal, read_conditions
from feedback_friction.analysis.provenance import provenance
from feedback_friction.bridges.training import FORMS
from feedback_friction.bridges.turns import Selected
from feedback_friction.errors import UsageError
from feedback_friction.extras import need
from feedback_friction.tasks.catalog import get_page

_CARD = """\
---
license: other
tags: [feedback-friction, trl]
---
# {form} rows from a run of feedback-friction

{what}

| | |
|---|---|
| rows | {rows:,} |
| problems | {split} (`split_of`: by a hash of task and problem id; {held_out:.0%} are held out) |
| solver | {solvers} |
| feedback | {feedback} |
| feedback written by | {writers} |
| made by | feedback-friction {version}, `{command}` |

Licence of the data: {licences}. Replies are the models' own; their licences may bind what is
trained on them.

Left out: {left_out}.

What no row has: the reasoning of reasoning models as part of a reply; and token ids and
log-probabilities of single tokens, unless the run was made with `--token-logprobs` (then
`token_ids` and `token_logprobs`, as the server gave them).
"""


def card(directory: Path, form: str, rows: int, selected: Selected, left_out: Counter[str]) -> str:
    """The card, as Markdown with the front matter that the Hugging Face hub reads."""
    with open_journal(directory) as db:
        conditions = read_conditions(db)
    made = provenance(directory)
    tasks = dict.fromkeys(each.task for each in conditions)
    return _CARD.format(
        form=form,
        what=" ".join((FORMS[form].__doc__ or "").replace("``", "`").split()),
        rows=rows,
        split=selected.split,
        held_out=selected.held_out,
        solvers=_listed([each.solver for each in conditions]),
        feedback=_listed([each.feedback for each in conditions]),
        writers=_listed([each.feedback_model for each in conditions if each.feedback_model]),
        version=made.versions.get("feedback-friction", __version__),
        command=made.command,
        licences="; ".join(f"{task}: {get_page(task).licence}" for task in tasks),
        left_out="; ".join(f"{count:,} attempts {why}" for why, count in left_out.items())
        or "nothing",
    )


def _listed(names: Sequence[str]) -> str:
    return ", ".join(f"`{name}`" for name in dict.fromkeys(names)) or "no model"


def push(data: Path, card: Path, repository: str) -> str:
    """Upload a file and its card as a private data set; returns where it is.

    The token is the hub's own: from the environment (``HF_TOKEN``) or from ``hf auth login``.

    Raises:
        UsageError: the extra is missing, or the hub does not take it.
    """
    need("hub", "huggingface_hub")
    from huggingface_hub import HfApi

    api = HfApi()
    try:
        api.create_repo(repository, repo_type="dataset", private=True, exist_ok=True)
        for file, name in ((data, f"data/{data.name}"), (card, "README.md")):
            api.upload_file(
                path_or_fileobj=file, path_in_repo=name, repo_id=repository, repo_type="dataset"
            )
    # The hub's own errors, and those of its HTTP library, which differs between its releases.
    except Exception as error:
        reason = " ".join(str(error).split())[:200]
        raise UsageError(f"cannot upload to {repository}: {reason}") from error
    return f"https://huggingface.co/datasets/{repository}"
