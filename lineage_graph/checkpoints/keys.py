"""Dict keys from strangers."""

from __future__ import annotations

from collections.abc import Hashable
from typing import Any

_LARGEST_KEY = 1 << 60
_LONGEST_KEY = 16


def fill(table: dict[Hashable, object], items: list[Any]) -> bool:
    """Fill ``table`` from alternating keys and values; entries under unsafe keys are no weights, and are dropped.

    Unsafe to hash: deep tuples (the hash recurses without a bound) and huge integers (all can be made to collide).
    Returns whether every key was safe.
    """
    safe = True
    for key, value in zip(items[::2], items[1::2], strict=False):
        parts = key if isinstance(key, tuple) and len(key) <= _LONGEST_KEY else (key,)
        if all(_hashable(part) for part in parts):
            table[key] = value
        else:
            safe = False
    return safe


def _hashable(part: object) -> bool:
    if isinstance(part, int | float):
        return -_LARGEST_KEY < part < _LARGEST_KEY
    return not isinstance(part, tuple | list | dict | bytearray)
