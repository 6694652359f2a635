"""Linearized scoring of a whole zoo, all pairs against pruned ones: ``lgraph bench pruning``.

Both ways score candidate parents by the linearized l1 distance (Neural Lineage, Sec. 3.2), with the same code, the same
workers and every network held in memory; what differs is which pairs are scored. The pruned way also pays for the
fingerprints, the linearized features at the anchor and the search.
"""

from __future__ import annotations

import time
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING

from lineage_graph.bench.markdown import table
from lineage_graph.bench.zoo import grown
from lineage_graph.candidates import propose
from lineage_graph.executors import Executor, make_executor
from lineage_graph.features.settings import ProbeSettings
from lineage_graph.store import Store
from lineage_graph.types import Model, Progress

if TYPE_CHECKING:
    from lineage_graph.features.models import Network

MODELS, SEED = 150, 1
BATCH = 8
"""Children that share one primal pass."""
HELD = 512
"""Networks that a worker keeps in memory."""


@dataclass(frozen=True, slots=True)
class ParentTask:
    """One candidate parent and the children to score with it: (path, timm name) each."""

    parent: tuple[str, str | None]
    children: tuple[tuple[str, str | None], ...]
    probes: ProbeSettings


def score(task: ParentTask) -> tuple[float, ...]:
    """Linearized l1 distance to each child, in units of the parent's spread of features."""
    from lineage_graph.features.anchored import probes_for
    from lineage_graph.features.linearize import difference, jvps

    parent = _network(*task.parent)
    layer = parent.layer(task.probes.depth)
    probes = probes_for(parent, task.probes)
    features = parent.features(layer, probes, pool=True)
    distances: list[float] = []
    for start in range(0, len(task.children), BATCH):
        children = [_network(*child) for child in task.children[start : start + BATCH]]
        deltas = [difference(child.parameters, parent.parameters) for child in children]
        primal, tangents = jvps(features, parent.parameters, deltas)
        spread = float((primal - primal.mean(dim=0)).abs().mean())
        for child, tangent in zip(children, tangents, strict=True):
            own = child.features(layer, probes, pool=True)(child.parameters)
            distances.append(float((primal + tangent - own).abs().mean()) / max(spread, 1e-30))
    return tuple(distances)


@lru_cache(maxsize=HELD)
def _network(path: str, architecture: str | None) -> Network:
    from lineage_graph.features.folding import folded
    from lineage_graph.features.models import load_network

    return folded(load_network(Path(path), architecture))


def run(workdir: Path, progress: Progress) -> str:
    """Time both ways in turn over the zoo of ``MODELS``, and count the models whose chosen parent is the same."""
    probes = ProbeSettings()
    zoo = grown(MODELS, SEED, workdir, progress)
    models = zoo.zoo.models
    with make_executor() as executor:
        list(executor.map(score, [_task(models[0], [models[0]], probes)]))  # workers start and import
        start = time.perf_counter()
        fresh = Store(workdir / "fresh")
        with_features = grown(MODELS, SEED, workdir, progress, probes=probes, store=fresh).zoo.models
        near: dict[str, list[Model]] = defaultdict(list)
        by_id = {model.id: model for model in with_features}
        pairs = propose(with_features)
        for pair in pairs:
            near[pair.a].append(by_id[pair.b])
            near[pair.b].append(by_id[pair.a])
        preparation = time.perf_counter() - start
        pruned, pruned_seconds = _chosen(executor, models, near, probes, progress, "pruned")
        groups: dict[str, list[Model]] = defaultdict(list)
        for model in models:
            groups[model.fingerprint.signature].append(model)
        everyone = {m.id: [other for other in groups[m.fingerprint.signature] if other is not m] for m in models}
        brute, brute_seconds = _chosen(executor, models, everyone, probes, progress, "all pairs")
    same = sum(pruned.get(model) == parent for model, parent in brute.items()) / len(brute)
    total = preparation + pruned_seconds
    scored = sum(len(others) for others in everyone.values())
    rows = [
        ["all pairs of one shape", scored, brute_seconds, 1.0, 1.0],
        ["pruned", 2 * len(pairs), total, brute_seconds / total, same],
        ["of which fingerprints, features at the anchor, and search", "", preparation, "", ""],
    ]
    header = ["way", "ordered pairs scored", "seconds", "times faster", "same chosen parents"]
    return f"The grown zoo of {MODELS} (recipe digits, seed {SEED}), unordered.\n\n" + table(header, rows)


def _task(parent: Model, children: Sequence[Model], probes: ProbeSettings) -> ParentTask:
    ends = tuple((child.checkpoint.path, child.checkpoint.arch) for child in children)
    return ParentTask((parent.checkpoint.path, parent.checkpoint.arch), ends, probes)


def _chosen(
    executor: Executor,
    models: Sequence[Model],
    partners: Mapping[str, Sequence[Model]],
    probes: ProbeSettings,
    progress: Progress,
    stage: str,
) -> tuple[dict[str, str], float]:
    """Each model's best parent among its partners, and the seconds that scoring took."""
    start = time.perf_counter()
    best: dict[str, tuple[float, str]] = {}
    parents = [model for model in models if partners.get(model.id)]
    outcomes = executor.map(score, [_task(parent, partners[parent.id], probes) for parent in parents])
    for done, (parent, outcome) in enumerate(zip(parents, outcomes, strict=True), start=1):
        for child, distance in zip(partners[parent.id], outcome.value or (), strict=True):
            best[child.id] = min(best.get(child.id, (float("inf"), "")), (distance, parent.id))
        progress(stage, done, len(parents))
    return {child: parent for child, (_, parent) in best.items()}, time.perf_counter() - start
