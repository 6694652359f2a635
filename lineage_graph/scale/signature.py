"""All models of one shape signature: who is related to whom, and who is a sum of others.

Whatever crosses signatures (a transplanted backbone, units that were taken out) is not looked for here.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from lineage_graph import scoring, strangers
from lineage_graph.scale import merged
from lineage_graph.scale.detours import detours
from lineage_graph.scale.forest import components
from lineage_graph.scale.judged import Pairs, joined, judge
from lineage_graph.scale.merged import Sum
from lineage_graph.scale.neighbours import Searcher, SearchSettings, beyond, near, once
from lineage_graph.scale.population import Floats, Ints, Population
from lineage_graph.types import FloatArray

ROUNDS = 3
"""How often detours are looked for: what takes the place of one may be another."""


@dataclass(frozen=True, slots=True)
class Signature:
    """``pairs``: judged ones, by the population's numbers. ``sums``: its merges. ``probed``: cells that were looked at
    for each model, 0 where search was exact.
    """

    pairs: Pairs
    sums: tuple[Sum, ...] = field(default_factory=tuple)
    probed: int = 0


@dataclass(frozen=True, slots=True)
class _Group:
    """``numbers`` of its models in the population, their ``vectors``, and the ``level`` of strangers among them."""

    population: Population
    numbers: Ints
    vectors: FloatArray
    level: float
    tested: int

    def judged(self, i: Ints, j: Ints) -> Pairs:
        """Pairs (i < j) of the group's own numbers, judged; still by these numbers."""
        squared = np.empty(len(i))
        for start in range(0, len(i), CHUNK):
            part = slice(start, start + CHUNK)
            difference = self.vectors[i[part]] - self.vectors[j[part]]
            squared[part] = np.einsum("pd,pd->p", difference, difference)
        level = np.full(len(i), self.level)
        found = judge(self.population, self.numbers[i], self.numbers[j], squared, level, self.tested)
        return Pairs(i, j, found.squared, found.cosine, found.confidence, found.kind)

    def more(self, pairs: Pairs, a: Ints, b: Ints) -> Pairs:
        """``pairs``, and those of the pairs (a, b) that are not among them."""
        count = len(self.numbers)
        i, j, _ = once(a, b, np.zeros(len(a)), count)
        new = ~np.isin(i * count + j, pairs.i * count + pairs.j)
        return joined([pairs, self.judged(i[new], j[new])])


CHUNK = 1 << 15
"""Pairs whose differences are held at a time."""


def examine(population: Population, numbers: Ints, tested: int, settings: SearchSettings | None = None) -> Signature:
    """Examine the models of one signature, given by their ``numbers``, ascending. ``tested``: pairs judged in all."""
    settings = settings or SearchSettings()
    vectors = population.sketches.take(numbers)
    level = strangers.level_of(vectors[strangers.looked_at(len(numbers))]) or 0.0
    group = _Group(population, numbers, vectors, level, tested)
    searcher = Searcher(vectors, settings)
    first = near(searcher, settings)
    pairs = group.judged(first.i, first.j)
    related = pairs.where(pairs.confidence >= scoring.DECISION)
    part = components(len(numbers), related.i, related.j)
    pairs = group.more(pairs, *beyond(searcher, first.neighbours, part, settings))
    radius = _radius(group, first.neighbours)
    for _ in range(ROUNDS):
        known = len(pairs)
        related = pairs.where(pairs.confidence >= scoring.DECISION)
        pairs = group.more(pairs, *detours(len(numbers), related, radius))
        if len(pairs) == known:
            break
    found = tuple(_sums(group, pairs, first.neighbours[:, : settings.shortlist]))
    return Signature(_numbered(pairs, numbers), found, searcher.probed)


def _radius(group: _Group, neighbours: Ints) -> Floats:
    """By model: the squared distance up to which its list of neighbours is complete; ∞ where it was not cut off."""
    last = neighbours[:, -1]
    full = np.flatnonzero(last >= 0)
    radius = np.full(len(neighbours), np.inf)
    radius[full] = group.judged(full, last[full]).squared if len(full) else 0.0
    return radius


def _sums(group: _Group, pairs: Pairs, neighbours: Ints) -> list[Sum]:
    related = pairs.where(pairs.confidence >= scoring.DECISION)
    family = components(len(group.numbers), related.i, related.j)
    own = (neighbours >= 0) & (family[neighbours] == family[:, None])
    order = np.argsort(~own, axis=1, kind="stable")
    kept = np.take_along_axis(np.where(own, neighbours, -1), order, axis=1)
    norms = np.sqrt(group.population.squared_norm[group.numbers])
    scale = (norms / max(float(np.median(norms)), 1e-30)).astype(np.float32)
    return list(merged.sums(group.vectors * scale[:, None], kept, family, group.numbers))


def _numbered(pairs: Pairs, numbers: Ints) -> Pairs:
    i: npt.NDArray[np.int64] = numbers[pairs.i]
    return Pairs(i, numbers[pairs.j], pairs.squared, pairs.cosine, pairs.confidence, pairs.kind)
