"""Trained weights as a GGUF file: the solver's own file, with the trained matrices in their place.

Everything else of the file stays as it is, its tokenizer and chat template among it, so that
llama.cpp serves the trained model as it served the solver. Trained matrices are kept in half
precision, whatever they were before.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from feedback_friction.errors import UsageError

ARCHITECTURE = "llama"


def check(file: Path) -> None:
    """Refuse a file whose weights cannot be put back."""
    from feedback_friction.engine.models.llama.gguf_header import read_header

    found = read_header(file).architecture
    if found != ARCHITECTURE:
        raise UsageError(
            f"{file.name} is of the architecture '{found}'; distill trains '{ARCHITECTURE}'"
        )


def write(base: Path, out: Path, trained: Mapping[str, Any]) -> None:
    """Write a GGUF file with some of its matrices replaced.

    Args:
        base: the solver's file.
        out: the file to write.
        trained: by transformers' name, the weights of a linear layer, (outputs, inputs), as numpy
            arrays in Hugging Face's order.

    Raises:
        ValueError: a name is not of the file, or a shape is another one.
    """
    import gguf
    import numpy as np

    reader = gguf.GGUFReader(base)
    fields = reader.fields
    layers = int(fields[f"{ARCHITECTURE}.block_count"].contents())
    names = gguf.get_tensor_name_map(gguf.MODEL_ARCH.LLAMA, layers)
    replaced = {
        str(names.get_name(name, try_suffixes=(".weight",))): _ordered(name, weight, fields)
        for name, weight in trained.items()
    }
    writer = gguf.GGUFWriter(out, ARCHITECTURE)
    for field in fields.values():
        if field.name == "general.architecture" or field.name.startswith("GGUF."):
            continue
        several = field.types[0] == gguf.GGUFValueType.ARRAY
        writer.add_key_value(
            field.name,
            field.contents(),
            field.types[0],
            sub_type=field.types[-1] if several else None,
        )
    for tensor in reader.tensors:
        new = replaced.pop(tensor.name, None)
        if new is None:
            writer.add_tensor(tensor.name, tensor.data, raw_dtype=tensor.tensor_type)
        elif list(reversed(tensor.shape.tolist())) != list(new.shape):
            raise ValueError(f"{tensor.name} has the shape {tensor.shape}, not {new.shape}")
        else:
            writer.add_tensor(tensor.name, new.astype(np.float16))
    if replaced:
        raise ValueError(f"{base} has no {', '.join(replaced)}")
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()


def _ordered(name: str, weight: Any, fields: Mapping[str, Any]) -> Any:
    """A weight in llama.cpp's order: it turns neighbours by an angle, transformers halves."""
    kinds = {"q_proj": "head_count", "k_proj": "head_count_kv"}
    kind = next((each for part, each in kinds.items() if f".{part}." in name), None)
    if kind is None:
        return weight
    import numpy as np

    heads = int(fields[f"{ARCHITECTURE}.attention.{kind}"].contents())
    halves = weight.reshape(heads, 2, len(weight) // heads // 2, -1)
    return np.ascontiguousarray(halves.swapaxes(1, 2)).reshape(weight.shape)
