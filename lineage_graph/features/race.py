"""The candidate parent with the smallest linearized residual, found without measuring all candidates to the end.

Neural Lineage (Yu & Wang, CVPR 2024, Sec. 3.2) scores a candidate parent p of a child c by the l1 distance of
f(p) + J(p)(c - p) from f(c): a mean over probes. The candidates race: all are measured on the first few probes, the
better half goes on to twice as many, until few are left for the rest (successive halving; Jamieson & Talwalkar,
"Non-stochastic Best Arm Identification and Hyperparameter Optimization", AISTATS 2016).
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING

from lineage_graph.errors import SourceError
from lineage_graph.executors.base import Executor
from lineage_graph.features.settings import ProbeSettings
from lineage_graph.types import Progress, silent

if TYPE_CHECKING:
    from torch import Tensor

    from lineage_graph.features.models import Network

FIRST = 4
"""Probes of the first round: fewer drop winners, and save little, since every child has its own tangent."""

TOGETHER = 128
"""Children times probes that share one primal pass: more save no time, and each costs memory."""

HELD = 512
"""Networks that a worker keeps in memory."""


@dataclass(frozen=True, slots=True)
class NetworkFile:
    """A checkpoint's path, and its timm name where the manifest gives one."""

    path: str
    architecture: str | None


@dataclass(frozen=True, slots=True)
class ResidualTask:
    """One candidate parent, children of the same architecture, and which of the probes: from ``start`` to ``stop``."""

    parent: NetworkFile
    children: tuple[NetworkFile, ...]
    probes: ProbeSettings
    start: int
    stop: int


def residuals(task: ResidualTask) -> tuple[float, ...]:
    """For each child Σ over the probes of mean |f(p) + J(p)(c - p) - f(c)|, 0 to infinity.

    Raises :class:`~lineage_graph.errors.ModelError`.
    """
    from lineage_graph.features.anchored import probes_for
    from lineage_graph.features.linearize import difference, jvps

    parent = held(task.parent, task.probes)
    probes = probes_for(parent, task.probes)[task.start : task.stop]
    features = parent.features(parent.layer(task.probes.depth), probes, pool=True)
    found: list[float] = []
    batch = max(1, TOGETHER // len(probes))
    for start in range(0, len(task.children), batch):
        children = task.children[start : start + batch]
        deltas = [difference(held(child, task.probes).parameters, parent.parameters) for child in children]
        primal, tangents = jvps(features, parent.parameters, deltas)
        for child, tangent in zip(children, tangents, strict=True):
            own = own_features(child, task.probes)[task.start : task.stop]
            found.append(float((primal + tangent - own).abs().mean(dim=1).sum()))
    return tuple(found)


@lru_cache(maxsize=HELD)
def held(file: NetworkFile, settings: ProbeSettings) -> Network:
    """The folded network, with the parameters that its features depend on."""
    from lineage_graph.features.anchored import probes_for
    from lineage_graph.features.folding import folded
    from lineage_graph.features.models import load_network
    from lineage_graph.features.trimming import trimmed

    network = folded(load_network(Path(file.path), file.architecture))
    return trimmed(network, network.layer(settings.depth), probes_for(network, settings)[:1])


@lru_cache(maxsize=HELD)
def own_features(file: NetworkFile, settings: ProbeSettings) -> Tensor:
    """The model's own features on all probes, shape (probes, features)."""
    import torch

    from lineage_graph.features.anchored import probes_for

    network = held(file, settings)
    with torch.no_grad():
        features = network.features(network.layer(settings.depth), probes_for(network, settings), pool=True)
        return features(network.parameters)


@dataclass(frozen=True, slots=True)
class Field:
    """Who races: the ``files`` of all models by id, and for each child its ``candidates``."""

    files: Mapping[str, NetworkFile]
    candidates: Mapping[str, Sequence[str]]


def winners(
    field: Field,
    probes: ProbeSettings,
    executor: Executor,
    progress: Progress = silent,
    schedule: Sequence[tuple[int, int]] = (),
) -> dict[str, str]:
    """Each child's best candidate; of equal ones the first wins.

    ``schedule``: (first, last + 1) of the probes of each round, that of :func:`rounds` where none is given; after each
    but the last, the better half goes on. Raises :class:`SourceError` that names the parent whose network could not be
    run.
    """
    left = {child: list(candidates) for child, candidates in field.candidates.items() if candidates}
    total: dict[tuple[str, str], float] = defaultdict(float)
    for start, stop in schedule or rounds(probes.count):
        racing = {child: candidates for child, candidates in left.items() if len(candidates) > 1}
        these, part = Field(field.files, racing), (start, stop)
        for parent, child, residual in measured(residuals, these, probes, part, executor, progress):
            total[parent, child] += residual
        for child, candidates in racing.items():
            ranked = sorted(candidates, key=lambda parent: total[parent, child])
            left[child] = ranked[:1] if stop == probes.count else ranked[: max(1, -(-len(ranked) // 2))]
    return {child: candidates[0] for child, candidates in left.items()}


def rounds(count: int) -> list[tuple[int, int]]:
    """``FIRST`` probes, then in each round as many again as there were, up to ``count``."""
    found = [(0, min(FIRST, count))]
    while found[-1][1] < count:
        stop = found[-1][1]
        found.append((stop, min(2 * stop, count)))
    return found


def measured(
    function: Callable[[ResidualTask], tuple[float, ...]],
    field: Field,
    probes: ProbeSettings,
    part: tuple[int, int],
    executor: Executor,
    progress: Progress,
) -> Iterator[tuple[str, str, float]]:
    """(parent, child, value) of the whole field by ``function``, on ``part`` of the probes; one task a parent.

    Raises as :func:`winners` does.
    """
    children: dict[str, list[str]] = defaultdict(list)
    for child, candidates in field.candidates.items():
        for parent in candidates:
            children[parent].append(child)
    tasks = [
        ResidualTask(field.files[parent], tuple(field.files[child] for child in own), probes, *part)
        for parent, own in children.items()
    ]
    outcomes = executor.map(function, tasks)
    for done, ((parent, own), outcome) in enumerate(zip(children.items(), outcomes, strict=True), start=1):
        if outcome.value is None:
            raise SourceError(f"{parent} could not be linearized: {outcome.error}: {outcome.message}")
        yield from ((parent, child, value) for child, value in zip(own, outcome.value, strict=True))
        progress(f"{function.__name__}, probes {part[0]} to {part[1]}", done, len(tasks))
