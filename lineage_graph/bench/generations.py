"""Who of a closed set is the ancestor, over one, two and three generations: ``lgraph bench generations``.

The protocol of "Neural Lineage" (Yu & Wang, CVPR 2024, Tab. 1): each model of a later generation has one ancestor among
all models of an earlier one; a method picks the candidate that scores highest, and its accuracy is the share of right
picks. On zoos that are grown here (recipe ``generations``); nothing is fitted on them.
"""

from __future__ import annotations

import statistics
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from lineage_graph.bench.closed_set import COMBINED, LINEARIZED, PLAIN
from lineage_graph.bench.compared import DETECTOR, Compared, Comparison, compare
from lineage_graph.bench.markdown import table
from lineage_graph.build import default_cache
from lineage_graph.cached import Workshop
from lineage_graph.executors import make_executor
from lineage_graph.features.settings import ProbeSettings
from lineage_graph.sources.grow import grow
from lineage_graph.sources.grow.generations import ARCHITECTURE
from lineage_graph.sources.grow.recipes import RECIPES
from lineage_graph.store import Store
from lineage_graph.types import Progress

MODELS = 68
SEEDS = tuple(range(9))
FRESH = (6, 7, 8)
"""Seeds that nobody had looked at when the combination got its form; it is counted on them alone, too."""

PROBES = ProbeSettings(count=32)
SIDE = 16
"""Pixels a side of the probes: those of the images that the zoo is trained on."""

CELLS = ((1, 2), (1, 3), (1, 4), (2, 3), (2, 4), (3, 4))
"""Generation of the ancestor, and of the descendant."""

PAPER = {
    "l1": ((90.47, 98.92), (89.07, 97.02), (86.31, 96.83), (91.27, 98.41), (83.93, 95.24), (94.05, 97.02)),
    "cka": ((75.59, 77.38), (44.44, 51.59), (38.09, 51.19), (65.88, 75.41), (67.86, 72.03), (66.67, 72.03)),
}
"""The paper's accuracies without and with approximation, %, by cell."""

DETECTOR_AIM = 99.0
"""%, in every cell; the paper's detector, which was trained on these very parents, finds 97.75 to 99.61."""

Accuracies = dict[str, list[float]]
"""By measure: % of right picks, one number a cell."""


@dataclass(frozen=True, slots=True)
class Generations:
    """A zoo: weights ``files``, parents and generations by model, parents before children."""

    files: dict[str, str]
    parents: dict[str, str | None]
    generation: dict[str, int]

    def members(self, generation: int) -> list[str]:
        """The models of one generation."""
        return [name for name, number in self.generation.items() if number == generation]

    def ancestor(self, name: str, generation: int) -> str:
        """The model's one ancestor in an earlier ``generation``."""
        while self.generation[name] > generation:
            parent = self.parents[name]
            if parent is None:
                break
            name = parent
        return name


def run(workdir: Path, progress: Progress) -> str:
    """Accuracies of all methods in all cells, and what the approximation gains, beside the paper's."""
    results, sizes = [], []
    with make_executor() as executor:
        shop = Workshop(executor, Store(default_cache()), progress)
        for seed in SEEDS:
            zoo = grown(seed, shop)
            results.append(accuracies(zoo, scores(zoo, shop)))
            sizes.append([len(zoo.members(number)) for number in (1, 2, 3, 4)])
    fresh = [result for seed, result in zip(SEEDS, results, strict=True) if seed in FRESH]
    return report(results, sizes[0]) + "\n" + _combination(fresh, f"seeds {', '.join(map(str, FRESH))}") + "\n"


def grown(seed: int, shop: Workshop) -> Generations:
    """The zoo of one seed, grown or found in the cache."""
    plans = RECIPES["generations"].plan(MODELS, seed)
    zoo = grow("generations", MODELS, seed, shop.store.root, shop.executor, shop.progress)
    return Generations(
        files={model.path.stem: str(model.path) for model in zoo.models},
        parents={plan.name: plan.parent for plan in plans},
        generation={plan.name: plan.generation for plan in plans},
    )


def scores(zoo: Generations, shop: Workshop) -> Compared:
    """By candidate and model of a later generation, the score of each measure."""
    later = {old: [name for name in zoo.files if zoo.generation[name] > old] for old in (1, 2, 3)}
    sets = [(zoo.members(old), children) for old, children in later.items()]
    return compare(sets, Comparison(zoo.files, ARCHITECTURE, PROBES, SIDE), shop)


def accuracies(zoo: Generations, found: Compared) -> Accuracies:
    """% of the descendants whose best candidate is their ancestor, by measure and cell."""
    shares: Accuracies = defaultdict(list)
    for old, young in CELLS:
        candidates, descendants = zoo.members(old), zoo.members(young)
        for name in next(iter(found.values())):
            picks = [max((found[one, child][name], one) for one in candidates)[1] for child in descendants]
            right = [pick == zoo.ancestor(child, old) for pick, child in zip(picks, descendants, strict=True)]
            shares[name].append(100 * statistics.mean(right))
    return dict(shares)


def report(results: Sequence[Accuracies], sizes: Sequence[int]) -> str:
    """The tables, and in how many cells the aims are met. ``sizes``: models of each generation."""
    cells = [f"G{old} → G{young}" for old, young in CELLS]
    title = (
        f"{len(results)} zoos of {' + '.join(map(str, sizes))} models (recipe generations, "
        f"seeds {', '.join(map(str, SEEDS))}); % of ancestors found, mean ± standard deviation over the zoos.\n\n"
    )
    chance = ["chance", *(f"{100 / sizes[old - 1]:.1f}" for old, _ in CELLS)]
    text = title + table(["method", *cells], [chance, *_rows(results)])
    text += "\nWhat the approximation gains, in points, here and in the paper (its accuracies in brackets).\n\n"
    text += table(["measure", *cells], _gains(results))
    return text + "\n" + _aims(results)


def _rows(results: Sequence[Accuracies]) -> Iterator[list[str]]:
    for name in results[0]:
        by_cell = zip(*(result[name] for result in results), strict=True)
        yield [name, *(f"{statistics.mean(cell):.1f} ± {statistics.stdev(cell):.1f}" for cell in by_cell)]


def _gains(results: Sequence[Accuracies]) -> Iterator[list[str]]:
    for name, cells in PAPER.items():
        ours = zip(_means(results, name + PLAIN), _means(results, name + LINEARIZED), strict=True)
        yield [
            name,
            *(
                f"{after - before:+.1f} here, {with_it - without:+.1f} there ({without:.1f} → {with_it:.1f})"
                for (before, after), (without, with_it) in zip(ours, cells, strict=True)
            ),
        ]


def _aims(results: Sequence[Accuracies]) -> str:
    gains = zip(_means(results, "l1" + PLAIN), _means(results, "l1" + LINEARIZED), strict=True)
    better = sum(after > before for before, after in gains)
    return f"With approximation l1 is better in {better} of {len(CELLS)} cells. {_combination(results, 'all seeds')}\n"


def _combination(results: Sequence[Accuracies], seeds: str) -> str:
    single = zip(*(_means(results, name) for name in results[0] if name != COMBINED), strict=True)
    equal = sum(own >= max(others) for own, others in zip(_means(results, COMBINED), single, strict=True))
    sure = sum(mean >= DETECTOR_AIM for mean in _means(results, next(iter(DETECTOR))))
    return (
        f"On {seeds} the combination of {COMBINED} is at least as good as the best single method in {equal} cells, and "
        f"the detector finds {DETECTOR_AIM} % or more in {sure}."
    )


def _means(results: Sequence[Accuracies], name: str) -> list[float]:
    return [statistics.mean(cell) for cell in zip(*(result[name] for result in results), strict=True)]
