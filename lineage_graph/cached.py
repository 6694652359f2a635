"""Fan a pure function out over tasks, and keep each result in the store the moment it arrives."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Hashable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Generic, TypeVar

from lineage_graph.errors import ChangedFileError
from lineage_graph.executors import Executor, Outcome
from lineage_graph.locality import along
from lineage_graph.store import Store
from lineage_graph.types import Progress
from lineage_graph.unchanged import Unchanged

Task = TypeVar("Task")
Value = TypeVar("Value")


@dataclass(frozen=True, slots=True)
class Artefact(Generic[Value]):
    """How a kind of result is kept: ``decode`` raises ``ValueError`` on bytes that it cannot use."""

    kind: str
    encode: Callable[[Value], bytes]
    decode: Callable[[bytes], Value]


@dataclass(frozen=True, slots=True)
class Later(Generic[Task]):
    """A task that costs something to ``make``, and is made only if it is to be done."""

    make: Callable[[], Task]


@dataclass(frozen=True, slots=True)
class Workshop:
    """What the stages that fan out share. ``files``: those of the models; a task names the models that it reads by its
    ``paths``, and what it made of one that has changed meanwhile is its failure. ``failed``: the paths that
    tasks which failed had read, an empty one of a task that does not say.
    """

    executor: Executor
    store: Store
    progress: Progress
    files: Unchanged = field(default_factory=Unchanged)
    failed: set[str] = field(default_factory=set)

    def map(
        self,
        artefact: Artefact[Value],
        function: Callable[[Task], Value],
        work: Sequence[tuple[str | None, Task | Later[Task]]],
        *,
        gpu: bool = False,
    ) -> list[Outcome[Value]]:
        """One outcome a task, in order. ``work``: (key, task); what the store has under the key is not done again, a
        task without a key is never kept. Failures are not kept: they are tried again by the next build. ``gpu``: see
        :meth:`Executor.map <lineage_graph.executors.base.Executor.map>`.
        """
        if not work:
            return []
        stored = (self.kept(artefact, key) if key is not None else None for key, _ in work)
        outcomes = [Outcome(value) if value is not None else None for value in stored]
        missing = [index for index, outcome in enumerate(outcomes) if outcome is None]
        done = len(work) - len(missing)
        self.progress(artefact.kind, done, len(work))
        drawn: deque[Task] = deque()
        tasks = _made((work[index][1] for index in missing), drawn)
        for index, made in zip(missing, self.executor.map(function, tasks, gpu=gpu), strict=True):
            key, task = work[index][0], drawn.popleft()
            outcome = self._sound(task, made)
            if outcome.value is not None and key is not None:
                self.keep(artefact, key, outcome.value)
            if outcome.error:
                self.failed.update(getattr(task, "paths", ("",)))
            outcomes[index] = outcome
            done += 1
            self.progress(artefact.kind, done, len(work))
        return [outcome for outcome in outcomes if outcome is not None]

    def map_pairs(
        self,
        artefact: Artefact[Value],
        function: Callable[[Task], Value],
        work: Sequence[tuple[str | None, Task | Later[Task]]],
        pairs: Sequence[tuple[Hashable, Hashable]],
        *,
        gpu: bool = False,
    ) -> list[Outcome[Value]]:
        """As :meth:`map`, where each task is about one of ``pairs`` of models: those that share models are done one
        soon after the other, so that workers have to hold few.
        """
        order = along(pairs)
        outcomes = self.map(artefact, function, [work[place] for place in order], gpu=gpu)
        placed = dict(zip(order, outcomes, strict=True))
        return [placed[place] for place in range(len(work))]

    def _sound(self, task: Task, outcome: Outcome[Value]) -> Outcome[Value]:
        try:
            self.files.check(getattr(task, "paths", ()))
        except ChangedFileError as error:
            return Outcome.of_error(error)
        return outcome

    def failed_on(self, paths: Iterable[str]) -> bool:
        """Has a task failed that read one of these checkpoints, or may have done so?"""
        return "" in self.failed or not self.failed.isdisjoint(paths)

    def kept(self, artefact: Artefact[Value], key: str) -> Value | None:
        """What the store has under the key, if that can be used."""
        data = self.store.get(artefact.kind, key)
        try:
            return artefact.decode(data) if data is not None else None
        except ValueError:
            return None

    def keep(self, artefact: Artefact[Value], key: str, value: Value) -> None:
        """Put the value into the store. Raises :class:`~lineage_graph.errors.OutputError`."""
        self.store.put(artefact.kind, key, artefact.encode(value))


def _made(tasks: Iterable[Task | Later[Task]], drawn: deque[Task]) -> Iterator[Task]:
    """The tasks one by one, as an executor draws them; they stay in ``drawn`` until their results are taken."""
    for task in tasks:
        drawn.append(task.make() if isinstance(task, Later) else task)
        yield drawn[-1]
