"""One pair of networks, the ways to compare it, and what each costs: the measuring part of the approximation bench.

:func:`measure` runs in a process of its own (:mod:`lineage_graph.bench.isolated`), on one thread; times are the
processor's, which other work on the machine does not lengthen as it does the clock's. The weights are random, and so
are the child's features, which every way is given: cost depends on neither.
"""

from __future__ import annotations

import ctypes
import json
import os
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from torch import Tensor

    from lineage_graph.features.linearize import FeatureFunction, Parameters
    from lineage_graph.features.similarity import Similarity

CHANGE = 1e-2
"""Standard deviation of the child's weights around the parent's, in those of the parent's."""


@dataclass(frozen=True, slots=True)
class Case:
    """A network and its input: ``outputs`` classes, where features are read, and ``batch`` images.

    ``size``: pixels a side, where timm has to be told; other networks are given 64.
    """

    architecture: str
    outputs: int
    batch: int
    size: int | None = None


TINY = Case("test_resnet", outputs=2, batch=1)
"""What warms a process up: it loads code, and leaves next to nothing in memory."""


@dataclass(frozen=True, slots=True)
class Task:
    """``kind``: one of ``KINDS``; ``ways`` × ``similarities`` on one case; ``rounds``: how often each is timed."""

    kind: str
    case: Case
    ways: tuple[str, ...]
    similarities: tuple[str, ...]
    rounds: int = 1


@dataclass(frozen=True)
class Pair:
    """``delta``: θc - θp; ``child``: the child's features, shape (probes, features)."""

    features: FeatureFunction
    parent: Parameters
    delta: Parameters
    child: Tensor


def measure(task: Task) -> dict[str, float]:
    """What the function of ``KINDS`` says, and the machine's load average before it under ``load``."""
    load = os.getloadavg()[0]
    return {**KINDS[task.kind](task), "load": load}


def times(task: Task) -> dict[str, float]:
    """Median seconds by ``"way similarity"``, all of them in turn in each round.

    Before that each way runs once, uncounted: a first pass is slow. Forming the Jacobian takes more than 100 forward
    passes, and is warmed up on a tiny network only.
    """
    warm_up(task.ways)
    pair = make_pair(task.case)
    names = [(way, name) for name in task.similarities for way in task.ways]
    seconds: dict[tuple[str, str], list[float]] = {name: [] for name in names}
    for turn in range(task.rounds + 1):
        for way, name in names:
            if turn or (name == task.similarities[0] and way != "jacobian"):
                start = time.process_time()
                compare(way, name, pair)
                seconds[way, name].append(time.process_time() - start)
    return {f"{way} {name}": statistics.median(spent[-task.rounds :]) for (way, name), spent in seconds.items()}


def memory(task: Task) -> dict[str, float]:
    """Peak memory in MiB of the one way: ``resident`` above the state before, and torch's own, by similarity."""
    (way,) = task.ways
    warm_up(task.ways)
    pair = make_pair(task.case)
    runs = {name: partial(compare, way, name, pair) for name in task.similarities}
    resident = resident_peak(runs[task.similarities[0]])
    return {"resident": resident, **{name: allocated_peak(run) for name, run in runs.items()}}


def scores(task: Task) -> dict[str, float]:
    """Median seconds of the similarity alone: ``"value name"``, and ``"slope name"`` for value and ∇S."""
    import torch

    from lineage_graph.features.linearize import value_and_slope
    from lineage_graph.features.similarity import SIMILARITIES

    dice = torch.Generator().manual_seed(0)
    one, two = torch.randn(2, task.case.batch, task.case.outputs, generator=dice)
    found = {}
    for name in task.similarities:
        similarity = SIMILARITIES[name]
        found[f"value {name}"] = _median(partial(similarity, one, two), task.rounds)
        found[f"slope {name}"] = _median(partial(value_and_slope, similarity, one, two), task.rounds)
    return found


KINDS = {"times": times, "memory": memory, "scores": scores}
"""What is measured."""


def _median(run: Callable[[], object], rounds: int) -> float:
    seconds = []
    for _ in range(rounds + 1):
        start = time.process_time()
        run()
        seconds.append(time.process_time() - start)
    return statistics.median(seconds[1:])


def warm_up(ways: Iterable[str]) -> None:
    """Load the code of the ways."""
    pair = make_pair(TINY)
    for way in ways:
        compare(way, "l1", pair)


def make_pair(case: Case) -> Pair:
    """Parent and child, a small step apart: Δ covers all parameters, the head's too."""
    import torch

    from lineage_graph.features.anchored import anchor
    from lineage_graph.features.models import Network
    from lineage_graph.features.probes import built_in
    from lineage_graph.features.skeleton import Plan, build

    skeleton = build(Plan(case.architecture, classes=case.outputs, size=case.size))
    parent = anchor({name: tuple(values.shape) for name, values in skeleton.module.named_parameters()})
    dice = torch.Generator().manual_seed(0)
    delta = {
        name: torch.randn(values.shape, generator=dice) * CHANGE * values.square().mean().sqrt()
        for name, values in parent.items()
    }
    network = Network(skeleton, parent, {}, (), ())
    features = network.features("", built_in(case.batch, network.input_shape))
    return Pair(features, parent, delta, torch.randn(case.batch, case.outputs, generator=dice))


def compare(way: str, similarity: str, pair: Pair) -> Tensor:
    """The similarity of parent and child in one of the ``WAYS``."""
    from lineage_graph.features.similarity import SIMILARITIES

    return WAYS[way](SIMILARITIES[similarity], pair)


def without(similarity: Similarity, pair: Pair) -> Tensor:
    """S(fp, fc): one plain forward pass."""
    import torch

    with torch.no_grad():
        return similarity(pair.features(pair.parent), pair.child)


def with_jvp(similarity: Similarity, pair: Pair) -> Tensor:
    """S(fp + J·Δ, fc), J·Δ exact by forward mode."""
    from lineage_graph.features.linearize import jvp

    primal, tangent = jvp(pair.features, pair.parent, pair.delta)
    return similarity(primal + tangent, pair.child)


def with_taylor(similarity: Similarity, pair: Pair) -> Tensor:
    """S(fp, fc) + ⟨∇S, Δ⟩: one backward pass."""
    from lineage_graph.features.linearize import taylor

    return taylor(similarity, pair.features, pair.parent, pair.child, pair.delta)[1]


def with_jacobian(similarity: Similarity, pair: Pair) -> Tensor:
    """S(fp + J·Δ, fc), with J formed."""
    import torch

    from lineage_graph.features.linearize import explicit_jacobian

    tangent = explicit_jacobian(pair.features, pair.parent, pair.delta)
    with torch.no_grad():
        return similarity(pair.features(pair.parent) + tangent, pair.child)


WAYS = {"without": without, "jvp": with_jvp, "taylor": with_taylor, "jacobian": with_jacobian}
"""The ways to compare a parent with a child whose features are known."""


def resident_peak(run: Callable[[], object]) -> float:
    """MiB of resident memory that ``run`` takes at most, above what the process had before."""
    _forget_the_past()
    before = _high_water()
    run()
    return _high_water() - before


def _forget_the_past() -> None:
    """On Linux the peak so far is forgotten, and memory that was freed goes back to the system.

    Elsewhere the peak so far is what a new one has to exceed.
    """
    if sys.platform != "linux":
        return
    release = getattr(ctypes.CDLL(None), "malloc_trim", None)  # glibc's
    if release is not None:
        release(0)
    Path("/proc/self/clear_refs").write_text("5", encoding="ascii")


def _high_water() -> float:
    if sys.platform == "linux":
        status = Path("/proc/self/status").read_text(encoding="ascii")
        return int(status.partition("VmHWM:")[2].split()[0]) / 1024
    import resource

    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / (1 << 20)  # macOS counts bytes


def allocated_peak(run: Callable[[], object]) -> float:
    """MiB that torch holds at most while ``run`` runs, beyond what it held before: the same in every run."""
    from torch.profiler import ProfilerActivity, profile

    with tempfile.TemporaryDirectory() as folder, _silent_terminal():
        with profile(activities=[ProfilerActivity.CPU], profile_memory=True) as trace:
            run()
        path = Path(folder) / "trace.json"
        trace.export_chrome_trace(str(path))
        events = json.loads(path.read_text(encoding="utf-8"))["traceEvents"]
    held = highest = 0
    for event in sorted((event for event in events if event.get("name") == "[memory]"), key=lambda event: event["ts"]):
        held += event["args"]["Bytes"]
        highest = max(highest, held)
    return highest / (1 << 20)


@contextmanager
def _silent_terminal() -> Iterator[None]:
    """The profiler's native code announces itself on standard error, past Python's."""
    kept = os.dup(2)
    with Path(os.devnull).open("wb") as nowhere:
        os.dup2(nowhere.fileno(), 2)
    try:
        yield
    finally:
        os.dup2(kept, 2)
        os.close(kept)
