"""Worker processes on this machine."""

from __future__ import annotations

import multiprocessing
import sys
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from multiprocessing.context import BaseContext
from types import TracebackType
from typing import Self

from lineage_graph.errors import WorkerDiedError
from lineage_graph.executors.base import Item, Outcome, Result, attempt
from lineage_graph.executors.worker import start

_PRELOAD = ["lineage_graph.executors.preload", "torch"]
_AHEAD = 2
"""Items in flight for each worker: enough that none waits while the driver is busy with a result."""


class ProcessExecutor:
    """See :class:`~lineage_graph.executors.base.Executor`. ``jobs``: worker processes, 1 or more.

    No process starts before the first item. Where a worker dies (killed, out of memory, a crash in native code), the
    items that were in flight run once more, each in a process of its own; the one that kills that too has failed.
    """

    def __init__(self, jobs: int) -> None:
        self._jobs = jobs
        self._pool: ProcessPoolExecutor | None = None

    def map(
        self, function: Callable[[Item], Result], items: Iterable[Item], *, gpu: bool = False
    ) -> Iterator[Outcome[Result]]:
        """See :meth:`Executor.map <lineage_graph.executors.base.Executor.map>`."""
        flying: deque[tuple[Item, Future[Outcome[Result]]]] = deque()
        try:
            for item in items:
                if len(flying) == self._jobs * _AHEAD:
                    yield self._land(function, *flying.popleft())
                flying.append((item, self._submit(function, item)))
            while flying:
                yield self._land(function, *flying.popleft())
        finally:
            for _, future in flying:
                future.cancel()

    def _submit(self, function: Callable[[Item], Result], item: Item) -> Future[Outcome[Result]]:
        if self._pool is None:
            self._pool = _new_pool(self._jobs)
        try:
            return self._pool.submit(attempt, function, item)
        except BrokenProcessPool:
            self._pool.shutdown()
            self._pool = _new_pool(self._jobs)
            return self._pool.submit(attempt, function, item)

    def _land(self, function: Callable[[Item], Result], item: Item, future: Future[Outcome[Result]]) -> Outcome[Result]:
        try:
            return future.result()
        except BrokenProcessPool:
            return _alone(function, item)
        except Exception as error:  # noqa: BLE001 - an item or a result that does not pickle
            return Outcome.of_error(error)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._pool is not None:
            self._pool.shutdown(cancel_futures=True)
            self._pool = None


def _alone(function: Callable[[Item], Result], item: Item) -> Outcome[Result]:
    """Run one item in a process of its own: if that dies, the item is to blame and not its neighbour."""
    with _new_pool(1) as pool:
        try:
            return pool.submit(attempt, function, item).result()
        except BrokenProcessPool:
            return Outcome.of_error(WorkerDiedError("its worker process died (killed, out of memory, or a crash)"))
        except Exception as error:  # noqa: BLE001 - an item or a result that does not pickle
            return Outcome.of_error(error)


def _new_pool(jobs: int) -> ProcessPoolExecutor:
    return ProcessPoolExecutor(jobs, mp_context=_context(), initializer=start)


def _context() -> BaseContext:
    """A fork server that has imported torch once; elsewhere than on Linux, where forking is not safe, spawn."""
    if sys.platform != "linux":
        return multiprocessing.get_context("spawn")
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(_PRELOAD)
    return context
