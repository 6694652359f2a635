"""Ask a trained detector: which of these candidates is the child's nearest ancestor, or is none of them?"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from lineage_graph.detector.card import Card, read
from lineage_graph.detector.images import FEATURES, SCALARS, WEIGHTS, Plane, gather, plane
from lineage_graph.detector.portrait import Portrait
from lineage_graph.types import FloatArray

if TYPE_CHECKING:
    from lineage_graph.detector.neural.network import Detector

SHIPPED = Path(__file__).with_name("detector.safetensors")
"""The detector that comes with the package; its card names the command that makes it."""

KINDS = {WEIGHTS: "weights", FEATURES: "features"}
"""Names of the kinds of layers, in the card."""
WATCHED = ("drift", "growth", "tailing", "alignment")
"""Scalars of the nearest candidate that have to lie in the ranges of the training."""


@dataclass(frozen=True, slots=True)
class TrainedDetector:
    """The network and what is known of it."""

    network: Detector
    card: Card


@dataclass(frozen=True, slots=True)
class Answer:
    """``probabilities`` (candidates,), of being the child's nearest ancestor among them, and ``none``, that it has no
    ancestor there, add up to 1. Where the detector abstains, they are all 0 and ``abstained`` says why.
    """

    probabilities: FloatArray
    none: float
    abstained: str = ""


@lru_cache(maxsize=4)
def load(path: Path | None = None) -> TrainedDetector:
    """The detector at ``path``, or the one that comes with the package; read once a process.

    Raises :class:`~lineage_graph.errors.SourceError` or :class:`~lineage_graph.errors.CheckpointError`.
    """
    return TrainedDetector(*read(path or SHIPPED))


def answer(
    detector: TrainedDetector, child: Portrait, candidates: Sequence[Portrait], mode: str | None = None
) -> Answer:
    """Score ``candidates``, at least one, in any order.

    ``mode``: ``weights`` or ``representation`` looks at these alone; ``None`` at all that the detector was trained on.
    A candidate that shares no layer with the child has probability 0. Raises ``ValueError`` for an unknown mode.
    """
    import torch

    from lineage_graph.detector.neural.network import MODES, collate

    network = detector.network
    wanted = set(network.kinds) & set(MODES[mode] if mode in MODES else _refuse(mode, network.kinds))
    planes = [plane(layer) for layer in gather(child, candidates) if layer.kind in wanted]
    reason = abstention(planes, detector.card)
    if reason:
        return Answer(np.zeros(len(candidates), dtype=np.float32), 0.0, reason)
    with torch.inference_mode():
        shares = torch.softmax(network(collate([planes]))[0].double(), dim=0).numpy().astype(np.float32)
    return Answer(shares[:-1], float(shares[-1]))


def _refuse(mode: str | None, kinds: tuple[int, ...]) -> tuple[int, ...]:
    if mode is not None:
        raise ValueError(f"mode is weights, representation or both, not {mode!r}")
    return kinds


def abstention(planes: Sequence[Plane], card: Card) -> str:
    """Why the detector should not answer; empty where it may.

    It may not where nothing can be compared, and where for more than half of the layers the nearest candidate lies
    outside of what training has shown.
    """
    if not planes:
        return "no layer in common with any candidate"
    strange: list[str] = []
    for one in planes:
        nearest = nearest_scalars(one)
        ranges = card.ranges.get(KINDS[one.kind], {})
        outside = [name for name in WATCHED if not _within(nearest[name], ranges.get(name))]
        strange += outside[:1]
    if 2 * len(strange) <= len(planes):
        return ""
    common = max(sorted(set(strange)), key=strange.count)
    return f"unlike anything in training: {common} in {len(strange)} of {len(planes)} layers"


def nearest_scalars(one: Plane) -> dict[str, float]:
    """The scalars of the candidate that lies nearest in this layer, by name."""
    excess = np.where(one.present, one.scalars[:, SCALARS.index("excess")], np.inf)
    return dict(zip(SCALARS, map(float, one.scalars[int(np.argmin(excess))]), strict=True))


def _within(value: float, bounds: Sequence[float] | None) -> bool:
    return bounds is None or bounds[0] <= value <= bounds[1]
