"""One item after the other, in this process."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from types import TracebackType
from typing import Self

from threadpoolctl import threadpool_limits

from lineage_graph.executors.base import Item, Outcome, Result, attempt


@contextmanager
def _one_torch_thread() -> Iterator[None]:
    torch = sys.modules.get("torch")
    if torch is None:
        yield
        return
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(threads)


class SerialExecutor:
    """See :class:`~lineage_graph.executors.base.Executor`."""

    def map(self, function: Callable[[Item], Result], items: Iterable[Item]) -> Iterator[Outcome[Result]]:
        """See :meth:`Executor.map <lineage_graph.executors.base.Executor.map>`."""
        for item in items:
            # One thread, as in a worker process: sums in another order would be other bytes.
            with threadpool_limits(1), _one_torch_thread():
                outcome: Outcome[Result] = attempt(function, item)
            yield outcome

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        pass
