"""Populations of synthetic fingerprints with a known lineage, as an index on disk: from a thousand to a million.

Sizes of signatures and of families have heavy tails, families are up to eight generations deep and favour hubs; there
are strangers, merges of two and three, rounded and pruned copies and exact ones. A model's sketch is its parent's plus
an update in a direction of its own, which is what a random projection of nearly orthogonal updates looks like. Norms,
kurtosis and counters drift as they were seen to in grown and published zoos, with signs that differ between families.

Rows lie in the order of their digests, which are drawn at random, so that a signature's models lie all over the file.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import numpy.typing as npt

from lineage_graph.sketch import WIDE
from lineage_graph.types import FloatArray

Ints = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]

DEEPEST = 8
"""Generations below a root."""

PARENTS = 3
"""That a merge has at most."""


@dataclass(frozen=True, slots=True)
class Habits:
    """How populations are made. ``signatures``: of a thousand models. ``tail``: exponents of the sizes of signatures
    and of families. ``length``: relative distances of updates, median, and standard deviation of their ln. ``common``,
    ``shared``: squared share of what all roots of a signature, and all updates of a family have in common. The rest:
    shares of models.
    """

    signatures: float = 5.0
    signature_tail: float = 1.1
    family_tail: float = 1.2
    length: tuple[float, float] = (0.15, 0.8)
    common: float = 0.02
    shared: float = 0.03
    merged: float = 0.02
    rounded: float = 0.03
    pruned: float = 0.02
    copied: float = 0.01
    decaying: float = 0.3
    heavier_tails: float = 0.7
    counted: float = 0.4
    counted_anew: float = 0.1


@dataclass
class Population:
    """``parents``: of each model, by number, -1 where there is no other; shape (models, ``PARENTS``). ``copied``: whose
    exact copy a model is, or itself. ``sketches``: of unit length, shape (models, ``WIDE``). All others of shape
    (models,).
    """

    parents: Ints
    copied: Ints
    signature: Ints
    sketches: FloatArray
    squared_norm: Floats
    kurtosis: Floats
    zeros: Floats
    bits: Ints
    batches: Floats
    kinds: Ints = field(default_factory=lambda: np.zeros(0, np.int64))

    def edges(self) -> tuple[Ints, Ints]:
        """All parents with their children, copies among them."""
        child, place = np.nonzero(self.parents >= 0)
        return self.parents[child, place], child


def make(count: int, folder: Path, seed: int = 0, habits: Habits | None = None) -> Population:
    """A population of ``count`` models; its sketches lie in a file in ``folder``."""
    habits = habits or Habits()
    dice = np.random.default_rng(seed)
    sketches = np.lib.format.open_memmap(folder / "sketches.npy", "w+", np.float32, (count, WIDE))
    order = dice.permutation(count)
    whole = Population(
        parents=np.full((count, PARENTS), -1),
        copied=np.arange(count),
        signature=np.zeros(count, np.int64),
        sketches=sketches,
        squared_norm=np.zeros(count),
        kurtosis=np.zeros(count),
        zeros=np.zeros(count),
        bits=np.full(count, 24),
        batches=np.full(count, np.nan),
    )
    start = 0
    for number, size in enumerate(_sizes(count, habits)):
        rows = order[start : start + size]
        _fill(whole, rows, _Signature(int(size), dice, habits))
        whole.signature[rows] = number
        start += size
    return whole


def _sizes(count: int, habits: Habits) -> Ints:
    """Of the signatures: by a power of their rank."""
    ranks = np.arange(1, max(int(habits.signatures * count / 1000), 1) + 1)
    shares = ranks**-habits.signature_tail
    sizes = np.maximum((count * shares / shares.sum()).astype(np.int64), 1)
    sizes[0] += count - sizes.sum()
    found: Ints = sizes
    return found


def _fill(whole: Population, rows: Ints, made: _Signature) -> None:
    whole.parents[rows] = np.where(made.parents >= 0, rows[made.parents], -1)
    whole.copied[rows] = rows[made.copied]
    for name in ("squared_norm", "kurtosis", "zeros", "bits", "batches"):
        getattr(whole, name)[rows] = getattr(made, name)
    lengths = np.linalg.norm(made.points, axis=1, keepdims=True)
    whole.sketches[rows] = made.points / np.maximum(lengths, 1e-30)


class _Signature:
    """The models of one signature, grown generation by generation; numbers are its own."""

    def __init__(self, count: int, dice: np.random.Generator, habits: Habits) -> None:
        self._dice, self._habits = dice, habits
        self.family, self._place = _families(count, dice, habits)
        self.parents, self.depth = self._pedigree(count)
        self.kind = self._kinds(count)
        self.copied = np.where(self.kind == _COPIED, self.parents[:, 0], np.arange(count))
        self.points: FloatArray = np.zeros((count, WIDE), dtype=np.float32)
        self.squared_norm, self.zeros = np.ones(count), np.zeros(count)
        self.kurtosis = 3 + dice.exponential(1.0, count)
        self.bits, self.batches = np.full(count, 24), np.full(count, np.nan)
        families = int(self.family.max()) + 1
        self._decays = dice.random(families) < habits.decaying
        self._tails = np.where(dice.random(families) < habits.heavier_tails, 1.0, -1.0)
        self._counts = dice.random(families) < habits.counted
        self._common, self._shared = self._directions(1)[0], self._directions(min(families, 512))
        for level in range(int(self.depth.max()) + 1):
            self._grow(np.flatnonzero(self.depth == level), level)

    def _pedigree(self, count: int) -> tuple[Ints, Ints]:
        """Parents and generations: early members of a family have most of the children."""
        dice, place = self._dice, self._place
        first = np.arange(count) - place
        parents = np.full((count, PARENTS), -1)
        child = np.flatnonzero(place > 0)
        parents[child, 0] = first[child] + (place[child] * dice.random(len(child)) ** 2).astype(np.int64)
        merged = child[(place[child] >= 4) & (dice.random(len(child)) < 1.5 * self._habits.merged)]
        for number in range(1, PARENTS):
            some = merged if number == 1 else merged[dice.random(len(merged)) < 0.3]
            parents[some, number] = first[some] + 1 + ((place[some] - 1) * dice.random(len(some))).astype(np.int64)
        twice = (parents[:, 1] >= 0) & (parents[:, 1] == parents[:, 0])
        parents[twice, 1:] = -1
        thrice = (parents[:, 2] >= 0) & ((parents[:, 2] == parents[:, 1]) | (parents[:, 2] == parents[:, 0]))
        parents[thrice, 2] = -1
        depth = _depths(parents)
        while (too_deep := np.flatnonzero(depth > DEEPEST)).size:
            parents[too_deep, 1:], parents[too_deep, 0] = -1, first[too_deep]
            depth = _depths(parents)
        return parents, depth

    def _kinds(self, count: int) -> Ints:
        """Copies of all sorts have no children of their own."""
        childless = np.ones(count, bool)
        childless[self.parents[self.parents >= 0]] = False
        free = childless & (self.parents[:, 0] >= 0) & (self.parents[:, 1] < 0)
        kinds = np.where(self.parents[:, 1] >= 0, _MERGED, np.where(self.parents[:, 0] >= 0, _TUNED, _ROOT))
        shares = np.array([self._habits.rounded, self._habits.pruned, self._habits.copied])
        drawn = np.searchsorted(np.cumsum(shares) * count / max(free.sum(), 1), self._dice.random(count))
        return np.where(free & (drawn < 3), np.array([_ROUNDED, _PRUNED, _COPIED, _TUNED])[drawn], kinds)

    def _grow(self, rows: Ints, level: int) -> None:
        for start in range(0, len(rows), CHUNK):
            part = rows[start : start + CHUNK]
            if level == 0:
                own = self._directions(len(part))
                share = self._habits.common
                self.points[part] = np.sqrt(1 - share) * own + np.sqrt(share) * self._common
                self.batches[part] = np.where(
                    self._counts[self.family[part]], self._dice.integers(10_000, 1_000_000), np.nan
                )
            else:
                self._inherit(part)

    def _inherit(self, rows: Ints) -> None:
        dice, first = self._dice, self.parents[rows, 0]
        kind, family = self.kind[rows], self.family[rows]
        length = np.clip(
            np.exp(dice.normal(np.log(self._habits.length[0]), self._habits.length[1], len(rows))), 0.01, 1
        )
        length = np.where(kind == _ROUNDED, 2.0**-8 / 3, length)
        length = np.where(kind == _PRUNED, np.sqrt(dice.uniform(0.02, 0.1, len(rows))), length)
        shrink = np.where(self._decays[family], 1 - 0.8 * length**2, 1.0)
        # What pruning takes out is as long as it shortens the model.
        shrink = np.where(kind == _PRUNED, 1 - length**2, np.where(kind == _ROUNDED, 1.0, shrink))
        across = np.where(kind == _PRUNED, length * np.sqrt(1 - length**2), length)
        share = np.where(kind == _TUNED, self._habits.shared, 0.0)[:, None]
        update = (
            np.sqrt(1 - share) * self._directions(len(rows)) + np.sqrt(share) * self._shared[family % len(self._shared)]
        )
        size = np.sqrt(self.squared_norm[first])
        points = shrink[:, None] * self.points[first] + (size * across)[:, None] * update
        self.squared_norm[rows] = self.squared_norm[first] * (shrink**2 + across**2)
        sign = np.where(dice.random(len(rows)) < 0.85, self._tails[family], -self._tails[family])
        self.kurtosis[rows] = self.kurtosis[first] * (1 + 0.1 * sign * length * dice.random(len(rows)))
        self.bits[rows] = np.where(kind == _ROUNDED, 8, 24)
        self.zeros[rows] = np.where(kind == _PRUNED, dice.uniform(0.2, 0.6, len(rows)), 0.0)
        anew = dice.random(len(rows)) < self._habits.counted_anew
        steps = dice.integers(100, 100_000, len(rows))
        trained = (kind == _TUNED) & ~np.isnan(self.batches[first])
        counted = np.where(anew, 0.0, self.batches[first]) + steps
        self.batches[rows] = np.where(trained, counted, self.batches[first])
        self.points[rows] = points.astype(np.float32)
        self._copy(rows[kind == _COPIED])
        self._merge(rows[kind == _MERGED])

    def _copy(self, rows: Ints) -> None:
        first = self.parents[rows, 0]
        for values in (self.points, self.squared_norm, self.kurtosis, self.zeros, self.bits, self.batches):
            values[rows] = values[first]

    def _merge(self, rows: Ints) -> None:
        """Even sums of all parents, exact; norms by what they are in sketches."""
        there = self.parents[rows] >= 0
        weights = there / there.sum(axis=1, keepdims=True)
        parents = np.where(there, self.parents[rows], self.parents[rows, :1])
        self.points[rows] = np.einsum("rp,rpd->rd", weights, self.points[parents]).astype(np.float32)
        sketched = np.einsum("rpd,rpd->rp", self.points[parents], self.points[parents])
        scale = (weights * self.squared_norm[parents] / sketched).sum(axis=1)
        self.squared_norm[rows] = scale * np.einsum("rd,rd->r", self.points[rows], self.points[rows])
        self.kurtosis[rows] = (weights * self.kurtosis[parents]).sum(axis=1)

    def _directions(self, count: int) -> FloatArray:
        """Random directions as sketches of unit vectors are: shape (count, ``WIDE``)."""
        return self._dice.standard_normal((count, WIDE), dtype=np.float32) / np.float32(np.sqrt(WIDE))


_ROOT, _TUNED, _MERGED, _ROUNDED, _PRUNED, _COPIED = range(6)

CHUNK = 1 << 14
"""Models grown at a time."""


def _families(count: int, dice: np.random.Generator, habits: Habits) -> tuple[Ints, Ints]:
    """By model, its family, and its place in it: sizes by a power law, at most 30 % of all."""
    drawn = (dice.random(count) ** (-1 / habits.family_tail)).astype(np.int64)
    sizes = np.minimum(drawn, max(int(0.3 * count), 1))
    sizes = sizes[: int(np.searchsorted(np.cumsum(sizes), count)) + 1]
    family = np.repeat(np.arange(len(sizes)), sizes)[:count]
    starts = np.cumsum(sizes) - sizes
    return family, np.arange(count) - starts[family]


def _depths(parents: Ints) -> Ints:
    """Generations from the root, by the longest way."""
    depth = np.zeros(len(parents), dtype=np.int64)
    while True:
        deeper = np.where(parents >= 0, depth[parents] + 1, 0).max(axis=1)
        if (deeper == depth).all():
            return depth
        depth = deeper
