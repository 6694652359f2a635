"""Everything measured about one pair of models.

The costly part, reading the aligned tensors of both checkpoints side by side, is :func:`compare`: a pure function of
paths and an alignment, kept in the store by the two digests. The signals are arithmetic on its result.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields, replace
from operator import attrgetter

from lineage_graph import alignment as alignments
from lineage_graph import channels, fingerprint, held, narrowed, relayout
from lineage_graph.alignment import Alignment
from lineage_graph.checkpoints.base import Reader
from lineage_graph.comparison import TensorPair, compare_leading, needs_tail, units, with_tail
from lineage_graph.held import Side, whole
from lineage_graph.signals import learned, linearized
from lineage_graph.signals.base import PairContext, agrees
from lineage_graph.signals.registry import SCHEMA as SIGNALS_SCHEMA
from lineage_graph.signals.registry import measure_all
from lineage_graph.store import artefact_key
from lineage_graph.types import (
    Detection,
    FeatureComparison,
    Fingerprint,
    Model,
    PairEvidence,
    TensorComparison,
)
from lineage_graph.unscramble import looks_scaled, unscramble

LARGEST_WHOLE = 1 << 22
"""Elements up to which a tensor is read whole (16 MiB of float32), for what cannot be had from a stream of pieces."""

LAID_OUT_BELOW = 0.75
"""Cosine below which other layouts are tried: two gates of four that changed their places leave about a half."""

LEAST_UNITS_COVERAGE = 0.999
LEAST_UNLIKE = 0.2
"""Units are matched where two models answer to each other in every tensor, and more than such a share of their matrices
does not agree."""

SCHEMA = 14
"""Raise it when the alignment or a number of :class:`TensorComparison` changes its meaning."""


@dataclass(frozen=True, slots=True)
class CompareTask:
    """What a worker needs to compare two checkpoints. ``units``: match hidden units where the weights do not
    agree. ``grown``: tables of which one side has more rows, compared as far as both go.

    ``narrowed``: instead of ``tensors``, where one side has fewer units.
    """

    a: Side
    b: Side
    tensors: tuple[TensorPair, ...]
    units: bool = False
    grown: tuple[TensorPair, ...] = ()
    narrowed: Alignment | None = None

    @property
    def paths(self) -> tuple[str, ...]:
        """Of the checkpoints that are read."""
        return (self.a.path, self.b.path)


def align(a: Fingerprint, b: Fingerprint) -> Alignment:
    """Tensors of equal sizes, with tables that have grown, or, where that covers more, those of one side with fewer
    units.
    """
    equal = alignments.align(a, b)
    fewer = narrowed.align(a, b) if equal.coverage < 1 else None
    if fewer is not None and fewer.coverage > equal.coverage:
        return fewer
    return replace(equal, grown=alignments.grown(a, b))


def key(digest_a: str, digest_b: str, *, narrowed: bool) -> str:
    """Where the store keeps the comparison of two checkpoints, of one kind of alignment or the other."""
    kind = ("channels",) if narrowed else ()
    return artefact_key("comparison", SCHEMA, fingerprint.SCHEMA, digest_a, digest_b, *kind)


def weighed_key(a: Model, b: Model) -> str:
    """Where the store keeps what the weights of two models say. Counters may come from files beside the weights."""
    both = [[one.checkpoint.digest, one.fingerprint.format, dict(one.fingerprint.counters)] for one in (a, b)]
    return artefact_key("weighed", SCHEMA, fingerprint.SCHEMA, SIGNALS_SCHEMA, both)


def plan(a: Side, b: Side, alignment: Alignment) -> CompareTask:
    """The task that reads the aligned tensors of two checkpoints."""
    if alignment.narrowed:
        return CompareTask(a, b, (), narrowed=alignment)
    tensors = tuple(
        TensorPair(
            name_a=x.spec.name,
            name_b=y.spec.name,
            size=x.spec.size,
            rows=units(x.spec.shape) if x.is_matrix and y.is_matrix else 0,
            mean_a=x.mean,
            mean_b=y.mean,
            same_shape=x.spec.shape == y.spec.shape,
        )
        for x, y in alignment.pairs
    )
    complete = alignment.coverage >= LEAST_UNITS_COVERAGE and all(tensor.same_shape for tensor in tensors)
    grown = tuple(
        TensorPair(x.spec.name, y.spec.name, *min((t.spec.size, t.spec.shape[0]) for t in (x, y)), x.mean, y.mean)
        for x, y in alignment.grown
    )
    return CompareTask(a, b, tensors, units=complete, grown=grown)


def compare(task: CompareTask) -> tuple[TensorComparison, ...]:
    """Read both checkpoints in step, a piece at a time. Raises :class:`~lineage_graph.errors.ModelError`."""
    if task.narrowed is not None:
        return channels.compare(task.a.path, task.b.path, task.narrowed)
    with held.opened(task.a) as a, held.opened(task.b) as b:
        tensors = [_compare_one(a, b, pair) for pair in task.tensors]
        if any(tensor.layout for tensor in tensors):
            tensors = [_vector(a, b, pair, tensor) for pair, tensor in zip(task.tensors, tensors, strict=True)]
        if task.units and (_unlike(tensors) or looks_scaled(a, b, task.tensors, tensors)):
            tensors = unscramble(a, b, task.tensors, tensors)
        return (*tensors, *(compare_leading(a, b, pair) for pair in task.grown))


def _unlike(tensors: list[TensorComparison]) -> bool:
    """Does a good part of the matrices not agree?"""
    matrices = [tensor for tensor in tensors if tensor.rows]
    unlike = sum(tensor.size for tensor in matrices if not agrees(tensor))
    return unlike > LEAST_UNLIKE * sum(tensor.size for tensor in matrices)


def _compare_one(a: Reader, b: Reader, pair: TensorPair) -> TensorComparison:
    """Matrices that agree little as they are get another chance in another layout."""
    if not pair.same_shape:
        return relayout.forced(whole(a, pair.name_a), whole(b, pair.name_b), pair)
    tensor = held.compare(a, b, pair)
    if tensor.rows and tensor.cosine < LAID_OUT_BELOW and tensor.size <= LARGEST_WHOLE:
        tensor = relayout.preferred(whole(a, pair.name_a), whole(b, pair.name_b), pair, tensor)
    return tensor if tensor.layout else _with_tail(a, b, tensor)


def _vector(a: Reader, b: Reader, pair: TensorPair, tensor: TensorComparison) -> TensorComparison:
    """Vectors say too little to choose a layout by themselves: only where matrices were laid out anew, too."""
    if tensor.rows or tensor.layout or tensor.identical or tensor.size > LARGEST_WHOLE:
        return tensor
    return relayout.preferred(whole(a, pair.name_a), whole(b, pair.name_b), pair, tensor)


def _with_tail(a: Reader, b: Reader, tensor: TensorComparison) -> TensorComparison:
    if tensor.size > LARGEST_WHOLE or not needs_tail(tensor):
        return tensor
    return with_tail(tensor, whole(a, tensor.name_a), whole(b, tensor.name_b))


@dataclass(frozen=True, slots=True)
class Weighed:
    """What the weights of two models say of them: ``signals`` by name. ``coverage``, ``narrowed``, and number of pairs
    ``aligned``: of the alignment that they were compared by.
    """

    coverage: float
    narrowed: bool
    aligned: int
    signals: Mapping[str, float]


def weigh(a: Fingerprint, b: Fingerprint, alignment: Alignment, tensors: tuple[TensorComparison, ...]) -> Weighed:
    """All signals of weights, from ``tensors``, what :func:`compare` found for this alignment."""
    aligned = len(alignment.pairs)
    context = PairContext(a, b, alignment.pairs, tensors[:aligned], alignment.coverage, tensors[aligned:])
    return Weighed(alignment.coverage, alignment.narrowed, aligned, measure_all(context))


def gather(
    a: Model,
    b: Model,
    weighed: Weighed,
    tensors: tuple[TensorComparison, ...],
    features: FeatureComparison | None = None,
    detection: Detection | None = None,
) -> PairEvidence:
    """All signals of a pair: those of its weights, and, where there are any, of its ``features`` and of the detector.

    ``tensors``: what the weights were ``weighed`` by.
    """
    signals = dict(weighed.signals)
    signals |= linearized.measure(features) if features is not None else {}
    signals |= learned.measure(detection) if detection is not None else {}
    return PairEvidence(a.id, b.id, weighed.coverage, signals, tensors[: weighed.aligned])


_numbers = attrgetter(*(field.name for field in fields(TensorComparison)))


def to_bytes(tensors: tuple[TensorComparison, ...]) -> bytes:
    """Serialise a comparison as JSON lines."""
    return "".join(json.dumps(_numbers(tensor)) + "\n" for tensor in tensors).encode()


def from_bytes(data: bytes) -> tuple[TensorComparison, ...]:
    """The inverse of :func:`to_bytes`. Raises ``ValueError`` on bytes that are no comparison."""
    try:
        # One call for all lines, which is much faster than one for each.
        return tuple(TensorComparison(*numbers) for numbers in json.loads(f"[{','.join(data.decode().splitlines())}]"))
    except TypeError as error:
        raise ValueError(f"no comparison: {error}") from error


def weighed_to_bytes(weighed: Weighed) -> bytes:
    """Serialise as JSON."""
    return json.dumps(asdict(weighed)).encode()


def weighed_from_bytes(data: bytes) -> Weighed:
    """The inverse of :func:`weighed_to_bytes`. Raises ``ValueError`` on bytes that are none."""
    try:
        return Weighed(**json.loads(data))
    except TypeError as error:
        raise ValueError(f"no signals: {error}") from error
