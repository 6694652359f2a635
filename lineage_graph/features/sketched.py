"""Linearized residuals of many children at once, sketched: which candidate parents are worth a race.

The residual of a candidate p and a child c on one probe, r = f(p) + J(p)(c - p) - f(c), is a vector of features. For a
random direction u, ⟨u, r⟩ = ⟨u, f(p) - f(c)⟩ + ⟨J(p)ᵀu, c - p⟩, and one backward pass gives J(p)ᵀu for all children:
each costs no more than an inner product with its weights. A few Gaussian directions for each probe estimate how long r
is (Johnson & Lindenstrauss, 1984); all candidates share them, so that relatives err alike.

What so few directions leave open is filled in by two distances that are exact and free, those of features and of the
weights that they depend on: candidates are ranked by estimate · √(features · weights).
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable
from typing import TYPE_CHECKING

from lineage_graph.executors.base import Executor
from lineage_graph.features.race import Field, ResidualTask, held, measured, own_features
from lineage_graph.features.settings import ProbeSettings
from lineage_graph.types import Progress, silent

if TYPE_CHECKING:
    from torch import Tensor

    from lineage_graph.features.linearize import Parameters
    from lineage_graph.features.models import Network

DIRECTIONS = 3
"""Random directions for each probe."""

SEED = 20240614

KEPT = 8
"""Candidates that are left of each child."""

TOGETHER = 64
"""Children whose weights are side by side in memory."""


def shortened(
    field: Field, probes: ProbeSettings, executor: Executor, progress: Progress = silent, kept: int = KEPT
) -> Field:
    """The field with the ``kept`` most promising candidates of each child, the best first; of equal ones the first.

    Raises :class:`~lineage_graph.errors.SourceError` that names the parent whose network could not be run.
    """
    many = {child: candidates for child, candidates in field.candidates.items() if len(candidates) > kept}
    ranked: dict[str, list[tuple[float, str]]] = defaultdict(list)
    part = (0, probes.count)
    for parent, child, score in measured(scores, Field(field.files, many), probes, part, executor, progress):
        ranked[child].append((score, parent))
    best: dict[str, list[str]] = {}
    for child, scored in ranked.items():
        place = {parent: index for index, parent in enumerate(field.candidates[child])}
        best[child] = [parent for _, parent in sorted(scored, key=lambda one: (one[0], place[one[1]]))[:kept]]
    return Field(field.files, {**field.candidates, **best})


def scores(task: ResidualTask) -> tuple[float, ...]:
    """For each child Σ |⟨u, r⟩| over probes and directions, times √(‖f(p) - f(c)‖₁ · ‖c - p‖₂), 0 to infinity.

    Raises :class:`~lineage_graph.errors.ModelError`.
    """
    import torch

    parent = held(task.parent, task.probes)
    primal = own_features(task.parent, task.probes)[task.start : task.stop]  # (probes, features)
    generator = torch.Generator().manual_seed(SEED)
    directions = torch.randn(len(primal), DIRECTIONS, primal.shape[1], generator=generator)
    slopes = _pulled(parent, task, directions)  # (probes · directions, parameters)
    here = _flat(parent)
    found: list[float] = []
    for start in range(0, len(task.children), TOGETHER):
        children = task.children[start : start + TOGETHER]
        steps = torch.stack([_flat(held(child, task.probes)) for child in children]) - here  # (children, parameters)
        own = torch.stack([own_features(child, task.probes)[task.start : task.stop] for child in children])
        gaps = primal - own  # (children, probes, features)
        plain = torch.einsum("cpf,pdf->cpd", gaps, directions).flatten(1)
        estimate = (plain + steps @ slopes.T).abs().sum(dim=1)
        found += (estimate * (gaps.abs().sum(dim=(1, 2)) * steps.norm(dim=1)).sqrt()).tolist()
    return tuple(found)


def _pulled(network: Network, task: ResidualTask, directions: Tensor) -> Tensor:
    """J(p)ᵀu for each probe and direction, shape (probes · directions, parameters).

    ``directions``: shape (probes, directions, features). Raises :class:`FeaturesUnavailableError` where an operation
    can not be batched.
    """
    import torch

    from lineage_graph.errors import FeaturesUnavailableError
    from lineage_graph.features.anchored import probes_for
    from lineage_graph.features.linearize import differentiable_attention

    features = _by_probe(network, network.layer(task.probes.depth))
    probes = probes_for(network, task.probes)[task.start : task.stop]

    def pull(probe: Tensor, along: Tensor) -> Tensor:
        back = torch.func.vjp(lambda parameters: features(probe, parameters), network.parameters)[1]
        return torch.stack([torch.cat([slope.flatten() for slope in back(u)[0].values()]) for u in along])

    try:
        with differentiable_attention():
            pulled: Tensor = torch.func.vmap(pull)(probes, directions)
            return pulled.flatten(0, 1)
    except RuntimeError as error:
        detail = " ".join(str(error).split())[:160]
        raise FeaturesUnavailableError(f"the network has no gradients by probe ({detail})") from error


def _by_probe(network: Network, layer: str) -> Callable[[Tensor, Parameters], Tensor]:
    """(one probe, parameters) → its features: what can be batched over probes."""
    from lineage_graph.features.layers import as_matrix, run_to

    module = network.skeleton.module
    fixed = {**dict(module.named_buffers()), **network.constants}
    channels_last = getattr(module, "output_fmt", None) == "NHWC"

    def features(probe: Tensor, parameters: Parameters) -> Tensor:
        output = run_to(module, layer, {**fixed, **parameters}, probe[None])
        return as_matrix(output, 1, pool=True, channels_last=channels_last)[0]

    return features


def _flat(network: Network) -> Tensor:
    import torch

    return torch.cat([values.flatten() for values in network.parameters.values()])
