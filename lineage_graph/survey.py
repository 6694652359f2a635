"""Every block of every model, held against the blocks of the zoo that may be its relatives, at any depth.

Blocks of equal shapes are compared by their sketches. Of the nearest, those that were not compared exactly when their
models were are read, so that in a zoo of ordinary fine-tunes hardly anything is read twice.
"""

from __future__ import annotations

import math
from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from lineage_graph import evidence, fingerprint, held
from lineage_graph.alignment import Alignment
from lineage_graph.blocks import Block, Shapes, blocks
from lineage_graph.cached import Artefact, Workshop
from lineage_graph.candidates import CandidateSettings, nearest
from lineage_graph.evidence import CompareTask
from lineage_graph.held import Side
from lineage_graph.signals.distance import cosine_z
from lineage_graph.sketch import NARROW, chance
from lineage_graph.store import artefact_key
from lineage_graph.types import Model, PairEvidence, TensorComparison

COMPARISONS = Artefact("block-comparison", evidence.to_bytes, evidence.from_bytes)

SHORTLIST = 12
"""Blocks read for each block, the nearest by sketch."""

LEAST_LAID_OUT = 0.5
"""Cosine from which a matrix counts that was laid out anew for its comparison: matching units alone makes strangers
look somewhat alike."""


@dataclass(frozen=True, slots=True)
class Match:
    """A block of another model, compared exactly: ‖x - y‖² over the matrices, their centred cosine, -1 to 1, and their
    agreement unit by unit in standard deviations of the permutation null (see ``evidence.permutation_z``).
    """

    model: str
    block: str
    squared_distance: float
    cosine: float
    z: float


@dataclass(frozen=True, slots=True)
class Surveyed:
    """One block: ``size``, elements of its matrices, their ``squared_norm``, and its ``matches``, the nearest first. Of
    several models of the same bytes one, the first by id, stands for all.
    """

    block: str
    size: int
    squared_norm: float
    matches: tuple[Match, ...]


End = tuple[str, str]
"""A model and one of its blocks."""

Ends = tuple[End, End]


@dataclass(frozen=True, slots=True)
class _Place:
    """One block of one of the distinct models, by its number."""

    model: int
    block: Block


class _Places:
    """All blocks of the distinct models, looked up by number, or by model and name."""

    def __init__(self, models: Sequence[Model]) -> None:
        distinct: dict[str, Model] = {}
        for model in sorted(models, key=lambda model: (model.fingerprint.digest, model.id)):
            distinct.setdefault(model.fingerprint.digest, model)
        self.models = list(distinct.values())
        self.all = [
            _Place(number, block) for number, one in enumerate(self.models) for block in blocks(one.fingerprint)
        ]
        self._numbers = {self.end(number): number for number in range(len(self.all))}

    def end(self, number: int) -> End:
        """The model and the block."""
        place = self.all[number]
        return self.models[place.model].id, place.block.name

    def numbers(self, ends: Ends) -> tuple[int, int]:
        """Of two blocks."""
        return self._numbers[ends[0]], self._numbers[ends[1]]


def near(models: Sequence[Model]) -> list[Ends]:
    """Two blocks whose sketches agree, each such pair once; at most ``SHORTLIST`` for each block. Of several models of
    the same bytes the first by id stands for all.
    """
    places = _Places(models)
    # In an order that no other model changes.
    return [(places.end(first), places.end(second)) for first, second in sorted(_near(places.all))]


def compared(models: Sequence[Model], ends: Sequence[Ends], shop: Workshop) -> dict[Ends, Match]:
    """What the second of two blocks is to the first; of those that can be read."""
    places = _Places(models)
    numbers = [places.numbers(each) for each in ends]
    found = _Compared(places)
    for pair_of, tensors in _read(places, numbers, shop):
        found.add(*pair_of, tensors)
    matches = ((each, found.match(*pair)) for each, pair in zip(ends, numbers, strict=True))
    return {each: match for each, match in matches if match is not None}


def survey(
    models: Sequence[Model], ends: Sequence[Ends], measured: Sequence[PairEvidence], shop: Workshop
) -> dict[str, tuple[Surveyed, ...]]:
    """By model, its blocks in network order with their exact matches. ``ends``: the blocks that are worth reading; see
    :func:`near`. ``measured``: the comparisons of whole models.

    What cannot be read any more has no match.
    """
    places = _Places(models)
    found = _Compared(places)
    for pair in measured:
        found.add(pair.a, pair.b, pair.tensors)
    missing = [numbers for pair in ends if not found.knows(*(numbers := places.numbers(pair)))]
    for pair_of, tensors in _read(places, missing, shop):
        found.add(*pair_of, tensors)
    by_digest = defaultdict(list)
    for place, matches in zip(places.all, found.matches(), strict=True):
        norm = sum(tensor.norm**2 for tensor in place.block.matrices)
        by_digest[places.models[place.model].fingerprint.digest].append(
            Surveyed(place.block.name, place.block.size, norm, matches)
        )
    return {model.id: tuple(by_digest.get(model.fingerprint.digest, ())) for model in models}


def _near(places: Sequence[_Place]) -> Iterator[tuple[int, int]]:
    """Numbers of two places whose sketches agree, each such pair once; at most ``SHORTLIST`` for each place."""
    groups: dict[Shapes, list[int]] = defaultdict(list)
    for number, place in enumerate(places):
        groups[place.block.shapes].append(number)
    seen: set[tuple[int, int]] = set()
    for shapes, members in groups.items():
        owners = [places[number].model for number in members]
        vectors = np.stack([_sketch(places[number].block) for number in members])
        least = chance(len(members), NARROW * len(shapes))
        # A block may be most like others of its own model.
        own = max(Counter(owners).values()) - 1
        taken: Counter[int] = Counter()
        for row, column, cosine in nearest(vectors, CandidateSettings(neighbours=SHORTLIST + own)):
            if cosine >= least and owners[row] != owners[column] and taken[row] < SHORTLIST:
                taken[row] += 1
                ends = members[min(row, column)], members[max(row, column)]
                if ends not in seen:
                    seen.add(ends)
                    yield ends


def _sketch(block: Block) -> npt.NDArray[np.float32]:
    """Of unit length, shape (matrices · ``sketch.NARROW``,)."""
    whole = np.concatenate([tensor.sketch for tensor in block.matrices])
    return (whole / max(float(np.linalg.norm(whole)), 1e-30)).astype(np.float32)


def _read(
    places: _Places, missing: Sequence[tuple[int, int]], shop: Workshop
) -> Iterator[tuple[tuple[str, str], tuple[TensorComparison, ...]]]:
    """Compare the blocks of each two models in one go; a pair that cannot be read is left out."""
    by_pair: dict[tuple[int, int], list[tuple[Block, Block]]] = defaultdict(list)
    for first, second in missing:
        here, there = places.all[first], places.all[second]
        by_pair[here.model, there.model].append((here.block, there.block))
    work = []
    for (a, b), ends in by_pair.items():
        tensors = tuple(pair for x, y in ends for pair in zip(x.matrices, y.matrices, strict=True))
        one, other = places.models[a].checkpoint, places.models[b].checkpoint
        names = [(x.spec.name, y.spec.name) for x, y in tensors]
        schemas = (evidence.SCHEMA, fingerprint.SCHEMA)
        key = artefact_key(COMPARISONS.kind, schemas, one.digest, other.digest, names)
        work.append((key, evidence.plan(Side.of(one), Side.of(other), Alignment(tensors, 0.0))))
    outcomes = shop.map_pairs(COMPARISONS, compare, work, list(by_pair))
    for (a, b), outcome in zip(by_pair, outcomes, strict=True):
        if outcome.value is not None:
            yield (places.models[a].id, places.models[b].id), outcome.value


def compare(task: CompareTask) -> tuple[TensorComparison, ...]:
    """Compare tensors as they lie, whatever they belong to. Raises :class:`~lineage_graph.errors.ModelError`."""
    with held.opened(task.a) as a, held.opened(task.b) as b:
        return tuple(held.compare(a, b, pair) for pair in task.tensors)


class _Compared:
    """What is known exactly, tensor by tensor, looked up by places."""

    def __init__(self, places: _Places) -> None:
        self._places = places
        self._number = {model.id: number for number, model in enumerate(places.models)}
        self._of: dict[tuple[int, str], int] = {
            (place.model, tensor.spec.name): number
            for number, place in enumerate(places.all)
            for tensor in place.block.matrices
        }
        self._tensors: dict[tuple[int, int], dict[tuple[str, str], TensorComparison]] = defaultdict(dict)

    def add(self, a: str, b: str, tensors: Sequence[TensorComparison]) -> None:
        """Take a comparison of tensors of model ``a`` with tensors of ``b``."""
        one, other = self._number[a], self._number[b]
        for tensor in tensors:
            ends = self._of.get((one, tensor.name_a)), self._of.get((other, tensor.name_b))
            if not tensor.rows or (tensor.layout and tensor.cosine < LEAST_LAID_OUT):
                continue
            if ends[0] is not None and ends[1] is not None:
                self._tensors[ends[0], ends[1]][tensor.name_a, tensor.name_b] = tensor

    def knows(self, first: int, second: int) -> bool:
        """Have all matrices of the two places been compared?"""
        return bool(self._whole(first, second) or self._whole(second, first))

    def match(self, first: int, second: int) -> Match | None:
        """What the second place is to the first, where all their matrices have been compared."""
        tensors = self._whole(first, second) or self._whole(second, first)
        if not tensors:
            return None
        x, y = self._places.all[first], self._places.all[second]
        return Match(*self._places.end(second), *_moments(x.block, y.block, tensors))

    def matches(self) -> list[tuple[Match, ...]]:
        """By place, the nearest first."""
        found: list[list[Match]] = [[] for _ in self._places.all]
        for first, second in sorted({(min(ends), max(ends)) for ends in self._tensors}):
            match = self.match(first, second)
            if match is not None:
                model, block = self._places.end(first)
                found[first].append(match)
                found[second].append(replace(match, model=model, block=block))
        return [tuple(sorted(matches, key=lambda match: match.squared_distance)) for matches in found]

    def _whole(self, first: int, second: int) -> list[TensorComparison] | None:
        known = self._tensors.get((first, second), {})
        x, y = self._places.all[first].block, self._places.all[second].block
        if x.shapes != y.shapes:
            return None
        names = [(a.spec.name, b.spec.name) for a, b in zip(x.matrices, y.matrices, strict=True)]
        return [known[pair] for pair in names] if all(pair in known for pair in names) else None


def _moments(x: Block, y: Block, tensors: Sequence[TensorComparison]) -> tuple[float, float, float]:
    """Squared distance, cosine and z of two blocks from those of their matrices."""
    pairs = zip(x.matrices, y.matrices, strict=True)
    spreads = [(a.std * math.sqrt(a.spec.size), b.std * math.sqrt(b.spec.size)) for a, b in pairs]
    inner = sum(t.cosine * a * b for t, (a, b) in zip(tensors, spreads, strict=True))
    scale = math.sqrt(sum(a * a for a, _ in spreads) * sum(b * b for _, b in spreads))
    return sum(t.squared_distance for t in tensors), inner / scale if scale > 0 else 0.0, cosine_z(list(tensors))
