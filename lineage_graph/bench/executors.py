"""What it costs to hand a task to a worker: ``lgraph bench executors``.

Tasks that do nothing, through each executor: what is left is the overhead of one task. Then tasks of 50 ms each, for
how much of two workers' time is work.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path

from lineage_graph.bench.markdown import table
from lineage_graph.executors import Executor, make_executor
from lineage_graph.types import Progress

JOBS = 2
EMPTY, NAPS, NAP = 2000, 200, 0.05
"""Tasks that do nothing, tasks that wait, and for how many seconds."""


def run(workdir: Path, progress: Progress) -> str:
    """One row an executor."""
    executors = {"this process": make_executor(1), "processes": make_executor(JOBS), "Ray": make_executor(JOBS, "ray")}
    rows = []
    for number, (name, executor) in enumerate(executors.items()):
        progress("executors", number, len(executors))
        workers = 1 if name == "this process" else JOBS
        with executor:
            start = time.perf_counter()
            _drain(executor, abs, [0.0] * workers * 2)
            started = time.perf_counter() - start
            empty = _drain(executor, abs, [0.0] * EMPTY) / EMPTY
            naps = _drain(executor, time.sleep, [NAP] * NAPS)
        rows.append([name, workers, f"{started:.1f} s", f"{1000 * empty:.2f} ms", f"{NAPS * NAP / workers / naps:.0%}"])
    progress("executors", len(executors), len(executors))
    header = ["executor", "workers", "start", "overhead a task", f"of tasks of {1000 * NAP:.0f} ms, share that is work"]
    return table(header, rows)


def _drain(executor: Executor, function: Callable[[float], object], items: list[float]) -> float:
    """Seconds that all tasks take."""
    start = time.perf_counter()
    for outcome in executor.map(function, items):
        if not outcome.ok:
            raise RuntimeError(outcome.message)
    return time.perf_counter() - start
