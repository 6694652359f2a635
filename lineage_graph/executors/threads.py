"""One thread a task: sums in another order would be other bytes, and processes and BLAS would fight for the cores."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import lru_cache

from threadpoolctl import ThreadpoolController

from lineage_graph.executors.base import Item, Outcome, Result, attempt


def attempt_on_one_thread(function: Callable[[Item], Result], item: Item) -> Outcome[Result]:
    """Apply ``function`` to ``item`` in this process, whose libraries keep to one thread meanwhile."""
    with _libraries(len(sys.modules)).limit(limits=1), _one_torch_thread():
        return attempt(function, item)


@lru_cache(maxsize=1)
def _libraries(_: int) -> ThreadpoolController:
    """Those with threads of their own; looked for anew when modules were imported, which may have loaded some."""
    return ThreadpoolController()


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
