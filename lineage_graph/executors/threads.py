"""One thread a task: sums in another order would be other bytes, and processes and BLAS would fight for the cores."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from threadpoolctl import threadpool_limits

from lineage_graph.executors.base import Item, Outcome, Result, attempt


def attempt_on_one_thread(function: Callable[[Item], Result], item: Item) -> Outcome[Result]:
    """Apply ``function`` to ``item`` in this process, whose libraries keep to one thread meanwhile."""
    with threadpool_limits(1), _one_torch_thread():
        return attempt(function, item)


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
