"""One pair: what each side would become if fine-tuning towards the other were linear.

Neural Lineage (Yu & Wang, CVPR 2024), Sec. 3.2: S(fp, fc) without, S(fp + J(θp)(θc - θp), fc) with approximation; here
for both candidates of the direction, since nobody says which one is the parent. Where a network has no forward mode,
it is the paper's efficient form, S(fp, fc) + ⟨∇S, θc - θp⟩, and the comparison says so.

That form of a distance, mean |d| + mean sign(d)·JΔ with d = fp - fc, can fall below 0 where JΔ overshoots: it is
mean sign(d)·(d + JΔ). Its absolute value is never above the exact mean |d + JΔ|, and for a single feature equal to it:
a lower bound that an overshoot raises as it raises the distance. That is what is kept. CKA is cut to 0 to 1.
"""

from __future__ import annotations

import json
from dataclasses import astuple, dataclass

import torch
from torch import Tensor

from lineage_graph.errors import FeaturesUnavailableError
from lineage_graph.features.approximate import Approximation, Child, approximate
from lineage_graph.features.held import Ready, Side, ready
from lineage_graph.features.settings import ProbeSettings
from lineage_graph.features.similarity import SIMILARITIES
from lineage_graph.types import FeatureComparison

SCHEMA = 3
"""Raise it when a number of :class:`~lineage_graph.types.FeatureComparison` changes its meaning."""

_USED = {name: SIMILARITIES[name] for name in ("l1", "cka")}


@dataclass(frozen=True, slots=True)
class FeaturePairTask:
    """What a worker needs to compare two checkpoints by their features."""

    a: Side
    b: Side
    probes: ProbeSettings

    @property
    def paths(self) -> tuple[str, ...]:
        """Of the checkpoints that are read."""
        return (self.a.path, self.b.path)


def compare(task: FeaturePairTask) -> FeatureComparison:
    """Two linearizations, from either side. Raises :class:`~lineage_graph.errors.ModelError`."""
    a, b = ready(task.a, task.probes), ready(task.b, task.probes)
    if a.network.group != b.network.group:
        raise FeaturesUnavailableError(f"{a.network.group} and {b.network.group} are different networks")
    there, back = _towards(a, b), _towards(b, a)
    spread = max(0.5 * (_spread(a.own) + _spread(b.own)), float(torch.finfo(torch.float32).tiny))
    worse = there if there.form == "taylor" else back
    return FeatureComparison(
        plain=-there.plain["l1"] / spread,
        forward=abs(there.linearized["l1"]) / spread,
        backward=abs(back.linearized["l1"]) / spread,
        cka_plain=there.plain["cka"],
        cka_forward=_cut(there.linearized["cka"]),
        cka_backward=_cut(back.linearized["cka"]),
        form=worse.form,
        note=worse.note,
    )


def _towards(parent: Ready, child: Ready) -> Approximation:
    one = Child(child.network.parameters, child.own)
    return approximate(parent.features, parent.network.parameters, [one], _USED)[0]


def _spread(features: Tensor) -> float:
    return float((features - features.mean(dim=0)).abs().mean())


def _cut(cka: float) -> float:
    """Rounding and the Taylor form leave the range of 0 to 1."""
    return min(max(cka, 0.0), 1.0)


def to_bytes(comparison: FeatureComparison) -> bytes:
    """Serialise as JSON."""
    return json.dumps(astuple(comparison)).encode()


def from_bytes(data: bytes) -> FeatureComparison:
    """The inverse of :func:`to_bytes`. Raises ``ValueError`` on bytes that are none."""
    try:
        return FeatureComparison(*json.loads(data))
    except TypeError as error:
        raise ValueError(f"no comparison of features: {error}") from error
