"""LoRA (Hu et al., ICLR 2022): low-rank updates of linear layers, trained and then stored in one of three forms."""

from __future__ import annotations

import math
from collections.abc import Sequence

import torch
from torch import Tensor, nn
from torch.nn.utils import parametrize

from lineage_graph.sources.grow.making.networks import State, head_of, network, without_head
from lineage_graph.sources.grow.making.training import classes, trained
from lineage_graph.sources.grow.steps import Adapt

_PREFIX = "base_model.model."
"""What PEFT puts before the names in an adapter's file."""


class Update(nn.Module):
    """W → W + B·A; A random, B zero at first (Sec. 4.1). The scale α / r is 1."""

    def __init__(self, weight: Tensor, rank: int) -> None:
        super().__init__()
        rows, columns = weight.shape
        self.a = nn.Parameter(torch.empty(rank, columns).uniform_(-1, 1) / math.sqrt(columns))
        self.b = nn.Parameter(torch.zeros(rows, rank))

    def forward(self, weight: Tensor) -> Tensor:
        """The updated weight."""
        return weight + self.b @ self.a


def adapt(step: Adapt, states: Sequence[State], architecture: str) -> State:
    """Train the updates and a new head on the one state, whose own weights stand still."""
    (base,) = states
    model = network(architecture, classes(step.course))
    head = head_of(model)
    model.load_state_dict(without_head(base, head), strict=False)
    for name, values in model.named_parameters():
        values.requires_grad_(name.startswith(f"{head}."))
    updates = {}
    for name, layer in list(model.named_modules()):
        if isinstance(layer, nn.Linear) and name != head:
            updates[name] = Update(layer.weight, step.rank)
            parametrize.register_parametrization(layer, "weight", updates[name])
    trained(model, step.course, architecture)
    return _stored(step, base, {f"{head}.{part}": values for part, values in _head(model, head)}, updates)


def _head(model: nn.Module, head: str) -> list[tuple[str, Tensor]]:
    return [(part, values.detach()) for part, values in model.get_submodule(head).named_parameters()]


def _stored(step: Adapt, base: State, head: State, updates: dict[str, Update]) -> State:
    if step.form == "merged":
        merged = {f"{name}.weight": update(base[f"{name}.weight"]).detach() for name, update in updates.items()}
        return {**base, **merged, **head}
    if step.form == "alone":
        names = {"a": "lora_A.weight", "b": "lora_B.weight"}
        return {
            **{f"{_PREFIX}{name}.{names[part]}": values.detach() for name, part, values in _parts(updates)},
            **{f"{_PREFIX}{name}": values for name, values in head.items()},
        }
    names = {"a": "lora_A.default.weight", "b": "lora_B.default.weight"}
    wrapped = {_wrapped_name(name, updates): values for name, values in {**base, **head}.items()}
    return wrapped | {f"{_PREFIX}{name}.{names[part]}": values.detach() for name, part, values in _parts(updates)}


def _parts(updates: dict[str, Update]) -> list[tuple[str, str, Tensor]]:
    return [(name, part, values) for name, update in updates.items() for part, values in update.named_parameters()]


def _wrapped_name(name: str, updates: dict[str, Update]) -> str:
    """Where PEFT keeps a base's tensor once a layer is wrapped."""
    layer, _, part = name.rpartition(".")
    return f"{_PREFIX}{layer}.base_layer.{part}" if layer in updates else f"{_PREFIX}{name}"
