"""The exact form for one pair: what each side would become if fine-tuning towards the other were linear.

Neural Lineage (Yu & Wang, CVPR 2024), Sec. 3.2: S(fp, fc) without, S(fp + J(θp)(θc - θp), fc) with approximation; here
for both candidates of the direction, since nobody says which one is the parent.
"""

from __future__ import annotations

import json
from dataclasses import astuple, dataclass
from pathlib import Path

import torch
from torch import Tensor

from lineage_graph.errors import FeaturesUnavailableError
from lineage_graph.features.anchored import probes_for
from lineage_graph.features.folding import folded
from lineage_graph.features.linearize import difference, jvp
from lineage_graph.features.models import Network, load_network
from lineage_graph.features.settings import ProbeSettings
from lineage_graph.features.similarity import cka
from lineage_graph.types import FeatureComparison

SCHEMA = 2
"""Raise it when a number of :class:`~lineage_graph.types.FeatureComparison` changes its meaning."""


@dataclass(frozen=True, slots=True)
class FeaturePairTask:
    """What a worker needs to compare two checkpoints by their features."""

    path_a: str
    path_b: str
    architecture_a: str | None
    architecture_b: str | None
    probes: ProbeSettings


def compare(task: FeaturePairTask) -> FeatureComparison:
    """Two forward passes and two Jacobian-vector products. Raises :class:`~lineage_graph.errors.ModelError`."""
    a = folded(load_network(Path(task.path_a), task.architecture_a))
    b = folded(load_network(Path(task.path_b), task.architecture_b))
    if a.group != b.group:
        raise FeaturesUnavailableError(f"{a.group} and {b.group} are different networks")
    probes = probes_for(a, task.probes)
    layer = a.layer(task.probes.depth)
    of_a, ahead = _linearized(a, b, probes, layer)
    of_b, back = _linearized(b, a, probes, layer)
    spread = 0.5 * (_spread(of_a) + _spread(of_b))
    return FeatureComparison(
        plain=_distance(of_a, of_b, spread),
        forward=_distance(ahead, of_b, spread),
        backward=_distance(back, of_a, spread),
        cka_plain=float(cka(of_a, of_b)),
        cka_forward=float(cka(ahead, of_b)),
        cka_backward=float(cka(back, of_a)),
    )


def _linearized(parent: Network, child: Network, probes: Tensor, layer: str) -> tuple[Tensor, Tensor]:
    """(fp, fp + J(θp)(θc - θp)), each of shape (probes, features)."""
    delta = difference(child.parameters, parent.parameters)
    primal, tangent = jvp(parent.features(layer, probes, pool=True), parent.parameters, delta)
    return primal, primal + tangent


def _spread(features: Tensor) -> float:
    return float((features - features.mean(dim=0)).abs().mean())


def _distance(one: Tensor, two: Tensor, spread: float) -> float:
    return float((one - two).abs().mean()) / max(spread, float(torch.finfo(torch.float32).tiny))


def to_bytes(comparison: FeatureComparison) -> bytes:
    """Serialise as JSON."""
    return json.dumps(astuple(comparison)).encode()


def from_bytes(data: bytes) -> FeatureComparison:
    """The inverse of :func:`to_bytes`. Raises ``ValueError`` on bytes that are none."""
    try:
        return FeatureComparison(*json.loads(data))
    except TypeError as error:
        raise ValueError(f"no comparison of features: {error}") from error
