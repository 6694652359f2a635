"""JSON from strangers: bounded in size, without duplicate keys, an object at the top."""

from __future__ import annotations

import json
from typing import Any

from lineage_graph.errors import CorruptFileError


def parse_object(data: bytes, label: str) -> dict[str, Any]:
    """The JSON object in ``data``. Raises CorruptFileError for anything else and for a key that occurs twice."""
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
