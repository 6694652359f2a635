"""One candidate parent against all models that may descend from it, by every measure: what the bench of generations
ranks candidates with.

Heavy libraries are imported by the worker that measures.
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING

from lineage_graph.features.settings import ProbeSettings

if TYPE_CHECKING:
    from torch import Tensor

    from lineage_graph.features.models import Network

WEIGHTS_L1, WEIGHTS_L2 = "weights l1", "weights l2"
COMBINED = "weights and linearized features"
PLAIN, LINEARIZED = ", without", ", with"
"""What a similarity's name ends with: the child against the candidate, and against the linearized candidate."""

BARE = "l1, with, running statistics left out"

SCHEMA = 3
"""Raise it when a measure changes its meaning."""

_KEPT = 128
"""Networks, and their features, that a worker keeps: each candidate is held against the same children."""


@dataclass(frozen=True, slots=True)
class ScoreTask:
    """Weights files of one candidate and of its possible ``children``; ``side``: pixels of the probes."""

    candidate: str
    children: tuple[str, ...]
    architecture: str
    probes: ProbeSettings
    side: int


Scores = Mapping[str, list[float]]
"""By measure: one score a child, in order, the higher the more alike."""


def measure(task: ScoreTask) -> Scores:
    """Every measure for every child. Raises :class:`~lineage_graph.errors.ModelError`.

    Without approximation S(fp, fc), with it S(fp + J(θp)(θc - θp), fc). J is the derivative of the folded network
    (``features.folding``); :data:`BARE` is l1 with the derivative by the parameters as they are, which knows nothing of
    what fine-tuning did to the running statistics.
    """
    from lineage_graph.features.approximate import Child, approximate
    from lineage_graph.features.folding import folded
    from lineage_graph.features.similarity import SIMILARITIES

    parent, children = (
        _loaded(task.candidate, task.architecture),
        [_loaded(path, task.architecture) for path in task.children],
    )
    exact, straight = folded(parent), [folded(child) for child in children]
    outputs = [_features(path, task.architecture, task.probes, task.side) for path in task.children]
    probes, layer = _probes(task.probes, task.side), parent.layer(task.probes.depth)
    whole = approximate(
        exact.features(layer, probes),
        exact.parameters,
        [Child(child.parameters, values) for child, values in zip(straight, outputs, strict=True)],
    )
    bare = approximate(
        parent.features(layer, probes),
        parent.parameters,
        [Child(child.parameters, values) for child, values in zip(children, outputs, strict=True)],
        {"l1": SIMILARITIES["l1"]},
    )
    scores: dict[str, list[float]] = {}
    for name in SIMILARITIES:
        scores[name + PLAIN] = [found.plain[name] for found in whole]
        scores[name + LINEARIZED] = [found.linearized[name] for found in whole]
    scores[BARE] = [found.linearized["l1"] for found in bare]
    weights = [_weight_distances(parent, child) for child in children]
    scores[WEIGHTS_L1] = [-absolute for absolute, _ in weights]
    scores[WEIGHTS_L2] = [-squared for _, squared in weights]
    parameters = sum(values.numel() for values in parent.parameters.values())
    scores[COMBINED] = [
        likelihood(-one, parameters) + likelihood(-two, outputs[0].numel())
        for one, two in zip(scores[WEIGHTS_L2], scores["l2" + LINEARIZED], strict=True)
    ]
    return scores


def likelihood(mean_square: float, count: int) -> float:
    """Log-likelihood of ``count`` normal deviations of unknown variance, up to a constant.

    At its most likely variance, the mean square, it is -count/2 · ln(mean square). Summed over independent observations
    it weighs each by what it knows, with nothing to tune.
    """
    return -0.5 * count * math.log(max(mean_square, 1e-30))


def _weight_distances(a: Network, b: Network) -> tuple[float, float]:
    """Mean |a - b| and mean (a - b)² over the body's parameters."""
    import torch

    gaps = torch.cat([(values - b.parameters[name]).flatten().double() for name, values in a.parameters.items()])
    return float(gaps.abs().mean()), float(gaps.square().mean())


@lru_cache(maxsize=_KEPT)
def _loaded(path: str, architecture: str) -> Network:
    from lineage_graph.features.models import load_network

    return load_network(Path(path), architecture)


@lru_cache(maxsize=_KEPT)
def _features(path: str, architecture: str, settings: ProbeSettings, side: int) -> Tensor:
    """The model's own features on the probes, shape (probes, features)."""
    import torch

    network = _loaded(path, architecture)
    with torch.no_grad():
        return network.features(network.layer(settings.depth), _probes(settings, side))(network.parameters)


@lru_cache(maxsize=1)
def _probes(settings: ProbeSettings, side: int) -> Tensor:
    from lineage_graph.features.probes import built_in

    return built_in(settings.count, (3, side, side), settings.seed)


def to_bytes(scores: Scores) -> bytes:
    """Serialise as JSON."""
    return json.dumps(scores).encode()


def from_bytes(data: bytes) -> Scores:
    """The inverse of :func:`to_bytes`. Raises ``ValueError`` on bytes that are none."""
    scores = json.loads(data)
    if not isinstance(scores, dict):
        raise ValueError(f"no scores: {type(scores).__name__}")
    return scores
