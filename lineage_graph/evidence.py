"""Everything measured about one pair of models.

The costly part, reading the aligned tensors of both checkpoints side by side, is :func:`compare`: a pure function of
paths and an alignment, kept in the store by the two digests. The signals are arithmetic on its result.
"""

from __future__ import annotations

import json
import math
from dataclasses import astuple, dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from lineage_graph.alignment import Alignment
from lineage_graph.checkpoints import open_checkpoint
from lineage_graph.checkpoints.base import Reader
from lineage_graph.signals.base import PairContext
from lineage_graph.signals.registry import measure_all
from lineage_graph.types import Model, PairEvidence, TensorComparison

SCHEMA = 1
"""Raise it when the alignment or a number of :class:`TensorComparison` changes its meaning."""


@dataclass(frozen=True, slots=True)
class TensorPair:
    """One line of a comparison's plan. ``rows``: 0 for tensors that are no weight matrices."""

    name_a: str
    name_b: str
    size: int
    rows: int
    mean_a: float
    mean_b: float


@dataclass(frozen=True, slots=True)
class CompareTask:
    """What a worker needs to compare two checkpoints."""

    path_a: str
    path_b: str
    tensors: tuple[TensorPair, ...]


def plan(path_a: str, path_b: str, alignment: Alignment) -> CompareTask:
    """The task that reads the aligned tensors of two checkpoints."""
    tensors = tuple(
        TensorPair(
            name_a=a.spec.name,
            name_b=b.spec.name,
            size=a.spec.size,
            rows=a.spec.shape[0] if a.is_matrix and b.is_matrix else 0,
            mean_a=a.mean,
            mean_b=b.mean,
        )
        for a, b in alignment.pairs
    )
    return CompareTask(path_a, path_b, tensors)


def compare(task: CompareTask) -> tuple[TensorComparison, ...]:
    """Read both checkpoints in step, a piece at a time. Raises :class:`~lineage_graph.errors.ModelError`."""
    with open_checkpoint(Path(task.path_a)) as a, open_checkpoint(Path(task.path_b)) as b:
        return tuple(_compare(a, b, tensor) for tensor in task.tensors)


def _compare(a: Reader, b: Reader, tensor: TensorPair) -> TensorComparison:
    squared_distance = squared_a = squared_b = centred_a = centred_b = 0.0
    identical = True
    rows = np.zeros(max(tensor.rows, 1))
    start = 0
    for piece_a, piece_b in zip(a.chunks(tensor.name_a), b.chunks(tensor.name_b), strict=True):
        wide_a, wide_b = piece_a.astype(np.float64), piece_b.astype(np.float64)
        difference = wide_a - wide_b
        squared_distance += float(difference @ difference)
        squared_a += float(wide_a @ wide_a)
        squared_b += float(wide_b @ wide_b)
        identical = identical and np.array_equal(piece_a, piece_b)
        wide_a -= tensor.mean_a
        wide_b -= tensor.mean_b
        centred_a += float(wide_a @ wide_a)
        centred_b += float(wide_b @ wide_b)
        _add_rows(rows, wide_a * wide_b, start, tensor.size // len(rows))
        start += piece_a.size
    scale = math.sqrt(centred_a * centred_b)
    return TensorComparison(
        name_a=tensor.name_a,
        name_b=tensor.name_b,
        size=tensor.size,
        rows=tensor.rows,
        cosine=float(rows.sum()) / scale if scale > 0 else 0.0,
        row_squares=float(rows @ rows) / scale**2 if scale > 0 else 0.0,
        squared_distance=squared_distance,
        squared_norm_a=squared_a,
        squared_norm_b=squared_b,
        identical=identical,
    )


def _add_rows(rows: npt.NDArray[np.float64], products: npt.NDArray[np.float64], start: int, length: int) -> None:
    """Add ``products``, the elements from ``start`` on, to the sums of their rows of ``length`` elements."""
    first, last = start // length, (start + products.size - 1) // length
    borders = np.maximum(np.arange(first, last + 1) * length - start, 0)
    rows[first : last + 1] += np.add.reduceat(products, borders)


def gather(a: Model, b: Model, alignment: Alignment, tensors: tuple[TensorComparison, ...]) -> PairEvidence:
    """All signals of a pair, from the comparison of its aligned ``tensors``."""
    context = PairContext(a.fingerprint, b.fingerprint, alignment.pairs, tensors, alignment.coverage)
    return PairEvidence(a.id, b.id, alignment.coverage, measure_all(context), tensors)


def to_bytes(tensors: tuple[TensorComparison, ...]) -> bytes:
    """Serialise a comparison as JSON lines."""
    return "".join(json.dumps(astuple(tensor)) + "\n" for tensor in tensors).encode()


def from_bytes(data: bytes) -> tuple[TensorComparison, ...]:
    """The inverse of :func:`to_bytes`. Raises ``ValueError`` on bytes that are no comparison."""
    try:
        return tuple(TensorComparison(*json.loads(line)) for line in data.decode().splitlines())
    except TypeError as error:
        raise ValueError(f"no comparison: {error}") from error
