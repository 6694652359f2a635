"""Linearized scoring of a whole zoo, all pairs against pruned ones: ``lgraph bench pruning``.

Both ways choose each model's parent by the linearized l1 distance (Neural Lineage, Sec. 3.2), with the same code, the
same workers and every network held in memory. All pairs: every other model is measured on every probe. Pruned: of the
half of the zoo that is nearest by sketches of the weights, sketched residuals leave a few, and these race. The pruned
way also pays for the fingerprints and the search.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from itertools import pairwise
from pathlib import Path

from lineage_graph.bench.clocked import Clocked, Spent
from lineage_graph.bench.markdown import table
from lineage_graph.bench.zoo import grown
from lineage_graph.cached import Workshop
from lineage_graph.candidates import CandidateSettings, shortlists
from lineage_graph.evaluate import Truth
from lineage_graph.executors import make_executor
from lineage_graph.features.race import Field, NetworkFile, rounds, winners
from lineage_graph.features.settings import ProbeSettings
from lineage_graph.features.sketched import shortened
from lineage_graph.store import Store
from lineage_graph.types import Model, Progress, silent

WARM_UP = 8
"""Parents that are held against all models, by all workers in turn, so that each of them has seen every model."""

RECIPE, MODELS, SEED = "generations", 300, 5
NEIGHBOURS = 150
"""Nearest models of each that are looked up: many, since a sketched residual costs next to nothing. Chosen on a zoo of
another seed, as everything else in the pruned way."""


def run(workdir: Path, progress: Progress) -> str:
    """Time both ways in turn over the zoo of ``MODELS``, and count the models whose chosen parent is the same."""
    probes = ProbeSettings()
    zoo = grown(MODELS, SEED, workdir, progress, recipe=RECIPE)
    files = {model.id: NetworkFile(model.checkpoint.path, model.checkpoint.arch) for model in zoo.zoo.models}
    everyone = _of_one_shape(zoo.zoo.models)
    with Clocked(make_executor()) as executor:
        # Workers start, import, and each of them holds every network, before any clock runs.
        few = Field(files, {child: others[:WARM_UP] for child, others in everyone.items()})
        winners(few, probes, executor, schedule=[(0, 1)])
        shortened(few, probes, executor, kept=1)
        marks = [executor.spent()]
        fresh = Workshop(executor, Store(workdir / "fresh"), silent)
        models = grown(MODELS, SEED, workdir, silent, recipe=RECIPE, shop=fresh).zoo.models
        near = shortlists(models, CandidateSettings(neighbours=NEIGHBOURS))
        marks.append(executor.spent())
        field = shortened(Field(files, near), probes, executor, progress)
        marks.append(executor.spent())
        pruned = winners(field, probes, executor, progress)
        marks.append(executor.spent())
        brute = winners(Field(files, everyone), probes, executor, progress, schedule=[(0, probes.count)])
        marks.append(executor.spent())
    prepare, shorten, race = (later - earlier for earlier, later in pairwise(marks[:4]))
    of_brute, of_pruned = marks[4] - marks[3], marks[3] - marks[0]
    every, few_pairs = probes.count * sum(map(len, everyone.values())), raced(field.candidates, probes.count)
    same = sum(pruned.get(child) == parent for child, parent in brute.items()) / len(brute)
    rows = [
        ["all pairs of one shape", every, *_cost(of_brute), 1.0, 1.0, 1.0, right(brute, zoo.truth)],
        ["pruned", few_pairs, *_cost(of_pruned), *_gain(of_brute, of_pruned), same, right(pruned, zoo.truth)],
        ["of which fingerprints and search", "", *_cost(prepare), "", "", "", ""],
        ["of which sketched residuals", "", *_cost(shorten), "", "", "", ""],
        ["of which the race", "", *_cost(race), "", "", "", ""],
    ]
    header = ["way", "pairs × probes", "seconds", "processor seconds", "times faster", "times less processor time"]
    header += ["same chosen parents", "true parent or child chosen"]
    return f"The grown zoo of {MODELS} (recipe {RECIPE}, seed {SEED}), unordered.\n\n" + table(header, rows)


def _cost(spent: Spent) -> tuple[float, float]:
    return spent.clock, spent.processor


def _gain(whole: Spent, part: Spent) -> tuple[float, float]:
    return whole.clock / part.clock, whole.processor / part.processor


def _of_one_shape(models: tuple[Model, ...]) -> dict[str, list[str]]:
    groups: dict[str, list[str]] = defaultdict(list)
    for model in models:
        groups[model.fingerprint.signature].append(model.id)
    return {m.id: [other for other in groups[m.fingerprint.signature] if other != m.id] for m in models}


def raced(candidates: Mapping[str, Sequence[str]], count: int) -> int:
    """Pairs times probes of the races."""
    total = 0
    for others in candidates.values():
        left = len(others)
        for start, stop in rounds(count):
            total += left * (stop - start) if left > 1 else 0
            left = -(-left // 2)
    return total


def right(chosen: dict[str, str], truth: Truth) -> float:
    """Share of the models with a parent whose choice is that parent or one of its own children."""
    edges = {frozenset(edge) for edge in truth.edges}
    children = [child for _, child in truth.edges]
    return sum(frozenset((chosen.get(child, ""), child)) in edges for child in children) / len(children)
