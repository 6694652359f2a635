"""Records of one kind as columns: names once instead of once a record, and texts that occur again by their place."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any


def packed(records: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """``length`` and ``columns`` by name. A column is the list of its values; or ``{"all": value}`` where they are
    equal; or, where most occur again, ``{"of": distinct values, "at": a place in them for each record}``.

    What a record lacks is ``""``, and so is an empty list.
    """
    names = dict.fromkeys(name for record in records for name in record)
    columns = {name: _column([_or_empty(record.get(name, "")) for record in records]) for name in names}
    return {"length": len(records), "columns": columns}


def _or_empty(value: Any) -> Any:
    return "" if isinstance(value, list) and not value else value


def _column(values: list[Any]) -> Any:
    place: dict[Any, int] = {}
    distinct: list[Any] = []
    at = []
    for value in values:
        # Equal numbers of two types are written differently, and lists have no hash.
        key = value if isinstance(value, str) else (type(value), repr(value))
        if key not in place:
            place[key] = len(distinct)
            distinct.append(value)
        at.append(place[key])
    if len(distinct) == 1:
        return {"all": distinct[0]}
    return {"of": distinct, "at": at} if 2 * len(distinct) <= len(values) else values
