"""An executor that tells what its work has cost: by the clock, and in time of the processor.

Other work on the machine lengthens the first; the second is what a comparison on a shared machine rests on.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from functools import partial
from types import TracebackType
from typing import Self

from lineage_graph.executors.base import Executor, Item, Outcome, Result


@dataclass(frozen=True, slots=True)
class Spent:
    """Seconds by the ``clock``, and of the ``processor`` in this process and the workers together."""

    clock: float
    processor: float

    def __sub__(self, earlier: Spent) -> Spent:
        return Spent(self.clock - earlier.clock, self.processor - earlier.processor)


class Clocked:
    """See :class:`~lineage_graph.executors.base.Executor`; the work is done by the one inside."""

    def __init__(self, executor: Executor) -> None:
        self._executor = executor
        self._workers = 0.0

    def spent(self) -> Spent:
        """Since some time before: differences count. Items that failed cost nothing here."""
        return Spent(time.perf_counter(), time.process_time() + self._workers)

    def map(
        self, function: Callable[[Item], Result], items: Iterable[Item], *, gpu: bool = False
    ) -> Iterator[Outcome[Result]]:
        """See :meth:`Executor.map <lineage_graph.executors.base.Executor.map>`."""
        for outcome in self._executor.map(partial(_timed, function), items, gpu=gpu):
            if outcome.value is None:
                yield Outcome(error=outcome.error, message=outcome.message)
            else:
                value, seconds, process = outcome.value
                if process != os.getpid():
                    self._workers += seconds
                yield Outcome(value)

    def __enter__(self) -> Self:
        self._executor.__enter__()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._executor.__exit__(kind, error, trace)


def _timed(function: Callable[[Item], Result], item: Item) -> tuple[Result, float, int]:
    start = time.process_time()
    value = function(item)
    return value, time.process_time() - start, os.getpid()
