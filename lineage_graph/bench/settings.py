"""Who of a closed set is the parent, by the children's training and task: ``lgraph bench settings``.

The settings of "Neural Lineage" (Yu & Wang, CVPR 2024, Sec. 4): supervised with regularisation, few-shot, imbalanced;
classification, segmentation and detection. On zoos that are grown here (recipes ``settings`` and ``settings-vit``): of
eight siblings, each child has one as its parent. Nothing is fitted on them.
"""

from __future__ import annotations

import statistics
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import astuple, dataclass
from pathlib import Path

from lineage_graph.bench import held_out
from lineage_graph.bench.compared import Compared, Comparison, compare, file_digest
from lineage_graph.bench.held_out import HeldOut, HeldOutTask
from lineage_graph.bench.markdown import table
from lineage_graph.build import default_cache
from lineage_graph.cached import Artefact, Workshop
from lineage_graph.errors import SourceError
from lineage_graph.executors import make_executor
from lineage_graph.features.settings import ProbeSettings
from lineage_graph.sources.grow import grow
from lineage_graph.sources.grow.plan import ModelPlan
from lineage_graph.sources.grow.recipes import RECIPES
from lineage_graph.sources.grow.settings import PARENTS, SETTINGS, ChildPlan
from lineage_graph.store import Store, artefact_key
from lineage_graph.types import Progress


@dataclass(frozen=True, slots=True)
class Kind:
    """``recipe``: what is grown, with so many ``children`` by each setting; ``side``: pixels a side of the probes,
    those of the images that the parents are trained on.
    """

    recipe: str
    children: int
    side: int


KINDS = (Kind("settings", children=16, side=16), Kind("settings-vit", children=8, side=32))
SEEDS = (0, 1, 2)
PROBES = ProbeSettings(count=32)
LEARNED = Artefact("held-out", held_out.to_bytes, held_out.from_bytes)

Accuracies = Mapping[str, Mapping[str, float]]
"""By measure and setting: % of right picks."""


@dataclass(frozen=True, slots=True)
class Zoo:
    """Weights ``files`` by model, the candidate ``parents``, and the ``children`` by setting."""

    architecture: str
    files: dict[str, str]
    parents: list[str]
    children: dict[str, list[ChildPlan]]


@dataclass(frozen=True, slots=True)
class Result:
    """Of one zoo: how often each method is right, and by setting what the children have learned."""

    accuracies: Accuracies
    learned: Mapping[str, Sequence[HeldOut]]


def run(workdir: Path, progress: Progress) -> str:
    """For each kind of zoo: the accuracies of all methods in all settings, and what the children have learned."""
    parts = []
    with make_executor() as executor:
        shop = Workshop(executor, Store(default_cache()), progress)
        for kind in KINDS:
            results = [measure(grown(kind, seed, shop), kind.side, shop) for seed in SEEDS]
            parts.append(report(kind, results))
    return "\n".join(parts)


def grown(kind: Kind, seed: int, shop: Workshop) -> Zoo:
    """The zoo of one seed, grown or found in the cache."""
    models = 1 + PARENTS + kind.children * len(SETTINGS)
    plans = RECIPES[kind.recipe].plan(models, seed)
    zoo = grow(kind.recipe, models, seed, shop.store.root, shop.executor, shop.progress)
    return Zoo(
        architecture=plans[0].architecture,
        files={model.path.stem: str(model.path) for model in zoo.models},
        parents=[plan.name for plan in plans if plan.generation == 1],
        children={setting: list(_dealt(plans, setting)) for setting in SETTINGS},
    )


def _dealt(plans: Iterable[ModelPlan], setting: str) -> Iterator[ChildPlan]:
    return (plan for plan in plans if isinstance(plan, ChildPlan) and plan.setting == setting)


def measure(zoo: Zoo, side: int, shop: Workshop) -> Result:
    """Compare every child with all candidates, and try it on held-out images."""
    sets = [(zoo.parents, [plan.name for plan in plans]) for plans in zoo.children.values()]
    found = compare(sets, Comparison(zoo.files, zoo.architecture, PROBES, side), shop)
    return Result(accuracies(zoo, found), learned(zoo, shop))


def accuracies(zoo: Zoo, found: Compared) -> Accuracies:
    """% of the children whose best candidate is their parent."""
    return {
        name: {
            setting: 100
            * statistics.mean(_picked(found, name, zoo.parents, plan.name) == plan.parent for plan in plans)
            for setting, plans in zoo.children.items()
        }
        for name in next(iter(found.values()))
    }


def _picked(found: Compared, name: str, candidates: Sequence[str], child: str) -> str:
    return max((found[candidate, child][name], candidate) for candidate in candidates)[1]


def learned(zoo: Zoo, shop: Workshop) -> dict[str, list[HeldOut]]:
    """By setting, how its children do on held-out images. Raises :class:`SourceError` that names one that fails."""
    plans = [plan for dealt in zoo.children.values() for plan in dealt]
    work = []
    for plan in plans:
        task = HeldOutTask(plan, zoo.files[plan.name], zoo.files[str(plan.parent)])
        content = [file_digest(task.child), file_digest(task.parent)]
        work.append((artefact_key(LEARNED.kind, held_out.SCHEMA, astuple(plan), content), task))
    found: dict[str, list[HeldOut]] = {setting: [] for setting in zoo.children}
    for plan, outcome in zip(plans, shop.map(LEARNED, held_out.measure, work), strict=True):
        if outcome.value is None:
            raise SourceError(f"{plan.name} was not tried: {outcome.error}: {outcome.message}")
        found[plan.setting].append(outcome.value)
    return found


def report(kind: Kind, results: Sequence[Result]) -> str:
    """The two tables of one kind of zoo."""
    title = (
        f"{len(results)} zoos of one origin, {PARENTS} parents and {kind.children} children by each of {len(SETTINGS)} "
        f"settings (recipe {kind.recipe}, seeds {', '.join(map(str, SEEDS))}); % of parents found, mean ± standard "
        "deviation over the zoos.\n\n"
    )
    chance = ["chance", *[f"{100 / PARENTS:.1f}"] * (len(SETTINGS) + 1)]
    text = title + table(["method", *SETTINGS, "all"], [chance, *_rows([result.accuracies for result in results])])
    text += (
        "\nWhat the children have learned: medians, in %. On held-out images; for classes the mean recall, for "
        "segmentation the mean intersection over union, for detection the mean average precision at "
        f"{held_out.OVERLAP:.0%} overlap.\n\n"
    )
    return text + table(["median", *SETTINGS], _learned([result.learned for result in results]))


def _rows(results: Sequence[Accuracies]) -> Iterator[list[str]]:
    for name in results[0]:
        cells = [[result[name][setting] for result in results] for setting in SETTINGS]
        cells.append([statistics.mean(result[name].values()) for result in results])
        yield [name, *(f"{statistics.mean(cell):.1f} ± {statistics.stdev(cell):.1f}" for cell in cells)]


def _learned(results: Sequence[Mapping[str, Sequence[HeldOut]]]) -> Iterator[list[str]]:
    pooled = [[child for result in results for child in result[setting]] for setting in SETTINGS]
    yield ["on held-out images", *(f"{100 * statistics.median(one.quality for one in cell):.0f}" for cell in pooled)]
    yield ["by chance", *(f"{100 * statistics.median(one.chance for one in cell):.0f}" for cell in pooled)]
    yield ["drift from the parent", *(f"{100 * statistics.median(one.drift for one in cell):.1f}" for cell in pooled)]
