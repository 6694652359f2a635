"""Facts of models and edges as names and texts, for formats that have a place for facts that they do not know."""

from __future__ import annotations

import json
import uuid
from collections.abc import Iterator, Mapping
from typing import Any

from lineage_graph.render.node_link import to_json
from lineage_graph.render.schema import jsonable
from lineage_graph.types import LineageGraph
from lineage_graph.visible import visible


def texts(facts: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """Each fact with its value as text; lists and objects as JSON, and what is empty left out."""
    for name, value in facts.items():
        if value not in (None, "", [], {}, ()):
            yield name, visible(value) if isinstance(value, str) else json.dumps(jsonable(value))


def content_uuid(lineage: LineageGraph) -> uuid.UUID:
    """A number that two graphs share only if they are equal (RFC 9562, version 5)."""
    return uuid.uuid5(uuid.NAMESPACE_OID, to_json(lineage))


def sha256(facts: Mapping[str, Any]) -> str:
    """The digest of a model's weights in 64 lower-case hexadecimal digits; empty where there is none of that form."""
    digest = str(facts["sha256"])
    return digest if len(digest) == 64 and set(digest) <= set("0123456789abcdef") else ""
