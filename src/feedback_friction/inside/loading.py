"""The model: found on this machine, held against the run's solver, and loaded by transformers.

A GGUF file is converted once, to a folder in the cache. Nothing is downloaded.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from feedback_friction.engine.models.llama import gguf_files
from feedback_friction.engine.models.llama.gguf_header import read_header
from feedback_friction.engine.models.llama.gguf_server import digest
from feedback_friction.errors import UsageError
from feedback_friction.protocol.records import Message

_SERVED = ("http:", "https:", "openai", "anthropic", "google", "vllm", "ollama", "student")
_WEIGHTS = ("*.safetensors", "*.bin")


@dataclass(frozen=True, slots=True)
class Source:
    """A model on this machine."""

    name: str  # as the user gave it
    folder: Path  # in Hugging Face's format; of a GGUF file, the file's
    file: Path | None  # the GGUF file
    digest: str  # of its weights
    solvers: tuple[str, ...]  # those of the run that it is, or is taken for
    as_is: bool  # it is not, or not known to be, what answered in the run


def find_source(
    spec: str, solvers: Sequence[str], digests: Mapping[str, str], *, as_is: bool
) -> Source:
    """The model that a name means.

    Args:
        spec: a folder, an id in Hugging Face's cache on this machine, or a GGUF file by path or
            name.
        solvers: the run's, each as ``provider/name``.
        digests: by model, the digests of files that the run recorded.
        as_is: take another model than the solver.
    """
    folder, file = _located(spec)
    own = digest(file) if file is not None else _folder_digest(folder)
    names = {spec, folder.name} if file is None else {spec, file.name, file.stem}
    same = tuple(each for each in solvers if _is(each, digests.get(each), own, names))
    if not same and not as_is:
        known = [f"{each} ({digests[each]})" if each in digests else each for each in solvers]
        raise UsageError(
            f"{spec} ({own}) is not the run's solver {', '.join(known)}; --as-is analyses it all "
            "the same, and says so in every output"
        )
    return Source(spec, folder, file, own, same or tuple(solvers), not same)


def _is(solver: str, known: str | None, own: str, names: set[str]) -> bool:
    """Whether weights are a solver's: by digest where the run has one, else by name."""
    name = solver.partition("/")[2]
    return known == own if known is not None else bool({name, name.rpartition("/")[2]} & names)


def _located(spec: str) -> tuple[Path, Path | None]:
    path = Path(spec).expanduser()
    if path.is_dir():
        if not (path / "config.json").is_file():
            raise UsageError(f"{spec} contains no model: it has no config.json")
        return path, None
    name = spec.removeprefix("gguf/")
    is_file = name != spec or name.lower().endswith(gguf_files.SUFFIX)
    folder = None if is_file else _cached(spec)
    if folder is not None:
        return folder, None
    if is_file or "/" not in name:
        file = gguf_files.find(name)
        return file.parent, file
    if spec.partition("/")[0] in _SERVED:
        raise UsageError(
            f"{spec} is behind a server, and no server (vLLM, llama.cpp, an API) gives attention, "
            "states or gradients: name its weights, a folder or a GGUF file on this machine"
        )
    raise UsageError(
        f"there is no model {spec} on this machine; allowed: a folder, an id in Hugging Face's "
        "cache, or a GGUF file"
    )


def _cached(spec: str) -> Path | None:
    from huggingface_hub import try_to_load_from_cache
    from huggingface_hub.errors import HFValidationError

    try:
        found = try_to_load_from_cache(spec, "config.json")
    except HFValidationError:
        return None
    return Path(found).parent if isinstance(found, str) else None


def _folder_digest(folder: Path) -> str:
    files = sorted({each for pattern in _WEIGHTS for each in folder.glob(pattern)})
    if not files:
        raise UsageError(f"{folder} holds no weights: no {' or '.join(_WEIGHTS)}")
    parts = "".join(digest(each) for each in [folder / "config.json", *files])
    return hashlib.sha256(parts.encode()).hexdigest()[:16]


@dataclass(frozen=True, slots=True)
class Loaded:
    """A model that is ready."""

    source: Source
    model: Any  # a causal language model of transformers, in evaluation mode
    tokenizer: Any  # which knows offsets and has a chat template
    device: str  # cpu or cuda

    def render(self, messages: Sequence[Message]) -> str:
        """The text of a prompt, as the chat template writes it."""
        from jinja2 import TemplateError

        turns = [{"role": each.role, "content": each.content} for each in messages]
        try:
            text = self.tokenizer.apply_chat_template(
                turns, tokenize=False, add_generation_prompt=True
            )
        except TemplateError as error:
            name = self.source.name
            raise UsageError(f"the chat template of {name} refuses a prompt: {error}") from error
        return str(text)

    def tokens(self, text: str) -> tuple[list[int], list[tuple[int, int]]]:
        """The tokens of a text and their characters; nothing is put before or after them."""
        found = self.tokenizer(text, return_offsets_mapping=True, add_special_tokens=False)
        return list(found["input_ids"]), [(start, end) for start, end in found["offset_mapping"]]


def load(source: Source) -> Loaded:
    """Load a model: in bfloat16 on a GPU, in float32 on a processor."""
    import torch
    import transformers
    from safetensors import SafetensorError

    transformers.logging.set_verbosity_error()
    transformers.logging.disable_progress_bar()
    device = "cuda" if torch.cuda.is_available() else "cpu"
    try:
        tokenizer = _tokenizer(source)
        folder = source.folder if source.file is None else _converted(source, tokenizer)
        config = transformers.AutoConfig.from_pretrained(folder, local_files_only=True)
        _check_memory(source, config, device)
        model, about = transformers.AutoModelForCausalLM.from_pretrained(
            folder,
            dtype=torch.bfloat16 if device == "cuda" else torch.float32,
            attn_implementation="eager",
            local_files_only=True,
            output_loading_info=True,
        )
    except (OSError, ValueError, KeyError, RuntimeError, ImportError, SafetensorError) as error:
        reason = " ".join(str(error).split())[:300]
        raise UsageError(f"transformers cannot load {source.name}: {reason}") from error
    if missing := sorted(about["missing_keys"]):  # transformers would draw them at random
        raise UsageError(f"{source.name} lacks {len(missing)} of its weights, such as {missing[0]}")
    return Loaded(source, model.to(device).eval().requires_grad_(False), tokenizer, device)


def _tokenizer(source: Source) -> Any:
    """The tokenizer of the folder; of a GGUF file without one beside it, the file's own."""
    import transformers

    inside = source.file is not None and not (source.folder / "tokenizer.json").is_file()
    more = {"gguf_file": source.file.name} if source.file is not None and inside else {}
    tokenizer = transformers.AutoTokenizer.from_pretrained(
        source.folder, local_files_only=True, **more
    )
    if tokenizer.chat_template is None and source.file is not None:
        tokenizer.chat_template = read_header(source.file).template or None
    if tokenizer.chat_template is None:
        raise UsageError(f"{source.name} has no chat template: no chat was put to it so")
    if not tokenizer.is_fast:
        raise UsageError(
            f"the tokenizer of {source.name} gives no offsets: its tokens cannot be told apart"
        )
    return tokenizer


def _converted(source: Source, tokenizer: Any) -> Path:
    """A GGUF file's folder in the cache, made once: reading the file takes ten times as long."""
    import torch
    import transformers

    assert source.file is not None
    folder = gguf_files.cache_dir() / "inside" / source.digest
    if (folder / "config.json").is_file():
        return folder
    model = transformers.AutoModelForCausalLM.from_pretrained(
        source.folder, gguf_file=source.file.name, dtype=torch.float32, local_files_only=True
    )
    model.hf_quantizer, model.is_quantized = None, False  # or it would not be saved
    if hasattr(model.config, "quantization_config"):
        del model.config.quantization_config
    folder.parent.mkdir(parents=True, exist_ok=True)
    made = Path(tempfile.mkdtemp(dir=folder.parent))
    try:
        model.save_pretrained(made)
        tokenizer.save_pretrained(made)
        made.replace(folder)
    except OSError:
        shutil.rmtree(made, ignore_errors=True)
        if not (folder / "config.json").is_file():  # unless another process was first
            raise
    return folder


def _check_memory(source: Source, config: Any, device: str) -> None:
    import torch
    import transformers

    with torch.device("meta"):
        model = transformers.AutoModelForCausalLM.from_config(config)
    weights = sum(each.numel() for each in model.parameters())
    if device == "cuda":
        needed, there = 2 * weights, torch.cuda.mem_get_info()[0]
    else:
        needed, there = 4 * weights, os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    if needed > there:
        raise UsageError(
            f"{source.name} takes {needed / 1e9:.1f} GB for its weights, and this machine has "
            f"{there / 1e9:.1f}"
        )
