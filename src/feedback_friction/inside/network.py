"""Forward passes through a model: attention cut or raised, states read, replaced or added to.

Each prompt is read once, and its keys and values are kept; every intervention on the reply then
costs a pass over the reply's tokens alone, many interventions side by side. That is exact: a cut
concerns the rows that write the reply, from the prompt's last token on, and no row before them.

The cut itself is made in the scores of attention (``attending``), layer by layer, head by head. A
cut in all layers can also be made by a mask: both agree, and a test holds them to it.
"""

from __future__ import annotations

import copy
import inspect
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from feedback_friction.errors import UsageError
from feedback_friction.inside.attending import KIND, Cut, Tap, attend, tapped
from feedback_friction.inside.loading import Loaded

Floats = NDArray[np.float64]
_CLOSE = 1e-2  # of log-probabilities in float32; bfloat16 moves them by more
_NORMS = ("norm", "ln_f", "final_layer_norm", "final_layernorm")


@dataclass(frozen=True, slots=True)
class Arm:
    """An interference with a reply while it is written."""

    added: Mapping[int, Tensor] = field(default_factory=dict)  # by layer, to the states: (width,)
    cut: Cut = field(default_factory=Cut)


@dataclass(frozen=True, slots=True)
class Read:
    """A prompt that was read: all of its tokens, and the keys and values of all but the last."""

    ids: tuple[int, ...]
    cache: Any


NOTHING = Read((), None)


class Network:
    """A model under observation."""

    def __init__(self, loaded: Loaded, batch_bytes: int | None = None) -> None:
        """Take a model in hand.

        Args:
            batch_bytes: memory that what one batch keeps may take, roughly.

        Raises:
            UsageError: its layers are not to be found, or its attention is of another kind than
                the one that is cut here, which a prompt of some tokens shows.
        """
        from transformers import AttentionInterface
        from transformers.masking_utils import ALL_MASK_ATTENTION_FUNCTIONS

        AttentionInterface.register(KIND, attend)
        # Without this one, the function above would be given no mask at all.
        ALL_MASK_ATTENTION_FUNCTIONS.register(KIND, ALL_MASK_ATTENTION_FUNCTIONS["eager"])
        self.loaded, self.model, self.device = loaded, loaded.model, loaded.device
        config = self.model.config.get_text_config()
        self.layers, self.norm = _parts(self.model, config.num_hidden_layers, loaded.source.name)
        self.heads = int(config.num_attention_heads)
        self.most_tokens = int(getattr(config, "max_position_embeddings", 0) or 1 << 30)
        self._vocabulary = int(config.vocab_size)
        groups = getattr(config, "num_key_value_heads", None) or self.heads
        width = getattr(config, "head_dim", None) or config.hidden_size // self.heads
        self._keys = int(groups * width)
        self._ends = _ends(self.model, loaded.tokenizer)
        self._bytes = batch_bytes or (4 << 30 if self.device == "cuda" else 40 << 20)
        named = inspect.signature(self.model.forward).parameters
        self._cached = "cache" if "cache" in named else "past_key_values"  # before 5.40 both
        self._check()

    @property
    def depth(self) -> int:
        """Number of layers."""
        return len(self.layers)

    def _check(self) -> None:
        ids = self._tensor([list(range(3, 40))]) % self._vocabulary
        with torch.no_grad():
            theirs = torch.log_softmax(self.model(input_ids=ids).logits.float(), -1)
            self.model.set_attn_implementation(KIND)
            ours = torch.log_softmax(self.model(input_ids=ids).logits.float(), -1)
        if float((ours - theirs).abs().max()) > _CLOSE * (20 if self.device == "cuda" else 1):
            raise UsageError(
                f"{self.loaded.source.name} has a kind of attention that cannot be cut here "
                f"({self.model.config.model_type}): its scores would be others"
            )

    # --- reading -------------------------------------------------------------------------------

    def read(self, ids: Sequence[int], cut: Cut | None = None, first_row: int = 0) -> Read:
        """Read a prompt: the pass that all others begin with; perhaps cut from a row on."""
        with torch.no_grad(), tapped(Tap([cut] if cut else [], first_row)):
            found = self.model(
                input_ids=self._tensor([list(ids[:-1])]), use_cache=True, logits_to_keep=1
            )
        return Read(tuple(ids), found[self._cached])

    def read_until(self, ids: Sequence[int], end: int) -> Read:
        """A reading of the first tokens alone: what goes on from it are the tokens from ``end``."""
        return self.read([*ids[:end], 0]) if end else NOTHING

    def _after(self, prompt: Read, rows: Sequence[Sequence[int]]) -> Tensor:
        """The scores of rows of tokens that go on from a prompt, side by side."""
        more: dict[str, Any] = {"use_cache": False}
        if prompt.cache is not None:
            cache = copy.deepcopy(prompt.cache)
            cache.batch_repeat_interleave(len(rows))
            more = {self._cached: cache, "use_cache": True}
        logits: Tensor = self.model(input_ids=self._tensor(rows), **more).logits
        return logits

    def logprobs(
        self, prompt: Read, replies: Sequence[Sequence[int]], cuts: Sequence[Cut]
    ) -> list[list[Floats]]:
        """Log-probabilities of replies under cuts: by cut and reply, one a token."""
        found: list[list[Floats]] = [[] for _ in cuts]
        for reply in replies:  # apart, as they differ in length
            rows, at = [prompt.ids[-1], *reply[:-1]], 0
            for chunk in self._chunks(cuts, len(prompt.ids), len(rows)):
                with torch.no_grad(), tapped(Tap(chunk, len(prompt.ids) - 1)):
                    logits = self._after(prompt, [rows] * len(chunk))
                for each in logits:
                    found[at].append(_picked(each, reply))
                    at += 1
        return found

    def logprobs_afresh(
        self, prompt: Sequence[int], reply: Sequence[int], cut: Cut, first_row: int
    ) -> Floats:
        """The same for one cut that begins at any row, in a pass over all tokens."""
        ids = self._tensor([[*prompt, *reply[:-1]]])
        with torch.no_grad(), tapped(Tap([cut], first_row)):
            logits = self.model(input_ids=ids, logits_to_keep=len(reply)).logits[0]
        return _picked(logits, reply)

    def plain(
        self, prompt: Read, reply: Sequence[int], owner: Sequence[int], groups: int
    ) -> tuple[Floats, Floats]:
        """A pass over a reply that changes nothing.

        Args:
            owner: the segment of each of the prompt's tokens, from 0 to ``groups`` - 1; the reply's
                own tokens are segment ``groups``.

        Returns:
            Log-probabilities of the reply's tokens, and the mean attention of its rows to each
            segment, shape (layers, heads, segments).
        """
        rows = [prompt.ids[-1], *reply[:-1]]
        own = torch.tensor([*owner, *[groups] * (len(reply) - 1)], device=self.device)
        tap = Tap([Cut()], 0, torch.nn.functional.one_hot(own, groups + 1))
        with torch.no_grad(), tapped(tap):
            logits = self._after(prompt, [rows])[0]
        weights = torch.stack([tap.kept[layer].float().mean(1) for layer in range(self.depth)])
        return _picked(logits, reply), _floats(weights)

    def scores(self, states: Tensor, tokens: Sequence[int] | None = None) -> Tensor:
        """The scores that the output layer would give tokens from a state (the logit lens)."""
        with torch.no_grad():
            logits = self.model.get_output_embeddings()(self.norm(states))
        picked: Tensor = (logits if tokens is None else logits[..., list(tokens)]).float()
        return picked

    def slopes(self, embedded: Tensor, ways: tuple[int, int]) -> tuple[float, Tensor]:
        """The difference of two tokens' scores after the last position, and its gradient.

        Args:
            embedded: shape (1, tokens, width): what goes into the first layer.
        """
        given = embedded.detach().clone().requires_grad_(True)
        with torch.enable_grad():
            last = self.model(inputs_embeds=given, use_cache=False, logits_to_keep=1).logits[0, -1]
            margin = last[ways[0]] - last[ways[1]]
        (slope,) = torch.autograd.grad(margin, given)
        return float(margin.detach()), slope

    def states(self, prompt: Read, rows: Sequence[int]) -> Tensor:
        """The states after each layer at rows that go on from a prompt: (layers, rows, width)."""
        found: list[Tensor] = []
        with torch.no_grad(), self.hooked(lambda _, hidden: found.append(hidden[0])):
            self._after(prompt, [rows])
        return torch.stack(found)

    # --- changing ------------------------------------------------------------------------------

    @contextmanager
    def hooked(self, act: Callable[[int, Tensor], Tensor | None]) -> Iterator[None]:
        """Have a function see, and perhaps replace, the states after each layer."""

        def hook(layer: int) -> Callable[[Any, Any, Any], Any]:
            def after(_module: Any, _given: Any, out: Any) -> Any:
                hidden = out[0] if isinstance(out, tuple) else out  # a tuple in transformers 4
                changed = act(layer, hidden)
                if changed is None:
                    return None
                return (changed, *out[1:]) if isinstance(out, tuple) else changed

            return after

        handles = [
            module.register_forward_hook(hook(layer)) for layer, module in enumerate(self.layers)
        ]
        try:
            yield
        finally:
            for handle in handles:
                handle.remove()

    def patched(
        self,
        prompt: Read,
        rows: Sequence[int],
        donor: Tensor,
        jobs: Sequence[tuple[int, Sequence[int], Sequence[int]]],
        ways: tuple[int, int],
    ) -> list[float]:
        """The difference of two tokens' scores after the last row, with states replaced.

        Args:
            donor: the states to take, shape (layers, rows of the donor, width).
            jobs: for each, the layer, the rows that are replaced, and the donor's rows.
        """
        found: list[float] = []
        for chunk in self._chunks(jobs, len(prompt.ids), len(rows)):

            def act(layer: int, hidden: Tensor, chunk: Sequence[Any] = chunk) -> Tensor | None:
                mine = [(at, job) for at, job in enumerate(chunk) if job[0] == layer and job[1]]
                if not mine:
                    return None
                hidden = hidden.clone()
                for at, (_, here, there) in mine:
                    hidden[at, list(here)] = donor[layer, list(there)]
                return hidden

            with torch.no_grad(), self.hooked(act):
                last = self._after(prompt, [rows] * len(chunk))[:, -1].float()
            found += (last[:, ways[0]] - last[:, ways[1]]).tolist()
        return found

    def generate(
        self, prompt: Read, arms: Sequence[Arm], most: int, stop: Sequence[str] = ()
    ) -> list[str]:
        """Greedy replies to a prompt, one an arm, each with its own interference.

        Args:
            most: tokens of a reply at most.
            stop: a reply ends before any of these.
        """
        found: list[str] = []
        for chunk in self._chunks(arms, len(prompt.ids) + most, 1):
            found += self._generate(prompt, chunk, most, stop)
        return found

    def _generate(
        self, prompt: Read, arms: Sequence[Arm], most: int, stop: Sequence[str]
    ) -> list[str]:
        cache = copy.deepcopy(prompt.cache)
        cache.batch_repeat_interleave(len(arms))
        written: list[list[int]] = [[] for _ in arms]
        texts: dict[int, str] = {}
        decode = partial(self.loaded.tokenizer.decode, skip_special_tokens=True)
        latest = torch.full((len(arms), 1), prompt.ids[-1], device=self.device)

        def act(layer: int, hidden: Tensor) -> Tensor | None:
            added = [each.added.get(layer) for each in arms]
            if not any(each is not None for each in added):
                return None
            zero = torch.zeros_like(hidden[0, 0])
            return hidden + torch.stack([zero if x is None else x for x in added])[:, None]

        tap = Tap([each.cut for each in arms], len(prompt.ids) - 1)
        with torch.no_grad(), tapped(tap), self.hooked(act):
            for _ in range(most):
                out = self.model(input_ids=latest, **{self._cached: cache, "use_cache": True})
                latest = out.logits[:, -1].argmax(-1, keepdim=True)
                for at, token in enumerate(latest[:, 0].tolist()):
                    if at not in texts:
                        written[at] += [] if token in self._ends else [token]
                        text = decode(written[at]) if stop or token in self._ends else ""
                        ends = [text.index(each) for each in stop if each in text]
                        if token in self._ends or ends:
                            texts[at] = text[: min(ends, default=len(text))]
                if len(texts) == len(arms):
                    break
        return [texts.get(at, decode(each)) for at, each in enumerate(written)]

    def _chunks(self, jobs: Sequence[Any], before: int, rows: int) -> Iterator[Sequence[Any]]:
        """Jobs side by side, as many as their keys, scores of attention and scores take."""
        width = before + rows
        each = 8 * self.depth * self._keys * width + 8 * self.heads * rows * width
        each += 8 * rows * self._vocabulary
        size = max(1, min(len(jobs), self._bytes // each))
        for at in range(0, len(jobs), size):
            yield jobs[at : at + size]

    def _tensor(self, ids: Sequence[Sequence[int]]) -> Tensor:
        return torch.tensor([list(each) for each in ids], device=self.device)


def _ends(model: Any, tokenizer: Any) -> set[int]:
    """The tokens that end a reply."""
    given = model.generation_config.eos_token_id
    ids = given if isinstance(given, list) else [given]
    return {each for each in (*ids, tokenizer.eos_token_id) if each is not None}


def _picked(logits: Tensor, reply: Sequence[int]) -> Floats:
    """The log-probabilities of a reply's tokens; shape of the scores: (rows, vocabulary)."""
    found = torch.log_softmax(logits[: len(reply)].float(), -1)
    wanted = torch.tensor(list(reply), device=logits.device)[:, None]
    return _floats(found.gather(1, wanted)[:, 0])


def _floats(values: Tensor) -> Floats:
    found: Floats = values.detach().cpu().double().numpy()
    return found


def _parts(model: Any, depth: int, name: str) -> tuple[Any, Any]:
    """The layers of a model and the norm after them, by the names that transformers gives them."""
    decoder = model.get_decoder()
    lists = [
        each
        for each in decoder.children()
        if isinstance(each, torch.nn.ModuleList) and len(each) == depth
    ]
    norm = next((each for known, each in decoder.named_children() if known in _NORMS), None)
    if not lists or norm is None:
        raise UsageError(f"{name} is of a kind ({model.config.model_type}) without plain layers")
    return lists[0], norm
