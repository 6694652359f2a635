"""Only the parameters that a feature stage depends on: an early stage sees a small share of a network."""

from __future__ import annotations

from dataclasses import replace

import torch
from torch import Tensor

from lineage_graph.features.linearize import differentiable_attention
from lineage_graph.features.models import Network


def trimmed(network: Network, layer: str, probes: Tensor) -> Network:
    """The same features at ``layer``, with what they do not depend on among the constants.

    ``probes``: one is enough, shape (1, channels, height, width). Raises what :meth:`Network.features
    <lineage_graph.features.models.Network.features>` raises.
    """
    features = network.features(layer, probes, pool=True)
    leaves = {name: values.detach().requires_grad_() for name, values in network.parameters.items()}
    with torch.enable_grad(), differentiable_attention():
        total = features(leaves).sum()
        slopes = torch.autograd.grad(total, list(leaves.values()), allow_unused=True)
    used = {name for name, slope in zip(leaves, slopes, strict=True) if slope is not None}
    rest = {name: values for name, values in network.parameters.items() if name not in used}
    parameters = {name: values for name, values in network.parameters.items() if name in used}
    return replace(network, parameters=parameters, constants={**network.constants, **rest})
