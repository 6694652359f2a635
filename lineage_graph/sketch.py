"""Seeded random projection of a stream of weights, in one pass and at memory speed.

A count sketch (Charikar, Chen & Farach-Colton, "Finding frequent items in data streams", 2002): element i gets a random
sign and a bucket, and each bucket adds up its elements. Inner products of sketches are unbiased estimates of inner
products of the vectors, with standard deviation of about ‖x‖‖y‖/√buckets. The same projection serves every tensor, so
that any two tensors of one shape can be compared without knowing beforehand which ones will be.

Signs come from one pool of ``BLOCK`` signs times a sign for each block: signs for every element would cost more than
reading the weights. In a block laid out as rows of ``WIDE`` columns, element (r, c) falls into bucket
c + ``_SHIFT`` · (r mod ``_ROWS``), so that energy gathered in a few columns of a matrix still spreads over the buckets.
"""

from __future__ import annotations

import hashlib
import json
import math
from collections import Counter
from collections.abc import Iterable
from functools import cache

import numpy as np
import numpy.typing as npt

from lineage_graph import names
from lineage_graph.types import FloatArray, TensorFingerprint

SEED = 20240601
BLOCK = 1 << 16
"""Elements handled at a time: with signs and product, three such blocks stay in a core's second-level cache."""
WIDE = 512
"""Buckets of the projection from which both sketches are made; also the size of a model's sketch."""
NARROW = 64
"""Size of the sketch kept for each tensor."""
BY_CHANCE = 0.1
"""Strangers that are taken for relatives in a search, on average, where :func:`chance` decides. Of 349 blocks of 56
grown zoos of all kinds (seeds 100 to 103) that have a relative of which nothing else tells, none has one that is less
certain than 1e-5."""
_ROWS = 16
_SHIFT = 17
_BLOCK_SIGNS = 4096


@cache
def _signs() -> FloatArray:
    generator = np.random.default_rng(SEED)
    return generator.choice(np.array([-1.0, 1.0], dtype=np.float32), size=BLOCK)


@cache
def _block_signs() -> FloatArray:
    return np.random.default_rng(SEED + 1).choice(np.array([-1.0, 1.0], dtype=np.float32), size=_BLOCK_SIGNS)


@cache
def _shifted() -> npt.NDArray[np.int64]:
    rows, buckets = np.arange(_ROWS)[:, None], np.arange(WIDE)[None, :]
    return rows * WIDE + (buckets - _SHIFT * rows) % WIDE


@cache
def _ones() -> FloatArray:
    return np.ones(BLOCK // (_ROWS * WIDE), dtype=np.float32)


@cache
def _sketch_of_ones() -> FloatArray:
    return _project(np.ones(BLOCK, dtype=np.float32), np.empty(BLOCK, dtype=np.float32))


def _project(block: FloatArray, scratch: FloatArray) -> FloatArray:
    """One full block (``BLOCK``,) → (``WIDE``,)."""
    np.multiply(block, _signs(), out=scratch)
    folded = _ones() @ scratch.reshape(-1, _ROWS * WIDE)
    summed: FloatArray = folded.take(_shifted()).sum(axis=0)
    return summed


class Projection:
    """Sketch of one tensor, fed with its values in order.

    ``add`` takes flat float32 pieces; every piece but the last must hold a multiple of ``BLOCK`` elements.
    """

    def __init__(self) -> None:
        self._sum = np.zeros(WIDE, dtype=np.float64)
        self._full = 0.0
        self._tail = np.zeros(WIDE, dtype=np.float64)
        self._blocks = 0
        self._scratch: FloatArray = np.empty(BLOCK, dtype=np.float32)

    def add(self, values: FloatArray) -> None:
        """Take the next ``values``, shape (n,). Values near the end of float32's range may overflow to infinity."""
        with np.errstate(over="ignore", invalid="ignore"):
            for start in range(0, values.size, BLOCK):
                block = values[start : start + BLOCK]
                sign = float(_block_signs()[self._blocks % _BLOCK_SIGNS])
                if block.size < BLOCK:
                    padding = (0, BLOCK - block.size)
                    self._tail += sign * _project(np.pad(np.ones_like(block), padding), self._scratch)
                    block = np.pad(block, padding)
                else:
                    self._full += sign
                self._sum += sign * _project(block, self._scratch)
                self._blocks += 1

    def centred(self, mean: float) -> FloatArray:
        """The sketch of the values minus ``mean``, shape (``WIDE``,)."""
        ones = self._full * _sketch_of_ones() + self._tail
        with np.errstate(over="ignore", invalid="ignore"):
            return (self._sum - mean * ones).astype(np.float32)


def narrow(wide: FloatArray) -> FloatArray:
    """Fold a (``WIDE``,) sketch to (``NARROW``,): the same signs over coarser buckets, so it is a sketch again."""
    folded: FloatArray = wide.reshape(WIDE // NARROW, NARROW).sum(axis=0)
    return folded


class ModelSketch:
    """Adds up the sketches of a model's weight matrices, each standardised to root-mean-square 1.

    A matrix gets its own shift and signs from its shape and its rank among the matrices of that shape in natural order
    of names, so that renamed or reordered files of one architecture still meet. Heads are left out.
    """

    def __init__(self) -> None:
        self._items: list[tuple[TensorFingerprint, FloatArray]] = []

    def add(self, tensor: TensorFingerprint, wide: FloatArray) -> None:
        """Take one weight matrix with its (``WIDE``,) sketch, in natural order of names."""
        self._items.append((tensor, wide))

    def _backbone(self) -> list[tuple[TensorFingerprint, FloatArray]]:
        matrices = [tensor.spec.name for tensor, _ in self._items]
        heads = names.heads(matrices, matrices)
        return [item for item in self._items if item[0].spec.name not in heads]

    def signature(self) -> str:
        """See :func:`shape_signature`."""
        return shape_signature(tensor.spec.shape for tensor, _ in self._backbone())

    def sketch(self) -> FloatArray:
        """The model's sketch, shape (``WIDE``,), of unit length, or zeros where there is no matrix."""
        total = np.zeros(WIDE, dtype=np.float64)
        seen: Counter[tuple[int, ...]] = Counter()
        for tensor, wide in self._backbone():
            shape = tensor.spec.shape
            seed = hashlib.sha256(json.dumps([shape, seen[shape]]).encode()).digest()
            seen[shape] += 1
            generator = np.random.default_rng(np.frombuffer(seed, dtype=np.uint32))
            signs = generator.choice(np.array([-1.0, 1.0]), size=WIDE)
            total += signs * np.roll(wide, int(generator.integers(WIDE))) / tensor.std
        length = float(np.linalg.norm(total))
        return (total / length if length > 0 else total).astype(np.float32)


def shape_signature(shapes: Iterable[tuple[int, ...]]) -> str:
    """16 hex digits that two models share when their weight matrices have the same shapes, in any order."""
    return hashlib.sha256(json.dumps(sorted(shapes)).encode()).hexdigest()[:16]


def chance(strangers: int, size: int) -> float:
    """The cosine from which sketches of ``size`` numbers are more alike than so many strangers come by chance."""
    from scipy.special import ndtri

    return -float(ndtri(BY_CHANCE / max(strangers, 1))) / math.sqrt(size)
