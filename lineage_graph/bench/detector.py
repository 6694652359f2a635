"""How far the learned detector carries: ``lgraph bench detector``.

On architectures that it has not seen, on strangers, on published checkpoints, and what asking it costs; always beside
the candidate that is nearest by weights, which nobody had to train.
"""

from __future__ import annotations

import statistics
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path

from lineage_graph.bench import asking, documented, nearest
from lineage_graph.bench.asking import CostTask
from lineage_graph.bench.documented import DOUBTED, OUTCOMES, Family
from lineage_graph.bench.examined import METHODS, ByMethod, Exam, Growth, examine_left_out, examine_shipped
from lineage_graph.bench.isolated import isolated
from lineage_graph.bench.markdown import table
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


def fresh(growth: Growth, found: Mapping[str, Exam]) -> str:
    """The shipped detector on zoos that it has not seen."""
    title = (
        f"The shipped detector on fresh zoos of {growth.models} models (recipe {growth.recipe}, seeds "
        f"{', '.join(map(str, growth.seeds))}); %. Doubted: in open sets, no parent is likelier than any candidate.\n\n"
    )
    rows = [
        [name, *_cells(exam.figures), _percent(exam.doubted), exam.figures.strangers, exam.figures.questions]
        for name, exam in found.items()
    ]
    return title + table(["method", *COLUMNS, "doubted", "children of strangers", "questions"], rows)


def _cells(figures: Figures) -> list[str]:
    return [_percent(share(figures)) for share in COLUMNS.values()]


def _means(several: Sequence[Figures]) -> Iterator[str]:
    for share in COLUMNS.values():
        values = [value for value in map(share, several) if value is not None]
        yield _percent(statistics.mean(values) if values else None)


def _percent(share: float | None) -> str:
    return "–" if share is None else f"{100 * share:.1f}"


def _published(shop: Workshop) -> str:
    root = documented.folder()
    if not root.is_dir():
        return f"No published checkpoints: {root} is not a folder; {documented.VARIABLE} may name another.\n"
    return published(documented.measure(root, shop))


def published(families: Sequence[Family]) -> str:
    """The shipped detector on published checkpoints, by family and of all."""
    title = (
        "The shipped detector on published checkpoints: of each child, all other models of its family but its "
        "descendants are candidates; counts of children. In doubt: no parent is likelier than the pick.\n\n"
    )
    rows: list[list[object]] = []
    for family in families:
        about = [family.name, family.children, f"{family.candidates:.1f}", f"{family.children * family.chance:.1f}"]
        rows += [[*about, name, *_counts(name, [counts])] for name, counts in family.counts.items()]
    chance = sum(one.children * one.chance for one in families)
    about = ["all", sum(one.children for one in families), "", f"{chance:.1f}"]
    everywhere = [name for name in METHODS if all(name in one.counts for one in families)]
    rows += [[*about, name, *_counts(name, [one.counts[name] for one in families])] for name in everywhere]
    header = ["family", "children", "candidates", "right by chance", "method", *OUTCOMES, *DOUBTED.values()]
    return title + table(header, rows)


def _counts(name: str, several: Sequence[Mapping[str, int]]) -> list[object]:
    sums: dict[str, object] = {
        column: sum(one.get(column, 0) for one in several) for column in (*OUTCOMES, *DOUBTED.values())
    }
    if name == nearest.NAME:  # it never doubts
        sums |= dict.fromkeys(DOUBTED.values(), "–")
    return list(sums.values())


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
