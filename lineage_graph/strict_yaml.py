"""YAML written by people: plain mappings, lists and scalars, each key once; every mistake is one sentence.

Anchors, aliases and tags are refused: no manifest needs them, and a few lines of aliases can unfold into gigabytes.
Dates stay text, so that a wrong one is reported with the key it stands under.
"""

from __future__ import annotations

import errno
from collections.abc import Hashable
from pathlib import Path
from typing import Any

import yaml

from lineage_graph.errors import LineageGraphError

MAX_BYTES = 16 << 20
"""Largest file read: 100,000 models with long names stay below it."""

MAX_DEPTH = 20
"""Deepest nesting; a manifest needs four levels."""

# The C parser is about ten times faster; not every build of PyYAML has it.
_BASE: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
_STRING = "tag:yaml.org,2002:str"
_TIMESTAMP = "tag:yaml.org,2002:timestamp"


class _RefusedError(Exception):
    """A mistake on ``line`` (from 1)."""

    def __init__(self, line: int, problem: str) -> None:
        super().__init__(f"line {line}: {problem}")


class _Loader(_BASE):  # type: ignore[misc]
    """The safe loader, for mappings whose keys are text and occur once, with dates left as text."""

    yaml_implicit_resolvers = {  # noqa: RUF012 - the name is PyYAML's
        first: [(tag, pattern) for tag, pattern in resolvers if tag != _TIMESTAMP]
        for first, resolvers in _BASE.yaml_implicit_resolvers.items()
    }

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Hashable, Any]:
        mapping: dict[Hashable, Any] = {}
        for key_node, value_node in node.value:
            line = key_node.start_mark.line + 1
            if key_node.tag != _STRING:
                shown = f"{key_node.value!r} unquoted" if isinstance(key_node, yaml.ScalarNode) else "a list or mapping"
                raise _RefusedError(line, f"a key should be plain text, not {shown}")
            if key_node.value in mapping:
                raise _RefusedError(line, f"the key {key_node.value!r} occurs twice")
            mapping[key_node.value] = self.construct_object(value_node, deep=deep)
        return mapping


def read_mapping(path: Path, error: type[LineageGraphError]) -> dict[str, Any]:
    """The mapping in the YAML file ``path``, of plain values. Raises ``error``, which names file and line."""
    return mapping_in(_read_text(path, error), str(path), error)


def mapping_in(text: str, where: str, error: type[LineageGraphError]) -> dict[str, Any]:
    """The mapping in YAML that was read already. Raises ``error``, which names ``where`` and the line."""
    try:
        _check_events(text)
        value = yaml.load(text, Loader=_Loader)  # noqa: S506 - a subclass of the safe loader
    except (_RefusedError, yaml.YAMLError, ValueError, RecursionError) as problem:
        raise error(f"{where}: {_sentence(problem, text)}") from problem
    if value is None:
        raise error(f"{where}: the file is empty")
    if not isinstance(value, dict):
        raise error(f"{where}: should be a mapping of keys to values, not {describe(value)}")
    return value


def describe(value: object) -> str:
    """A YAML value in a few words, for messages."""
    if value is None:
        return "empty"
    if isinstance(value, dict):
        return "a mapping"
    if isinstance(value, list):
        return "a list"
    if isinstance(value, bool):
        return f"the truth value {str(value).lower()}"
    text = repr(value)
    shown = text if len(text) <= 60 else f"{text[:57]}..."
    return shown if isinstance(value, str) else f"the number {shown}"


def _read_text(path: Path, error: type[LineageGraphError]) -> str:
    try:
        with path.open("rb") as file:
            data = file.read(MAX_BYTES + 1)
    except (OSError, ValueError) as problem:
        reasons = {errno.ENOENT: "there is no such file", errno.EISDIR: "is a folder, not a file"}
        number = problem.errno if isinstance(problem, OSError) else None
        reason = reasons.get(number or 0) or getattr(problem, "strerror", None) or str(problem)
        raise error(f"{path}: {reason}") from problem
    if len(data) > MAX_BYTES:
        raise error(f"{path}: larger than {MAX_BYTES >> 20} MiB, the most that is read")
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as problem:
        raise error(f"{path}: is not UTF-8 text (byte {problem.start})") from problem


def _check_events(text: str) -> None:
    """Refuse anchors, aliases, tags and deep nesting before anything is composed."""
    depth = 0
    for event in yaml.parse(text, Loader=_Loader):
        line = event.start_mark.line + 1 if event.start_mark else 1
        anchor, tag = getattr(event, "anchor", None), getattr(event, "tag", None)
        if anchor:
            raise _RefusedError(line, f"anchors and aliases (&{anchor}, *{anchor}) are not supported")
        if tag:
            raise _RefusedError(line, f"tags ({tag}) are not supported")
        if isinstance(event, yaml.CollectionStartEvent):
            depth += 1
        elif isinstance(event, yaml.CollectionEndEvent):
            depth -= 1
        if depth > MAX_DEPTH:
            raise _RefusedError(line, f"nested more than {MAX_DEPTH} levels deep")


def _sentence(problem: Exception, text: str) -> str:
    """What is wrong, in one line, with the hint that the commonest mistakes deserve."""
    if not isinstance(problem, yaml.MarkedYAMLError) or problem.problem_mark is None:
        return " ".join(str(problem).split())
    number = problem.problem_mark.line
    lines = text.splitlines()
    line = lines[number] if number < len(lines) else ""
    reason = " ".join(str(problem.problem).split()).removeprefix("but ")
    hint = ""
    if "\t" in line[: len(line) - len(line.lstrip())]:
        hint = " (a tab: YAML indents with spaces)"
    elif "alias" in f"{problem.context} {problem.problem}":
        hint = " (put a pattern that begins with * in quotes)"
    return f"line {number + 1}: {reason}{hint}"
