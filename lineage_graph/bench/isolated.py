"""A measurement in a process of its own, so that none finds what another one left in memory."""

from __future__ import annotations

import multiprocessing
import sys
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from multiprocessing.context import BaseContext
from typing import TypeVar

from lineage_graph.errors import WorkerDiedError
from lineage_graph.executors.worker import start

Item = TypeVar("Item")
Result = TypeVar("Result")


def isolated(function: Callable[[Item], Result], item: Item) -> Result:
    """``function(item)`` from a fresh process that computes on one thread.

    ``function``: a module's own, by name. Raises what it raises, and :class:`WorkerDiedError` where the process is
    killed, as the system does when memory runs out.
    """
    with ProcessPoolExecutor(1, mp_context=_context(), initializer=start) as pool:
        try:
            return pool.submit(function, item).result()
        except BrokenProcessPool as error:
            raise WorkerDiedError(f"{item}: the measuring process was killed (out of memory?)") from error


def _context() -> BaseContext:
    """A fork server; elsewhere than on Linux, where forking is not safe, spawn."""
    if sys.platform != "linux":
        return multiprocessing.get_context("spawn")
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(["lineage_graph.bench.preload"])
    return context
