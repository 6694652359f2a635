"""Detectors examined on zoos: the long parts of the detector's bench, as tasks for workers.

Heavy libraries are imported by the worker that measures.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from functools import lru_cache
from pathlib import Path

from lineage_graph.bench import nearest
from lineage_graph.cached import Artefact, Workshop
from lineage_graph.detector import card, dataset, evaluation
from lineage_graph.detector.evaluation import Figures
from lineage_graph.detector.score import SHIPPED, answer, load
from lineage_graph.detector.zoos import FamilyZoo, grown
from lineage_graph.errors import SourceError
from lineage_graph.executors import SerialExecutor
from lineage_graph.sources.grow.families import architecture
from lineage_graph.store import Store, artefact_key
from lineage_graph.types import silent

METHODS: Mapping[str, str] = {
    "detector": "both",
    "detector, weights": "weights",
    "detector, features": "representation",
    nearest.NAME: "",
}
"""Rows of the tables, and what the detector looks at in each."""

SCHEMA = 1
"""Raise it when a figure changes its meaning."""

ByMethod = Mapping[str, Figures]


@dataclass(frozen=True, slots=True)
class Exam:
    """``doubted``: of the children in open sets, the share for which *no parent* is likelier than any candidate, though
    the parent is there; ``None`` for a method without that rule.
    """

    figures: Figures
    doubted: float | None


@dataclass(frozen=True, slots=True)
class Growth:
    """Zoos of one ``recipe`` with so many ``models`` each."""

    recipe: str
    models: int
    seeds: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class LeftOutTask:
    """A detector that learns from all zoos of the ``growth`` but those of one ``architecture``, in so many ``steps``.

    ``root``: of the store, which has the zoos, and keeps the training.
    """

    root: str
    growth: Growth
    architecture: str
    steps: int


def left_out(task: LeftOutTask) -> ByMethod:
    """The figures on the zoos of the architecture that was left out. What is missing of the training is done first."""
    from lineage_graph.detector.neural.learning import LearningSettings, learn
    from lineage_graph.detector.neural.training import TrainingSettings

    growth, shop = task.growth, _alone(task.root)
    settings = LearningSettings(
        zoos=len(growth.seeds),
        models=growth.models,
        first_seed=growth.seeds[0],
        leave_out=task.architecture,
        training=TrainingSettings(steps=task.steps),
    )
    found = learn(settings, shop, lambda _: None).figures
    seeds = tuple(seed for seed in growth.seeds if architecture(seed) == task.architecture)
    reference = nearest.measure(zoos_of(Growth(growth.recipe, growth.models, seeds), shop))
    return {name: found.get(mode, reference) for name, mode in METHODS.items()}


@dataclass(frozen=True, slots=True)
class ShippedTask:
    """The detector that comes with the package, by one of :data:`METHODS`, on zoos that the store at ``root`` has."""

    root: str
    growth: Growth
    method: str


def shipped(task: ShippedTask) -> Exam:
    """The one method, examined."""
    zoos = _kept(task.root, task.growth)
    if task.method == nearest.NAME:
        return Exam(nearest.measure(zoos), None)
    detector, mode = load(), METHODS[task.method]
    questions = [question for zoo in zoos for question in dataset.opened(zoo)]
    replies = [answer(detector, question.child, question.candidates, mode) for question in questions]
    doubted = [reply.none > reply.probabilities.max() for reply in replies]
    return Exam(evaluation.measure(detector, zoos, mode), sum(doubted) / len(doubted) if doubted else None)


@lru_cache(maxsize=1)
def _kept(root: str, growth: Growth) -> list[FamilyZoo]:
    return zoos_of(growth, _alone(root))


def _alone(root: str) -> Workshop:
    """A worker's: it has no workers of its own."""
    return Workshop(SerialExecutor(), Store(Path(root)), silent)


def zoos_of(growth: Growth, shop: Workshop) -> list[FamilyZoo]:
    """The zoos of all seeds, grown or found in the store."""
    return [zoo for seed in growth.seeds for zoo in grown(growth.recipe, growth.models, seed, shop)]


def examine_left_out(growth: Growth, architectures: Sequence[str], steps: int, shop: Workshop) -> dict[str, ByMethod]:
    """By architecture, the figures of a detector that has not seen it. Raises :class:`SourceError` that names one."""
    from lineage_graph.detector.neural import training

    content = [zoo.digest for zoo in zoos_of(growth, shop)]
    schemas = (SCHEMA, card.SCHEMA, training.SCHEMA)
    work = []
    for name in architectures:
        key = artefact_key("detector-left-out", schemas, content, asdict(growth), name, steps)
        work.append((key, LeftOutTask(str(shop.store.root), growth, name, steps)))
    found = {}
    outcomes = shop.map(Artefact("detector-left-out", to_bytes, from_bytes), left_out, work)
    for name, outcome in zip(architectures, outcomes, strict=True):
        if outcome.value is None:
            raise SourceError(f"no detector without {name}: {outcome.error}: {outcome.message}")
        found[name] = outcome.value
    return found


def examine_shipped(growth: Growth, shop: Workshop) -> dict[str, Exam]:
    """By method, the shipped detector on zoos of a ``growth``. Raises :class:`SourceError` that names the method."""
    content = [zoo.digest for zoo in zoos_of(growth, shop)]
    detector = hashlib.sha256(SHIPPED.read_bytes()).hexdigest()
    work = [
        (
            artefact_key("detector-shipped", SCHEMA, detector, content, name),
            ShippedTask(str(shop.store.root), growth, name),
        )
        for name in METHODS
    ]
    found: dict[str, Exam] = {}
    outcomes = shop.map(Artefact("detector-shipped", exam_to_bytes, exam_from_bytes), shipped, work)
    for name, outcome in zip(METHODS, outcomes, strict=True):
        if outcome.value is None:
            raise SourceError(f"{name} was not examined: {outcome.error}: {outcome.message}")
        found[name] = outcome.value
    return found


def to_bytes(found: ByMethod) -> bytes:
    """Serialise as JSON."""
    return json.dumps({name: asdict(figures) for name, figures in found.items()}).encode()


def from_bytes(data: bytes) -> ByMethod:
    """The inverse of :func:`to_bytes`. Raises ``ValueError`` on bytes that are none."""
    try:
        return {name: Figures(**figures) for name, figures in json.loads(data).items()}
    except (AttributeError, TypeError) as error:
        raise ValueError(f"no figures: {error}") from error


def exam_to_bytes(exam: Exam) -> bytes:
    """Serialise as JSON."""
    return json.dumps(asdict(exam)).encode()


def exam_from_bytes(data: bytes) -> Exam:
    """The inverse of :func:`exam_to_bytes`. Raises ``ValueError`` on bytes that are none."""
    try:
        record = json.loads(data)
        return Exam(Figures(**record["figures"]), record["doubted"])
    except (KeyError, TypeError) as error:
        raise ValueError(f"no exam: {error}") from error
