"""How a stage fans out; results always come back in input order."""

from __future__ import annotations

from lineage_graph.executors.base import Executor, Outcome, default_jobs
from lineage_graph.executors.process import ProcessExecutor
from lineage_graph.executors.serial import SerialExecutor

__all__ = ["Executor", "Outcome", "ProcessExecutor", "SerialExecutor", "default_jobs", "make_executor"]


def make_executor(jobs: int = 0) -> Executor:
    """An executor with ``jobs`` worker processes: 0 for one a core; with 1, everything runs in this process."""
    jobs = jobs or default_jobs()
    return ProcessExecutor(jobs) if jobs > 1 else SerialExecutor()
