"""What it costs to ask the detector, in units of a plain forward pass: the measuring part of the detector's bench.

:func:`measure` runs in a process of its own (:mod:`lineage_graph.bench.isolated`), on one thread, by the processor's
time. Weights are random, and candidates are the child with noise: cost depends on neither.
"""

from __future__ import annotations

import statistics
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from lineage_graph.detector import portrait
from lineage_graph.detector.images import gather, plane
from lineage_graph.detector.portrait import Portrait, PortraitTask, Thumbnail
from lineage_graph.detector.score import answer, load
from lineage_graph.features.settings import ProbeSettings

NOISE = 0.05
"""Standard deviation of the noise, in units of the layer's rms."""


@dataclass(frozen=True, slots=True)
class CostTask:
    """A timm ``architecture``, so many ``candidates``; ``rounds``: how often each part is timed."""

    architecture: str
    candidates: int
    rounds: int


def measure(task: CostTask) -> dict[str, float]:
    """Median seconds of each part, all of them in turn in each round; a first round is not counted.

    ``forward``: the child's network on the probes of a build, to its output; ``portrait``: of the child, from its file;
    ``images``: of the candidates beside it; ``answer``: those, and the detector's network.
    """
    import torch

    from lineage_graph.features.anchored import probes_for
    from lineage_graph.features.models import load_network

    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "child.safetensors"
        _write(path, task.architecture)
        portrayal, detector = PortraitTask(str(path), task.architecture, ProbeSettings()), load()
        child = portrait.compute(portrayal)
        candidates = _candidates(child, task.candidates)
        if reason := answer(detector, child, candidates).abstained:
            raise ValueError(f"{task.architecture}: the detector abstains: {reason}")
        network = load_network(path, task.architecture)
        features = network.features("", probes_for(network, ProbeSettings()))

        def forward() -> None:
            with torch.no_grad():
                features(network.parameters)

        return _medians(
            {
                "forward": forward,
                "portrait": lambda: portrait.compute(portrayal),
                "images": lambda: [plane(layer) for layer in gather(child, candidates)],
                "answer": lambda: answer(detector, child, candidates),
            },
            task.rounds,
        )


def _write(path: Path, architecture: str) -> None:
    import torch
    from safetensors.torch import save_file

    from lineage_graph.timm_compat import import_timm

    torch.manual_seed(0)
    save_file(import_timm().create_model(architecture, num_classes=10).state_dict(), path)


def _candidates(child: Portrait, count: int) -> list[Portrait]:
    dice = np.random.default_rng(0)

    def noisy(thumbnail: Thumbnail) -> Thumbnail:
        noise = NOISE * thumbnail.rms * dice.standard_normal(thumbnail.values.shape)
        return replace(thumbnail, values=(thumbnail.values + noise).astype(np.float32))

    return [Portrait(tuple(map(noisy, child.weights)), tuple(map(noisy, child.features))) for _ in range(count)]


def _medians(parts: dict[str, Callable[[], object]], rounds: int) -> dict[str, float]:
    seconds: dict[str, list[float]] = {name: [] for name in parts}
    for _ in range(rounds + 1):
        for name, run in parts.items():
            start = time.process_time()
            run()
            seconds[name].append(time.process_time() - start)
    return {name: statistics.median(spent[1:]) for name, spent in seconds.items()}
