"""How a stage fans out; results always come back in input order."""

from __future__ import annotations

from typing import Literal

from lineage_graph.executors.base import Executor, Outcome, default_jobs
from lineage_graph.executors.process import ProcessExecutor
from lineage_graph.executors.serial import SerialExecutor

__all__ = ["Executor", "ExecutorKind", "Outcome", "ProcessExecutor", "SerialExecutor", "default_jobs", "make_executor"]

ExecutorKind = Literal["local", "ray"]
"""``local``: this process, or worker processes on this machine. ``ray``: the workers of a Ray cluster."""


def make_executor(jobs: int = 0, kind: ExecutorKind = "local", address: str = "") -> Executor:
    """An executor with ``jobs`` worker processes: 0 for one a core; with 1 and ``local``, everything runs in this
    process. ``address``: of a running Ray cluster. Raises :class:`~lineage_graph.errors.MissingExtraError`.
    """
    if kind == "ray":
        from lineage_graph.executors.ray import RayExecutor

        return RayExecutor(jobs, address)
    jobs = jobs or default_jobs()
    return ProcessExecutor(jobs) if jobs > 1 else SerialExecutor()
