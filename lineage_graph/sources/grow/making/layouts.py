"""The same function, stored otherwise."""

from __future__ import annotations

from collections.abc import Sequence

import torch

from lineage_graph.sources.grow.making.networks import State
from lineage_graph.sources.grow.steps import Relayout

_NORM_NAMES = {"weight": "gamma", "running_mean": "moving_mean", "running_var": "moving_variance"}
_EPSILON = 1e-5
"""Of torch's batch norm."""


def relayout(step: Relayout, states: Sequence[State], _: str) -> State:
    """See :class:`~lineage_graph.sources.grow.steps.Relayout`."""
    (state,) = states
    return {"transposed": _transposed, "split-qkv": _split_qkv, "fused-norm": _fused_norm}[step.to](state)


def _transposed(state: State) -> State:
    """Names and axes as Keras has them: numbered layers; (in, out) for matrices, (height, width, in, out) for kernels.

    Counters of batches, which Keras does not keep, are left out.
    """
    layers = list(dict.fromkeys(name.rpartition(".")[0] for name in state if "." in name))
    found: State = {}
    for name, values in state.items():
        layer, _, part = name.rpartition(".")
        if not layer:
            found[name] = values
        elif part == "weight" and values.dim() > 1:
            turned = values.permute(2, 3, 1, 0) if values.dim() == 4 else values.T
            found[f"layer_{layers.index(layer)}.kernel"] = turned.contiguous()
        elif part != "num_batches_tracked":
            found[f"layer_{layers.index(layer)}.{_NORM_NAMES.get(part, part)}"] = values
    return found


def _split_qkv(state: State) -> State:
    found: State = {}
    for name, values in state.items():
        if ".qkv." in name:
            parts = zip(("q_proj", "k_proj", "v_proj"), values.chunk(3), strict=True)
            found |= {name.replace("qkv", part): one.clone() for part, one in parts}
        else:
            found[name] = values
    return found


def _fused_norm(state: State) -> State:
    """Every batch norm multiplied into the layer that stands before it in the network's order."""
    layers = list(dict.fromkeys(name.rpartition(".")[0] for name in state))
    norms = [layer for layer in layers if f"{layer}.running_var" in state]
    found = {name: values for name, values in state.items() if name.rpartition(".")[0] not in norms}
    for norm in norms:
        before = layers[layers.index(norm) - 1]
        factor = state[f"{norm}.weight"] / torch.sqrt(state[f"{norm}.running_var"] + _EPSILON)
        kernel = state[f"{before}.weight"]
        found[f"{before}.weight"] = kernel * factor.reshape(-1, *[1] * (kernel.dim() - 1))
        found[f"{before}.bias"] = state[f"{norm}.bias"] - state[f"{norm}.running_mean"] * factor
    return found
