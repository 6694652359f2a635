"""How far the learned detector carries: ``lgraph bench detector``.

On architectures that it has not seen, on strangers, on published checkpoints, and what asking it costs; always beside
the candidate that is nearest by weights, which nobody had to train.
"""

from __future__ import annotations

import statistics
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path

from lineage_graph.bench import asking, wild
from lineage_graph.bench.asking import CostTask
from lineage_graph.bench.examined import METHODS, ByMethod, Growth, examine_left_out, examine_shipped
from lineage_graph.bench.isolated import isolated
from lineage_graph.bench.markdown import table
from lineage_graph.bench.wild import OUTCOMES, Family
from lineage_graph.build import default_cache
from lineage_graph.cached import Workshop
from lineage_graph.detector.evaluation import Figures
from lineage_graph.executors import make_executor
from lineage_graph.sources.grow.families import ARCHITECTURES
from lineage_graph.store import Store
from lineage_graph.types import Progress

TAUGHT = Growth("families", models=28, seeds=tuple(range(1000, 1030)))
"""What the shipped detector learned from, and its figures are of."""
STEPS = 600
"""Of a training without one architecture; the shipped detector's took more than twice as many."""
FRESH = (
    Growth("families", models=28, seeds=tuple(range(2000, 2006))),
    Growth("digits", models=36, seeds=(40, 41)),
)
"""Zoos that nobody had looked at when the detector was made."""

COSTS = tuple(CostTask(name, candidates=100, rounds=15) for name in ("test_resnet", "test_vit", "resnet18"))

COLUMNS: Mapping[str, Callable[[Figures], float | None]] = {
    "closed sets": lambda figures: figures.closed,
    "open sets": lambda figures: figures.opened,
    "found at 1 % false parents": lambda figures: figures.found,
    "orphans": lambda figures: figures.orphans,
    "abstained": lambda figures: figures.abstained,
}
"""Shares of :class:`Figures`, shown in %."""


def run(workdir: Path, progress: Progress) -> str:
    """The four tables, each under its heading sentence; what takes long is kept in the user's cache."""
    with make_executor() as executor:
        shop = Workshop(executor, Store(default_cache()), progress)
        parts = [
            left_out(examine_left_out(TAUGHT, list(ARCHITECTURES), STEPS, shop)),
            *(fresh(growth, examine_shipped(growth, shop)) for growth in FRESH),
            _published(shop),
        ]
    costs = {}
    for number, task in enumerate(COSTS):
        progress("cost", number, len(COSTS))
        costs[task.architecture] = isolated(asking.measure, task)
    progress("cost", len(COSTS), len(COSTS))
    return "\n".join([*parts, cost(costs)])


def left_out(found: Mapping[str, ByMethod]) -> str:
    """Leave-one-architecture-out, and the means over the architectures."""
    title = (
        f"Detectors of {STEPS} steps that have not seen one architecture, on all zoos of that architecture; zoos of "
        f"{TAUGHT.models} models (recipe {TAUGHT.recipe}, seeds {TAUGHT.seeds[0]} to {TAUGHT.seeds[-1]}); %.\n\n"
    )
    rows = [
        [name, method, *_cells(figures), figures.questions]
        for name, methods in found.items()
        for method, figures in methods.items()
    ]
    rows += [["mean", method, *_means([methods[method] for methods in found.values()]), ""] for method in METHODS]
    return title + table(["left out", "method", *COLUMNS, "questions"], rows)


def fresh(growth: Growth, found: ByMethod) -> str:
    """The shipped detector on zoos that it has not seen."""
    title = (
        f"The shipped detector on fresh zoos of {growth.models} models (recipe {growth.recipe}, seeds "
        f"{', '.join(map(str, growth.seeds))}); %.\n\n"
    )
    rows = [[name, *_cells(figures), figures.strangers, figures.questions] for name, figures in found.items()]
    return title + table(["method", *COLUMNS, "children of strangers", "questions"], rows)


def _cells(figures: Figures) -> list[str]:
    return [_percent(share(figures)) for share in COLUMNS.values()]


def _means(several: Sequence[Figures]) -> Iterator[str]:
    for share in COLUMNS.values():
        values = [value for value in map(share, several) if value is not None]
        yield _percent(statistics.mean(values) if values else None)


def _percent(share: float | None) -> str:
    return "–" if share is None else f"{100 * share:.1f}"


def _published(shop: Workshop) -> str:
    root = wild.folder()
    if not root.is_dir():
        return f"No published checkpoints: {root} is not a folder; {wild.VARIABLE} may name another.\n"
    return published(wild.measure(root, shop))


def published(families: Sequence[Family]) -> str:
    """The shipped detector on published checkpoints, by family and of all."""
    title = (
        "The shipped detector on published checkpoints: of each child, all other models of its family but its "
        "descendants are candidates; counts of children.\n\n"
    )
    rows: list[list[object]] = [
        [family.name, family.children, f"{family.candidates:.1f}", f"{family.children * family.chance:.1f}", name]
        + [counts.get(outcome, 0) for outcome in OUTCOMES]
        for family in families
        for name, counts in family.counts.items()
    ]
    children, chance = sum(one.children for one in families), sum(one.children * one.chance for one in families)
    shown = [name for name in families[0].counts if all(name in one.counts for one in families)] if families else []
    for name in shown:
        sums = [sum(one.counts[name].get(outcome, 0) for one in families) for outcome in OUTCOMES]
        rows.append(["all", children, "", f"{chance:.1f}", name, *sums])
    return title + table(["family", "children", "candidates", "right by chance", "method", *OUTCOMES], rows)


def cost(found: Mapping[str, Mapping[str, float]]) -> str:
    """What asking costs, in forward passes."""
    title = (
        f"One child against {COSTS[0].candidates} candidates, in plain forward passes of the child on a build's "
        "probes; processor time, one thread, medians.\n\n"
    )
    rows = []
    for name, seconds in found.items():
        images, asked, shown = (seconds[part] / seconds["forward"] for part in ("images", "answer", "portrait"))
        rows.append([name, 1000 * seconds["forward"], shown, images, asked - images, asked, asked + shown])
    header = ["child", "forward, ms", "its portrait", "images", "network", "images and network", "all"]
    return title + table(header, rows)
