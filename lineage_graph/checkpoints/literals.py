"""The literals of a pickle, read under a budget: they are held in memory, whatever else the file holds."""

from __future__ import annotations

import io

from lineage_graph.checkpoints.limits import MAX_PICKLE_BYTES
from lineage_graph.errors import LimitExceededError

_TEXTS = b"VX\x8c\x8d"
"""The opcodes whose literal becomes text, a character of which takes up to four bytes."""

_SPREAD = 4
_SHORT = 255
"""Bytes up to which a literal counts ``_SPREAD`` times, whatever it is."""


class Literals:
    """What ``pickletools.genops`` reads a pickle from. It has no ``tell``, so that genops does not ask for the position
    at every opcode.
    """

    def __init__(self, stream: io.BufferedReader, label: str) -> None:
        self._stream, self._label = stream, label
        self._take = stream.read
        self._left = MAX_PICKLE_BYTES
        self._opcode = b""

    def read(self, size: int) -> bytes:
        """``size`` bytes, or fewer at the end. Raises LimitExceededError before too many are read."""
        if size > _SHORT:
            return self._long(size)
        self._left -= _SPREAD * size
        data = self._take(size)
        if size == 1:
            # Between the opcode of a long literal and the literal only its length is read, which has more bytes.
            self._opcode = data
        return data

    def readline(self) -> bytes:
        """A line with its end. Raises LimitExceededError where it does not come in time."""
        line = self._stream.readline(max(0, self._left) // _SPREAD + 1)
        self._spend(_SPREAD * len(line))
        return line

    def _long(self, size: int) -> bytes:
        self._spend(size * (_SPREAD if self._opcode and self._opcode in _TEXTS else 1))
        return self._take(size)

    def _spend(self, amount: int) -> None:
        self._left -= amount
        if self._left < 0:
            raise LimitExceededError(f"{self._label}: the pickle holds literals of more than {MAX_PICKLE_BYTES} bytes")
