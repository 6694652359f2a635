"""What a network would become if fine-tuning from a parent were linear: f(θp) + α · J(θp) (θc - θp).

Yu & Wang, "Neural Lineage", CVPR 2024 (arXiv 2406.11129), Sec. 3.2. Four ways; the first two are for use, the others
referee them:

* :func:`jvp` and :func:`jvps`: forward-mode differentiation gives J·Δ itself, exactly, for the price of about three
  forward passes and in memory that does not grow with the number of outputs;
* :func:`taylor`: the paper's efficient form, S(fp, fc) + α⟨∇S, Δ⟩: one backward pass a similarity, and all that
  there is for a network without forward mode;
* :func:`finite_difference`, which rounding limits;
* :func:`explicit_jacobian`, for small cases.

A network is a function of its parameters on fixed probes: see :meth:`Network.features
<lineage_graph.features.models.Network.features>`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager

import torch
from torch import Tensor
from torch.nn.attention import SDPBackend, sdpa_kernel

from lineage_graph.errors import FeaturesUnavailableError
from lineage_graph.features.similarity import Similarity

Parameters = dict[str, Tensor]
"""Parameters by name."""

FeatureFunction = Callable[[Parameters], Tensor]
"""Features on fixed probes, shape (probes, features), as a function of the parameters."""


@contextmanager
def differentiable_attention() -> Iterator[None]:
    """Forward mode has no rule for the fused attention kernels: use the plain one."""
    with sdpa_kernel(SDPBackend.MATH):
        yield


@contextmanager
def _forward_mode() -> Iterator[None]:
    try:
        with torch.no_grad(), differentiable_attention():
            yield
    except torch.OutOfMemoryError as error:  # a RuntimeError, too; the other forms take more
        raise MemoryError("the GPU is out of memory") from error
    except RuntimeError as error:
        detail = " ".join(str(error).split())[:160]
        raise FeaturesUnavailableError(f"the network has no forward mode ({detail})") from error


def difference(child: Parameters, parent: Parameters) -> Parameters:
    """Δ = θc - θp over the parent's parameters; 0 where the child has none of that name and shape (a new head)."""
    return {
        name: child[name] - values if name in child and child[name].shape == values.shape else torch.zeros_like(values)
        for name, values in parent.items()
    }


def jvp(features: FeatureFunction, parent: Parameters, delta: Parameters) -> tuple[Tensor, Tensor]:
    """f(θp) and J·Δ, both of shape (probes, features), in one pass.

    Raises :class:`FeaturesUnavailableError` where an operation has no forward mode.
    """
    with _forward_mode():
        found = torch.func.jvp(features, (parent,), (delta,))
    return found[0], found[1]


def jvps(features: FeatureFunction, parent: Parameters, deltas: Sequence[Parameters]) -> tuple[Tensor, Tensor]:
    """f(θp), shape (probes, features), and J·Δ for each child, shape (children, probes, features).

    The children share one primal pass: only tangents are batched. Memory grows with the number of children. Raises as
    :func:`jvp` does.
    """
    stacked = {name: torch.stack([delta[name] for delta in deltas]) for name in parent}

    def push(delta: Parameters) -> tuple[Tensor, Tensor]:
        found = torch.func.jvp(features, (parent,), (delta,))
        return found[0], found[1]

    with _forward_mode():
        primals, tangents = torch.func.vmap(push, out_dims=(None, 0))(stacked)  # type: ignore[arg-type]
    return primals, tangents


def vjp(features: FeatureFunction, parent: Parameters) -> tuple[Tensor, Callable[[Tensor], Parameters]]:
    """f(θp), shape (probes, features), and the pullback u ↦ Jᵀu, which may be called any number of times."""
    leaves = {name: values.detach().requires_grad_() for name, values in parent.items()}
    with torch.enable_grad():
        primal = features(leaves)

    def pull(cotangent: Tensor) -> Parameters:
        gradients = torch.autograd.grad(
            primal, list(leaves.values()), cotangent, retain_graph=True, allow_unused=True, materialize_grads=True
        )
        return dict(zip(leaves, gradients, strict=True))

    return primal.detach(), pull


def taylor(
    similarity: Similarity,
    features: FeatureFunction,
    parent: Parameters,
    child: Tensor,
    delta: Parameters,
    alpha: float = 1.0,
) -> tuple[Tensor, Tensor]:
    """S(fp, fc) and S(fp, fc) + α⟨∇θp S, Δ⟩, scalars, for the child's features ``child``, shape (probes, features)."""
    primal, pull = vjp(features, parent)
    plain, slope = value_and_slope(similarity, primal, child)
    return plain, plain + alpha * inner(pull(slope), delta)


def value_and_slope(similarity: Similarity, parent: Tensor, child: Tensor) -> tuple[Tensor, Tensor]:
    """S(fp, fc), a scalar, and ∇fp S, shape (probes, features)."""
    leaf = parent.detach().requires_grad_()
    with torch.enable_grad():
        value = similarity(leaf, child.detach())
        (slope,) = torch.autograd.grad(value, leaf)
    return value.detach(), slope


def inner(a: Parameters, b: Parameters) -> Tensor:
    """⟨a, b⟩ over the parameters of ``a``, a scalar."""
    return torch.stack([(values * b[name]).sum() for name, values in a.items()]).sum()


def finite_difference(features: FeatureFunction, parent: Parameters, delta: Parameters, step: float = 1e-3) -> Tensor:
    """(f(θp + hΔ) - f(θp - hΔ)) / 2h, shape (probes, features): J·Δ up to O(h²), and up to cancellation."""
    with torch.no_grad():
        ahead = features({name: values + step * delta[name] for name, values in parent.items()})
        behind = features({name: values - step * delta[name] for name, values in parent.items()})
    return (ahead - behind) / (2 * step)


def explicit_jacobian(features: FeatureFunction, parent: Parameters, delta: Parameters) -> Tensor:
    """J·Δ from the whole Jacobian, shape (probes, features). Its memory is parameters × probes × features."""
    with differentiable_attention():
        jacobian: Parameters = torch.func.jacrev(features)(parent)
    with torch.no_grad():
        # Each block has the shape (probes, features, *shape of the parameter).
        blocks = [block.flatten(2) @ delta[name].flatten() for name, block in jacobian.items()]
        return torch.stack(blocks).sum(dim=0)
