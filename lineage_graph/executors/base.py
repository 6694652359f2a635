"""The executor protocol, and the record that stands for one item's result."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from types import TracebackType
from typing import Generic, Protocol, Self, TypeVar

Item = TypeVar("Item")
Result = TypeVar("Result")


@dataclass(frozen=True, slots=True)
class Outcome(Generic[Result]):
    """What became of one item: its ``value``, or the class name of the ``error`` and a one-line ``message``.

    The executor knows no ids; the stage that does makes a :class:`~lineage_graph.types.Failure` of it.
    """

    value: Result | None = None
    error: str = ""
    message: str = ""

    @property
    def ok(self) -> bool:
        """Whether the function returned."""
        return not self.error

    @classmethod
    def of_error(cls, error: BaseException) -> Outcome[Result]:
        """The outcome of an item whose function raised ``error``, expected or not."""
        name = type(error).__name__
        return cls(error=name, message=" ".join(str(error).split()) or name)


class Executor(Protocol):
    """Applies a function to many items. Use it in a ``with`` block, which ends its workers."""

    def map(
        self, function: Callable[[Item], Result], items: Iterable[Item], *, gpu: bool = False
    ) -> Iterator[Outcome[Result]]:
        """One outcome an item, in input order, whatever the order of completion.

        ``function``: module-level and pure. Items and results: paths or records that pickle. Lazy: work starts with
        the first ``next``, and ``items`` are drawn a bounded number ahead of the results. Never raises for an item.
        ``gpu``: the work runs on one; workers on machines that have one do it, where the executor has several machines.
        """

    def __enter__(self) -> Self: ...

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None: ...


def attempt(function: Callable[[Item], Result], item: Item) -> Outcome[Result]:
    """Apply ``function`` to ``item``; what it raises becomes part of the outcome."""
    try:
        return Outcome(function(item))
    except Exception as error:  # noqa: BLE001 - one bad model must not stop the zoo, whatever went wrong
        return Outcome.of_error(error)


def default_jobs() -> int:
    """The number of cores that this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1
