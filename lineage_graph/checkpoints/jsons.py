"""JSON from strangers: bounded in size and in parts, without duplicate keys, an object at the top."""

from __future__ import annotations

import json
from typing import Any

from lineage_graph.checkpoints.limits import MAX_JSON_BYTES, MAX_JSON_PARTS
from lineage_graph.errors import CorruptFileError, LimitExceededError


def parse_object(data: bytes, label: str) -> dict[str, Any]:
    """The JSON object in ``data``.

    Raises CorruptFileError for anything else and for a key that occurs twice, LimitExceededError for what would take
    far more memory than its bytes.
    """
    if len(data) > MAX_JSON_BYTES:
        raise LimitExceededError(f"{label}: a JSON text of {len(data)} bytes, more than {MAX_JSON_BYTES}")
    parts = sum(map(data.count, (b",", b"[", b"{")))
    if parts > MAX_JSON_PARTS:
        raise LimitExceededError(f"{label}: a JSON text of {parts} parts, more than {MAX_JSON_PARTS}")
    try:
        value = json.loads(data.decode("utf-8"), object_pairs_hook=_unique)
    except (ValueError, RecursionError) as error:
        raise CorruptFileError(f"{label}: is no valid JSON ({' '.join(str(error).split())[:120]})") from error
    if not isinstance(value, dict):
        raise CorruptFileError(f"{label}: is no JSON object")
    return value


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        raise ValueError("a key occurs twice")
    return found
