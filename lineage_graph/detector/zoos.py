"""Grown zoos with their truth, as portraits: what the detector learns from and is examined on."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from lineage_graph.cached import Artefact, Workshop
from lineage_graph.detector import portrait
from lineage_graph.detector.portrait import Portrait, PortraitTask
from lineage_graph.errors import SourceError
from lineage_graph.features.settings import ProbeSettings
from lineage_graph.sources.digest import DigestTask
from lineage_graph.sources.digest import compute as digest
from lineage_graph.sources.grow import grow
from lineage_graph.sources.grow.recipes import RECIPES
from lineage_graph.store import artefact_key

PORTRAITS = Artefact("portrait", portrait.to_bytes, portrait.from_bytes)


@dataclass(frozen=True, slots=True)
class FamilyZoo:
    """Models of one architecture, parents before children.

    By model: its portrait, its parent's number or ``None`` for a root, its generation. ``digest``: of all of it.
    """

    architecture: str
    portraits: tuple[Portrait, ...]
    parents: tuple[int | None, ...]
    generations: tuple[int, ...]
    digest: str

    def ancestors(self, model: int) -> Iterator[int]:
        """The parent, its parent, and so on."""
        parent = self.parents[model]
        while parent is not None:
            yield parent
            parent = self.parents[parent]

    def root(self, model: int) -> int:
        """The root of the model's family; itself for a root."""
        return [model, *self.ancestors(model)][-1]


def grown(recipe: str, models: int, seed: int, shop: Workshop, probes: ProbeSettings | None = None) -> list[FamilyZoo]:
    """A grown zoo, one record for each of its architectures; what is missing is trained, portraits are kept.

    Raises what growing raises, and :class:`~lineage_graph.errors.SourceError` where a model cannot be portrayed.
    """
    probes = probes or ProbeSettings()
    plans = RECIPES[recipe].plan(models, seed)
    located = grow(recipe, models, seed, shop.store.root, shop.executor, shop.progress).models
    files = {model.path.stem: str(model.path) for model in located}
    digests = {name: digest(DigestTask((file,), str(Path(file).parent))) for name, file in files.items()}
    work = [
        (portrait.key(digests[plan.name], probes), PortraitTask(files[plan.name], plan.architecture, probes))
        for plan in plans
    ]
    portraits: dict[str, Portrait] = {}
    for plan, outcome in zip(plans, shop.map(PORTRAITS, portrait.compute, work), strict=True):
        if outcome.value is None:
            raise SourceError(f"{files[plan.name]} gives no portrait: {outcome.error}: {outcome.message}")
        portraits[plan.name] = outcome.value
    zoos = []
    for architecture in dict.fromkeys(plan.architecture for plan in plans):
        own = [plan for plan in plans if plan.architecture == architecture]
        number = {plan.name: index for index, plan in enumerate(own)}
        zoo = FamilyZoo(
            architecture=architecture,
            portraits=tuple(portraits[plan.name] for plan in own),
            parents=tuple(None if plan.parent is None else number[plan.parent] for plan in own),
            generations=tuple(plan.generation for plan in own),
            digest=artefact_key(portrait.SCHEMA, probes.key, [digests[plan.name] for plan in own]),
        )
        zoos.append(zoo)
    return zoos


def split(zoos: Sequence[FamilyZoo]) -> tuple[list[FamilyZoo], list[FamilyZoo], list[FamilyZoo]]:
    """Zoos to train on, to stop by and to be examined on, 7 : 1 : 2 and none of them empty; none is on two sides.

    Raises ``ValueError`` for fewer than three zoos.
    """
    if len(zoos) < 3:
        raise ValueError(f"{len(zoos)} zoos cannot be split into three parts")
    held_out, watched = max(1, round(0.2 * len(zoos))), max(1, round(0.1 * len(zoos)))
    first, second = len(zoos) - watched - held_out, len(zoos) - held_out
    return list(zoos[:first]), list(zoos[first:second]), list(zoos[second:])
