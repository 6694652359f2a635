"""J·v by reverse mode alone, for networks with an operation that has no forward mode.

The pullback u ↦ Jᵀu is linear in u, and the derivative of ⟨Jᵀu, v⟩ with respect to u is J·v: one backward pass through
a backward pass, exact, at about the price of forward mode and in more memory (the graph of both passes).
"""

from __future__ import annotations

import torch
from torch import Tensor

from lineage_graph.errors import FeaturesUnavailableError
from lineage_graph.features.linearize import FeatureFunction, Parameters, differentiable_attention


def double_vjp(features: FeatureFunction, parent: Parameters, delta: Parameters) -> Tensor:
    """J·Δ, shape (probes, features). Raises :class:`FeaturesUnavailableError` where it cannot be had this way either.

    ``delta``: by the names of ``parent``; parameters that no feature depends on count for nothing.
    """
    leaves = {name: values.detach().requires_grad_() for name, values in parent.items()}
    try:
        with torch.enable_grad(), differentiable_attention():
            primal = features(leaves)
            cotangent = torch.zeros_like(primal, requires_grad=True)
            pulled = torch.autograd.grad(primal, list(leaves.values()), cotangent, create_graph=True, allow_unused=True)
            pairs = [(slope, delta[name]) for name, slope in zip(leaves, pulled, strict=True) if slope is not None]
            slopes, steps = zip(*pairs, strict=True)
            (pushed,) = torch.autograd.grad(slopes, cotangent, steps)
    except (RuntimeError, ValueError) as error:
        detail = " ".join(str(error).split())[:160]
        raise FeaturesUnavailableError(f"the network cannot be differentiated twice ({detail})") from error
    return pushed.detach()
