"""What loses something of the weights: fewer values, zeros, fewer units, noise."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

from lineage_graph.sources.grow.making.hidden import hidden_units, taken
from lineage_graph.sources.grow.making.networks import State
from lineage_graph.sources.grow.steps import Narrow, Noise, Quantize, Sparsify

_LEVELS = {"int8": 127, "int4": 7}
_SCALED_BITS = 8


def quantize(step: Quantize, states: Sequence[State], _: str) -> State:
    """Every matrix on fewer values; the two short float types take in every tensor of floats."""
    (state,) = states
    if step.to in ("float16", "bfloat16"):
        dtype = torch.float16 if step.to == "float16" else torch.bfloat16
        return {name: values.to(dtype) if values.is_floating_point() else values for name, values in state.items()}

    def one(values: Tensor) -> Tensor:
        return _scaled(values) if step.to == "scaled" else _on_lattice(values, _LEVELS[step.to])

    return {name: one(values) if _is_matrix(values) else values for name, values in state.items()}


def sparsify(step: Sparsify, states: Sequence[State], _: str) -> State:
    """The smallest weights of every matrix set to 0."""
    (state,) = states

    def one(values: Tensor) -> Tensor:
        count = round(step.share * values.numel())
        kept = values.clone()
        kept.view(-1)[values.abs().flatten().argsort()[:count]] = 0
        return kept

    return {name: one(values) if _is_matrix(values) else values for name, values in state.items()}


def narrow(step: Narrow, states: Sequence[State], architecture: str) -> State:
    """The hidden units with the smallest weights taken out of every layer; the others stay in their order."""
    (state,) = states
    for units in hidden_units(architecture, state):
        if units.removable:
            sizes = sum((state[at.name].float().abs().flatten(1).mean(1) for at in units.into), torch.zeros(units.size))
            kept = sizes.argsort(descending=True)[: max(1, round((1 - step.share) * units.size))].sort().values
            state = taken(state, units, kept)
    return state


def add_noise(step: Noise, states: Sequence[State], _: str) -> State:
    """Gaussian noise on every matrix."""
    (state,) = states

    def one(values: Tensor) -> Tensor:
        return values + step.level * values.square().mean().sqrt() * torch.randn_like(values)

    return {name: one(values) if _is_matrix(values) else values for name, values in state.items()}


def _is_matrix(values: Tensor) -> bool:
    return values.is_floating_point() and values.dim() > 1


def _on_lattice(values: Tensor, levels: int) -> Tensor:
    """``levels`` steps each side of 0, of a size of their own for each output channel."""
    largest = values.abs().amax(tuple(range(1, values.dim())), keepdim=True)
    size = torch.where(largest > 0, largest / levels, 1.0)
    return torch.round(values / size) * size


def _scaled(values: Tensor) -> Tensor:
    """Integers of eight bits, as floats: the weights times the largest power of two that fits."""
    limit = 2 ** (_SCALED_BITS - 1)
    power = torch.floor(torch.log2((limit - 1) / values.abs().max()))
    return torch.round(values * 2**power).clamp(-limit, limit - 1)
