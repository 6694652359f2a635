"""Workers of a Ray cluster: on this machine alone, or on as many as the cluster has.

Every node needs lgraph installed and sees checkpoints and cache under the same paths. Tasks take paths and give back
records, so no weights pass through the object store.
"""

from __future__ import annotations

import os
import socket
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from types import TracebackType
from typing import Any, Self

from lineage_graph.errors import ClusterError, MissingExtraError, WorkerDiedError
from lineage_graph.executors.base import Item, Outcome, Result, default_jobs
from lineage_graph.executors.threads import attempt_on_one_thread
from lineage_graph.executors.worker import THREAD_VARIABLES

AHEAD = 2
"""Tasks in flight for each core of the cluster: enough that none waits for the driver, few enough to bound memory."""

RETRIES = 3
"""Times that Ray runs a task again whose worker or node died."""

KNOCK_SECONDS = 10.0
"""Until an address counts as silent."""

OBJECT_STORE_BYTES = 256 * 2**20
"""Of a cluster that is started here: results are records of kilobytes, and wait there only until they are read."""


class RayExecutor:
    """See :class:`~lineage_graph.executors.base.Executor`.

    ``address`` of a running cluster (``auto``, ``host:port``, ``ray://…``); where it is empty, one is started on this
    machine, with ``jobs`` cores (0: all of them), and ends with the ``with`` block. Nothing starts before the first
    item. Work for a GPU goes where one is. A task whose worker or node dies runs again; one that kills every worker it
    is given to has failed.

    Raises :class:`~lineage_graph.errors.MissingExtraError` without Ray, and on the first item
    :class:`~lineage_graph.errors.ClusterError` where no cluster answers.
    """

    def __init__(self, jobs: int = 0, address: str = "") -> None:
        self._jobs = jobs or default_jobs()
        self._address = address
        self._ray = _import_ray()
        self._ours = False

    def map(
        self, function: Callable[[Item], Result], items: Iterable[Item], *, gpu: bool = False
    ) -> Iterator[Outcome[Result]]:
        """See :meth:`Executor.map <lineage_graph.executors.base.Executor.map>`."""
        flying: deque[Any] = deque()
        task: Any = None
        most = 0
        try:
            for item in items:
                if task is None:
                    self._connect()
                    cores, gpus = self._resources()
                    share = self._share(cores, gpus) if gpu else 0
                    task = self._ray.remote(attempt_on_one_thread)
                    task = task.options(max_retries=RETRIES, num_cpus=1, num_gpus=share)
                    most = AHEAD * cores
                if len(flying) == most:
                    yield self._land(flying.popleft())
                flying.append(self._launch(task, function, item))
            while flying:
                yield self._land(flying.popleft())
        finally:
            for reference in flying:
                if not isinstance(reference, Outcome):
                    self._ray.cancel(reference, force=True)

    def _connect(self) -> None:
        if self._ray.is_initialized():
            return
        self._knock()
        here = {"num_cpus": self._jobs, "object_store_memory": OBJECT_STORE_BYTES, "include_dashboard": False}
        try:
            self._ray.init(
                # Without an address Ray would join any cluster that happens to run on this machine.
                address=self._address or "local",
                runtime_env={"env_vars": dict.fromkeys(THREAD_VARIABLES, "1")},
                log_to_driver=False,
                logging_level="error",
                **({} if self._address else here),
            )
        except (ConnectionError, ValueError, RuntimeError, OSError) as error:
            where = f"at {self._address}" if self._address else "on this machine"
            raise ClusterError(f"no Ray cluster {where}: {' '.join(str(error).split())}") from error
        self._ours = True

    def _resources(self) -> tuple[int, float]:
        """Cores, at least one, and GPUs of the whole cluster."""
        found = self._ray.cluster_resources()
        return max(1, int(found.get("CPU", 1))), found.get("GPU", 0)

    def _share(self, cores: int, gpus: float) -> float:
        """Of a GPU for each task, so that as many share one as there are cores for it."""
        if not gpus:
            where = f"at {self._address}" if self._address else "that was started on this machine"
            raise ClusterError(f"--device cuda: the Ray cluster {where} has no GPU")
        return min(1.0, gpus / cores)

    def _knock(self) -> None:
        """Ray itself would try for minutes to reach an address where nothing listens."""
        host, _, port = self._address.removeprefix("ray://").rpartition(":")
        if host and port.isdecimal():
            try:
                socket.create_connection((host, int(port)), timeout=KNOCK_SECONDS).close()
            except (OSError, OverflowError) as error:
                raise ClusterError(f"no Ray cluster at {self._address}: {error}") from error

    def _launch(self, task: Any, function: Callable[[Item], Result], item: Item) -> Any:
        try:
            return task.remote(function, item)
        except Exception as error:  # noqa: BLE001 - an item that does not pickle
            return Outcome[Result].of_error(error)

    def _land(self, reference: Any) -> Outcome[Result]:
        if isinstance(reference, Outcome):
            return reference
        lost = self._ray.exceptions
        try:
            outcome: Outcome[Result] = self._ray.get(reference)
            return outcome
        except (lost.WorkerCrashedError, lost.NodeDiedError, lost.OutOfMemoryError, lost.LocalRayletDiedError):
            times = f"{RETRIES + 1} times"
            return Outcome.of_error(WorkerDiedError(f"its worker died {times} (killed, out of memory, or a crash)"))
        except Exception as error:  # noqa: BLE001 - a result that does not pickle, a lost object
            return Outcome.of_error(getattr(error, "cause", None) or error)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._ours:
            self._ray.shutdown()
            self._ours = False


def _import_ray() -> Any:
    # Read when Ray is imported: a build makes no request that the user did not ask for.
    os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")
    try:
        import ray
    except ImportError as error:
        raise MissingExtraError("the ray executor needs Ray: pip install 'lgraph[ray]'") from error
    return ray
