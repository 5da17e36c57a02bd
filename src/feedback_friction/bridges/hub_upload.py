"""A training set on the Hugging Face hub."""

from __future__ import annotations

from pathlib import Path

from feedback_friction.errors import UsageError
from feedback_friction.extras import need


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
                path_or_fileobj=file,
                path_in_repo=name,
                repo_id=repository,
                repo_type="dataset",
            )
    # The hub's own errors, and those of its HTTP library, which differs between its releases.
    except Exception as error:
        reason = " ".join(str(error).split())[:200]
        raise UsageError(f"cannot upload to {repository}: {reason}") from error
    return f"https://huggingface.co/datasets/{repository}"
