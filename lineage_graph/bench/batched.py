"""Models of one architecture together or one by one, each with its own weights: ``lgraph bench batched``.

Together: ``torch.func.vmap`` over stacked state dicts. What a build wants of every model is measured: its features as
they are, and its Jacobian-vector product at the anchor that all share, of which the primal pass is then done once. One
thread, as in a build's workers; times are the processor's, all ways in turn in each round.
"""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from lineage_graph.bench.isolated import isolated
from lineage_graph.bench.markdown import table
from lineage_graph.bench.passes import Case, allocated_peak, make_pair
from lineage_graph.types import Progress

if TYPE_CHECKING:
    from torch import Tensor

    from lineage_graph.features.linearize import FeatureFunction, Parameters

PROBES = 16
CASES = (
    Case("test_resnet", outputs=10, batch=PROBES),
    Case("test_vit", outputs=10, batch=PROBES),
    Case("resnet18", outputs=10, batch=PROBES),
    Case("vit_tiny_patch16_224", outputs=10, batch=PROBES, size=64),
)
TOGETHER = (4, 8)
"""Models in a batch."""

ROUNDS = 3
FEATURES, ANCHORED = "features", "at the anchor"


@dataclass(frozen=True, slots=True)
class Task:
    """So many ``models`` of one case."""

    case: Case
    models: int


@dataclass(frozen=True, slots=True)
class Cost:
    """Of one way: median ``seconds`` of the processor, and torch's own peak ``memory`` in MiB, for all models."""

    seconds: float
    memory: float


def run(workdir: Path, progress: Progress) -> str:
    """A row for each network and number of models."""
    tasks = [Task(case, models) for case in CASES for models in TOGETHER]
    rows = []
    for number, task in enumerate(tasks):
        progress("batched", number, len(tasks))
        found = isolated(measure, task)
        cells: list[object] = []
        for what in (FEATURES, ANCHORED):
            alone, together = found[what, False], found[what, True]
            cells += [together.seconds / alone.seconds, together.memory / alone.memory]
        rows.append([task.case.architecture, task.models, *cells])
    progress("batched", len(tasks), len(tasks))
    header = ["network", "models"]
    header += [f"{what}: {figure}" for what in (FEATURES, ANCHORED) for figure in ("time", "memory")]
    text = f"{PROBES} probes; together, in units of one by one (time for all models, memory at its peak).\n\n"
    return text + table(header, rows)


def measure(task: Task) -> dict[tuple[str, bool], Cost]:
    """By what is computed, and whether together. Raises ``AssertionError`` where the two disagree."""
    import torch

    pair = make_pair(task.case)
    dice = torch.Generator().manual_seed(1)
    models = [
        {name: values + 0.01 * torch.randn(values.shape, generator=dice) for name, values in pair.parent.items()}
        for _ in range(task.models)
    ]
    ways: dict[tuple[str, bool], Callable[[], Tensor]] = {
        (FEATURES, False): partial(_one_by_one, pair.features, models),
        (FEATURES, True): partial(_together, pair.features, models),
        (ANCHORED, False): partial(_anchored_one_by_one, pair.features, pair.parent, models),
        (ANCHORED, True): partial(_anchored_together, pair.features, pair.parent, models),
    }
    seconds: dict[tuple[str, bool], list[float]] = {name: [] for name in ways}
    results = {}
    for turn in range(ROUNDS + 1):
        for name, way in ways.items():
            start = time.process_time()
            results[name] = way()
            if turn:
                seconds[name].append(time.process_time() - start)
    for what in (FEATURES, ANCHORED):
        torch.testing.assert_close(results[what, True], results[what, False], rtol=1e-3, atol=1e-3)
    return {name: Cost(statistics.median(seconds[name]), allocated_peak(way)) for name, way in ways.items()}


def _one_by_one(features: FeatureFunction, models: list[Parameters]) -> Tensor:
    import torch

    with torch.no_grad():
        return torch.stack([features(model) for model in models])


def _together(features: FeatureFunction, models: list[Parameters]) -> Tensor:
    import torch

    with torch.no_grad():
        stacked = {name: torch.stack([model[name] for model in models]) for name in models[0]}
        found: Tensor = torch.func.vmap(features)(stacked)
        return found


def _anchored_one_by_one(features: FeatureFunction, anchor: Parameters, models: list[Parameters]) -> Tensor:
    import torch

    from lineage_graph.features.linearize import jvp

    return torch.stack([jvp(features, anchor, model)[1] for model in models])


def _anchored_together(features: FeatureFunction, anchor: Parameters, models: list[Parameters]) -> Tensor:
    from lineage_graph.features.linearize import jvps

    return jvps(features, anchor, models)[1]
