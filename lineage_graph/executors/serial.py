"""One item after the other, in this process."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from types import TracebackType
from typing import Self

from lineage_graph.executors.base import Item, Outcome, Result
from lineage_graph.executors.threads import attempt_on_one_thread


class SerialExecutor:
    """See :class:`~lineage_graph.executors.base.Executor`."""

    def map(
        self, function: Callable[[Item], Result], items: Iterable[Item], *, gpu: bool = False
    ) -> Iterator[Outcome[Result]]:
        """See :meth:`Executor.map <lineage_graph.executors.base.Executor.map>`."""
        for item in items:
            yield attempt_on_one_thread(function, item)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        pass
