"""How fine the values of a tensor are, and how they are spread within its output units; from samples of its blocks."""

from __future__ import annotations

import math

import numpy as np

from lineage_graph.sketch import BLOCK
from lineage_graph.types import FloatArray, TensorFingerprint

FULL_BITS = 24
"""Binary digits of a float32, the leading one included."""

LEVEL_SAMPLE = 4096
"""Non-zero values among which distinct ones are counted. They follow each other, so that a lattice with a scale of its
own for each row shows as well."""

QUANTILES = 16
PROFILE_SAMPLE = 1 << 16
"""Values, about, from which a profile is made: exact in a smaller tensor, else right to some 0.2 % of the rank."""

_MANTISSA = np.uint32((1 << 23) - 1)


class Grain:
    """Fed with the sampled blocks of one tensor: ``blocks`` in number, output units of ``length`` elements each."""

    def __init__(self, blocks: int, length: int) -> None:
        self._length = length
        self._stride = 1 if blocks == 1 else (blocks * BLOCK // PROFILE_SAMPLE) | 1  # odd: in step with fewer shapes
        self._mantissas = np.uint32(0)
        self._head: FloatArray = np.zeros(0, dtype=np.float32)
        self._parts: list[FloatArray] = []

    def add(self, block: FloatArray, start: int) -> None:
        """Take a block of values, shape (n,), of which the first is the tensor's element ``start``."""
        self._mantissas |= np.bitwise_or.reduce(block.view(np.uint32)) & _MANTISSA
        if not self._head.size:
            head = block[:LEVEL_SAMPLE]
            self._head = head if head.all() else block[block != 0][:LEVEL_SAMPLE]
        if self._length > 1:
            self._parts.append(self._scaled(block, start))

    def _scaled(self, block: FloatArray, start: int) -> FloatArray:
        """|w| over the root-mean-square of its unit, of the units that lie within the block; where none does, of the
        longer part of one.
        """
        first = -start % self._length
        count = (block.size - first) // self._length
        if count > 0:
            rows = block[first : first + count * self._length].reshape(count, self._length)
        else:
            rows = max(block[:first], block[first:], key=len).reshape(1, -1)
        scale = np.sqrt(np.einsum("ij,ij->i", rows, rows) / np.float32(rows.shape[1]))
        places = np.arange(0, rows.size, self._stride)
        scale, values = scale[places // rows.shape[1]], np.abs(rows.reshape(-1)[places])
        if not scale.all():
            scale, values = scale[scale > 0], values[scale > 0]
        scaled: FloatArray = values / scale
        return scaled

    @property
    def bits(self) -> int:
        """Significant binary digits that the values use: 24 for full float32; 1 for powers of two and zeros."""
        mantissas = int(self._mantissas)
        return FULL_BITS - (mantissas & -mantissas).bit_length() + 1 if mantissas else 1

    @property
    def levels(self) -> int:
        """Distinct values among the first ``LEVEL_SAMPLE`` non-zero ones."""
        ordered = np.sort(self._head)
        return int(np.count_nonzero(ordered[1:] != ordered[:-1])) + 1 if ordered.size else 0

    @property
    def profile(self) -> FloatArray:
        """Quantiles at (i + 0.5)/16 of the scaled values, shape (16,); empty where there are no units to scale by."""
        values = np.sort(np.concatenate(self._parts)) if self._parts else np.zeros(0, dtype=np.float32)
        places = (np.arange(QUANTILES) + 0.5) / QUANTILES * values.size
        quantiles: FloatArray = values[places.astype(np.int64)] if values.size else values
        return quantiles


def row_length(shape: tuple[int, ...]) -> int:
    """Elements of an output unit: what the first dimension that is not 1 leaves."""
    return math.prod(shape) // next((size for size in shape if size > 1), 1)


def crowding(tensor: TensorFingerprint) -> float:
    """How often a sampled non-zero value occurs, on average: 1 for real numbers, more on a lattice of few levels."""
    counted = min(LEVEL_SAMPLE, round(min(tensor.spec.size, BLOCK) * (1 - tensor.zeros)))
    return max(counted / tensor.levels, 1.0) if tensor.levels else 1.0
