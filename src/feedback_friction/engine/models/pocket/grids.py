"""The weights of a Llama made ready for exact arithmetic: which grid each number is rounded to.

Queries, keys, values and the weights of attention are on grids too, chosen from what the weights
allow at most (``Exact.reach``): a key or value is a whole number of at most 24 bits, and a query
has the bits that this and the sum over a head leave of 53, so that their products add up exactly.
"""

from __future__ import annotations

import math

import numpy as np

from feedback_friction.engine.models.pocket.exact import (
    MANTISSA,
    SLACK,
    Array,
    Exact,
    UnboundedError,
    floor_log2,
    of_bounded,
    of_normed,
    with_bits,
)
from feedback_friction.engine.models.pocket.folder import Shape

KEY_BITS = 24  # of keys and values: what a float32 can hold
WEIGHT_BITS = 28  # of a weight of attention: 24 + 28 leave one for the roundings of many weights
TOO_COARSE = 8  # a grid of 2^-8 is too coarse for anything


class Layer:
    """One layer's matrices and grids.

    Attributes:
        attend: from a normed row to queries, keys and values, side by side.
        attend_gain: the gain of the norm before, times the scale of ``attend``.
        query_scale, key_scale, value_scale: what each is multiplied with before rounding; that of
            queries holds the 1 / sqrt(head) of the scores.
        key_unit, value_unit: what rounded keys and values are multiplied with, so that their
            products with rounded queries and weights are scores and mixed values.
        output: from mixed values to the residual stream.
        widen: from a normed row to the gate and what it lets through, side by side.
        widen_gain: the gain of the norm before, times the scale of ``widen``.
        narrow: from the gated row to the residual stream.
    """

    def __init__(self, shape: Shape, weights: dict[str, Array], number: int) -> None:
        """Choose the grids of a layer; raises ``UnboundedError`` where there are none."""

        def of(name: str) -> Array:
            return weights[f"model.layers.{number}.{name}.weight"]

        def joined(*names: str) -> Array:
            return np.concatenate([of(name) for name in names]).T

        gain = of("input_layernorm")
        names = ("self_attn.q_proj", "self_attn.k_proj", "self_attn.v_proj")
        self.attend = Exact(joined(*names), of_normed(gain))
        self.attend_gain = gain * self.attend.scale
        mixed_reach = self._choose_grids(shape)
        self.output = Exact(of("self_attn.o_proj").T, of_bounded(mixed_reach))
        gain = of("post_attention_layernorm")
        self.widen = Exact(joined("mlp.gate_proj", "mlp.up_proj"), of_normed(gain))
        self.widen_gain = gain * self.widen.scale
        gate, up = np.split(self.widen.reach, 2)  # |silu(x)| <= |x|
        self.narrow = Exact(of("mlp.down_proj").T, of_bounded(gate * up * SLACK))

    def _choose_grids(self, shape: Shape) -> Array:
        """Set scales and units of attention; returns the most that its mixed values can be."""
        wide, narrow = shape.heads * shape.head, shape.groups * shape.head
        query, key, value = np.split(self.attend.reach, [wide, wide + narrow])
        # turning by its position makes a component at most sqrt 2 larger
        turned, root = math.sqrt(2) * SLACK, 1 / math.sqrt(shape.head)
        query_bits = MANTISSA - KEY_BITS - math.ceil(math.log2(shape.head))
        query_grid = query_bits - 1 - floor_log2(float(query.max()) * turned * root)
        key_grid = KEY_BITS - 1 - floor_log2(float(key.max()) * turned)
        value_grid = KEY_BITS - 1 - floor_log2(float(value.max()))
        if min(query_grid, key_grid, value_grid) < TOO_COARSE:
            raise UnboundedError
        self.query_scale = root * 2.0**query_grid
        self.key_scale, self.key_unit = 2.0**key_grid, 2.0 ** -(key_grid + query_grid)
        self.value_scale, self.value_unit = 2.0**value_grid, 2.0 ** -(value_grid + WEIGHT_BITS)
        # the weights of a row add up to 1, but each is rounded by half a unit
        excess = 1 + shape.context * 2.0**-WEIGHT_BITS
        reach = (value * SLACK + 2.0**-value_grid) * excess
        by_group = reach.reshape(shape.groups, shape.head)
        mixed: Array = np.repeat(by_group, shape.heads // shape.groups, axis=0).reshape(-1)
        return mixed


class Weights:
    """All that a step needs of a model; nothing of it ever changes, so that threads share it.

    Attributes:
        shape: the sizes.
        embeddings: [vocabulary, hidden].
        layers: the layers.
        head: from a normed row to scores.
        head_gain: the gain of the norm before, times the scale of ``head``.
        cosines, sines: of rotary positions, [context, 1, head / 2].
    """

    def __init__(self, shape: Shape, weights: dict[str, Array]) -> None:
        """Get weights ready.

        Args:
            weights: by Hugging Face's names, matrices as [outputs, inputs].

        Raises:
            UnboundedError: weights so large that sums cannot be kept exact.
        """
        self.shape = shape
        self.embeddings = weights["model.embed_tokens.weight"]
        self.layers = [Layer(shape, weights, number) for number in range(shape.layers)]
        gain = weights["model.norm.weight"]
        head = self.embeddings if shape.tied else weights["lm_head.weight"]
        self.head = Exact(head.T, of_normed(gain))
        self.head_gain = gain * self.head.scale
        self.cosines, self.sines = rotations(shape)


def rotations(shape: Shape) -> tuple[Array, Array]:
    """Cosines and sines of rotary positions, [context, 1, head / 2], rounded to whole 2^-30.

    Frequency i of n is theta^(-i/n), as in Hugging Face's Llama. Mathematical libraries differ in
    the last bits; rounded, the tables of ``pocket/abacus`` are the same with all of them, and of
    other folders most likely.
    """
    half = shape.head // 2
    powers = np.array([shape.theta ** (-number / half) for number in range(half)])
    angles = np.arange(shape.context)[:, None, None] * with_bits(powers, 40)
    cosines, sines = (np.rint(f(angles) * 2.0**30) * 2.0**-30 for f in (np.cos, np.sin))
    return cosines, sines
