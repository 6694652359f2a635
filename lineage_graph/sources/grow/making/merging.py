"""Several models in one: merged tensor by tensor, or spliced of their blocks."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

from lineage_graph.sources.grow.making.networks import State
from lineage_graph.sources.grow.steps import Merge, Splice

_PARALLEL = 1e-6
"""Sine of the angle below which an arc is as good as a straight line."""


def merge(step: Merge, states: Sequence[State], _: str) -> State:
    """Tensors of floats are merged; counters are the first model's."""
    return {
        name: _merged(step, [state[name] for state in states]) if values.is_floating_point() else values
        for name, values in states[0].items()
    }


def splice(step: Splice, states: Sequence[State], _: str) -> State:
    """The first model, with blocks of all of them in their places."""
    found = dict(states[0])
    for here, donor, there in step.blocks:
        theirs = {name: values for name, values in states[donor].items() if name.startswith(f"{there}.")}
        found |= {here + name.removeprefix(there): values for name, values in theirs.items()}
    return found


def _merged(step: Merge, tensors: list[Tensor]) -> Tensor:
    if step.method == "linear":
        return torch.stack([weight * one for weight, one in zip(step.weights, tensors, strict=True)]).sum(0)
    if step.method == "slerp":
        return _on_arc(tensors[0], tensors[1], step.weights[0])
    base, differences = tensors[0], torch.stack([one - tensors[0] for one in tensors[1:]])
    weights = torch.tensor(step.weights).reshape(-1, *[1] * base.dim())
    if step.method == "arithmetic":
        return base + (weights * differences).sum(0)
    return base + _elected(weights * torch.stack([_largest(one, step.density) for one in differences]))


def _on_arc(first: Tensor, second: Tensor, share: float) -> Tensor:
    """Spherical interpolation (Shoemake, 1985), on the lengths as they are."""
    cosine = torch.nn.functional.cosine_similarity(first.flatten(), second.flatten(), dim=0).clamp(-1, 1)
    angle = torch.arccos(cosine)
    if angle.sin() < _PARALLEL:
        return (1 - share) * first + share * second
    return (((1 - share) * angle).sin() * first + (share * angle).sin() * second) / angle.sin()


def _largest(difference: Tensor, density: float) -> Tensor:
    """The largest entries, the rest 0 (TIES, step 1)."""
    kept = torch.zeros_like(difference)
    places = difference.abs().flatten().argsort(descending=True)[: round(density * difference.numel())]
    kept.view(-1)[places] = difference.flatten()[places]
    return kept


def _elected(differences: Tensor) -> Tensor:
    """The mean of the entries that have the sign of their sum (TIES, steps 2 and 3)."""
    agreeing = torch.where(differences.sign() == differences.sum(0).sign(), differences, 0)
    return agreeing.sum(0) / (agreeing != 0).sum(0).clamp(min=1)
