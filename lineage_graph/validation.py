"""pydantic's findings as plain sentences for people who wrote a YAML file."""

from __future__ import annotations

import difflib
from collections.abc import Collection, Mapping
from typing import Any, TypeVar

from pydantic import BaseModel, ConfigDict, ValidationError

from lineage_graph.errors import LineageGraphError
from lineage_graph.strict_yaml import describe

Model = TypeVar("Model", bound=BaseModel)

_EXPECTED = {
    "string_type": "should be text",
    "int_type": "should be a whole number",
    "bool_type": "should be true or false",
    "list_type": "should be a list",
    "tuple_type": "should be a list",
    "dict_type": "should be a mapping of keys to values",
    "model_type": "should be a mapping of keys to values",
}
"""What pydantic's error types ask for; the value that was met is added."""


class Record(BaseModel):
    """Base of what is read from a YAML file: frozen, no unknown key, nothing converted silently."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)


def parse(model: type[Model], values: Mapping[str, Any], error: type[LineageGraphError], where: str) -> Model:
    """``values`` as a ``model``. Raises ``error`` with the first mistake in one sentence that begins with ``where``."""
    check_keys(values, model.model_fields, error, where)
    try:
        return model.model_validate(values)
    except ValidationError as problem:
        raise error(f"{where}: {_sentence(problem)}") from problem


def check_keys(values: Mapping[str, Any], known: Collection[str], error: type[LineageGraphError], where: str) -> None:
    """Raises ``error`` for the first key that is not ``known``, with the known key that it resembles."""
    for key in values:
        if key not in known:
            raise error(f"{where}: {unknown_key(key, known)}")


def unknown_key(key: str, known: Collection[str]) -> str:
    """The sentence for a key that nobody knows, with a suggestion where one is near."""
    near = difflib.get_close_matches(key, known, n=1)
    return f"unknown key {key!r}" + (f", did you mean {near[0]!r}?" if near else f" (known: {', '.join(known)})")


def _sentence(problem: ValidationError) -> str:
    found = problem.errors(include_url=False)[0]
    kind, key, context = found["type"], _dotted(found["loc"]), found.get("ctx", {})
    if kind == "missing":
        return f"the key {key!r} is missing"
    if kind in _EXPECTED:
        quotes = kind == "string_type" and isinstance(found["input"], bool | int | float)
        hint = " (put it in quotes)" if quotes else ""
        return f"{key}: {_EXPECTED[kind]}, not {describe(found['input'])}{hint}"
    sentences = {
        "string_too_short": "is empty",
        "too_short": "is empty",
        "string_too_long": f"is longer than {context.get('max_length')} characters",
        "greater_than_equal": f"should be at least {context.get('ge')}, not {describe(found['input'])}",
        "less_than_equal": f"should be at most {context.get('le')}, not {describe(found['input'])}",
        "literal_error": f"should be {context.get('expected')}, not {describe(found['input'])}",
        "value_error": str(context.get("error")),
    }
    return f"{key}: {sentences.get(kind, found['msg'])}"


def _dotted(location: tuple[int | str, ...]) -> str:
    """``("parents", 0)`` → ``parents[1]``: people count from 1."""
    text = ""
    for part in location:
        text += f"[{part + 1}]" if isinstance(part, int) else f".{part}"
    return text.removeprefix(".")
