"""What a build found, for people and for programs."""

from __future__ import annotations

import shlex
from collections import Counter
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

from lgraph.text import console, show, table, visible

if TYPE_CHECKING:
    from lineage_graph.build import BuildResult
    from lineage_graph.types import LineageGraph

MOST_ROWS = 20
"""Families and failures that the terminal shows; the report has them all."""

_MOST_ROOTS = 3


@dataclass(frozen=True, slots=True)
class Family:
    """Models that are connected by edges. ``roots`` in the order of the graph, absent ones among them; ``unseen``:
    ancestors that are not in the zoo, which ``models`` does not count.
    """

    family: int
    roots: tuple[str, ...]
    models: int
    generations: int
    architectures: tuple[str, ...]
    unseen: int = 0


def families(lineage: LineageGraph) -> tuple[Family, ...]:
    """The families of two or more members, by number."""
    members: dict[int, list[tuple[str, dict[str, Any]]]] = {}
    for node, data in lineage.graph.nodes(data=True):
        if data["status"] == "ok":
            members.setdefault(data["family"], []).append((node, data))
    return tuple(
        Family(
            family=number,
            roots=tuple(node for node, _ in nodes if lineage.graph.in_degree(node) == 0),
            models=sum(data["role"] != "unseen" for _, data in nodes),
            generations=max(data["generation"] for _, data in nodes),
            architectures=tuple(sorted({data["architecture"] for _, data in nodes} - {""})),
            unseen=sum(data["role"] == "unseen" for _, data in nodes),
        )
        for number, nodes in sorted(members.items())
        if len(nodes) > 1
    )


def as_json(result: BuildResult) -> dict[str, Any]:
    """The result as plain values."""
    lineage = result.lineage
    return {
        "name": lineage.name,
        "out": str(result.out),
        "files": [str(file) for file in result.files],
        "truth": [str(file) for file in result.truth],
        "version": result.run.version,
        "timings": dict(result.run.timings),
        "counts": dict(result.run.counts),
        "families": [asdict(family) for family in families(lineage)],
        "edges": dict(_edge_kinds(lineage)),
        "unseen": sum(family.unseen for family in families(lineage)),
        "open": _open(lineage),
        "failures": [asdict(failure) for failure in lineage.failures],
    }


def print_summary(result: BuildResult) -> None:
    """Families, roots, edges, failures and where the files are, on standard output."""
    lineage = result.lineage
    target = console()
    found = families(lineage)
    show(target, headline(lineage))
    if found:
        header = ("family", " models", " generations", "architecture", "root")
        rows = [
            (
                str(family.family),
                f"{family.models} + {family.unseen} unseen" if family.unseen else str(family.models),
                str(family.generations),
                _few(family.architectures, 1),
                _few(family.roots, _MOST_ROOTS),
            )
            for family in found[:MOST_ROWS]
        ]
        show(target, "", table(header, rows), *_more(len(found), "families"))
    if lineage.failures:
        failed = [(f.id, f.error, f.message) for f in lineage.failures[:MOST_ROWS]]
        show(target, "", table(("failed", "error", "reason"), failed), *_more(len(lineage.failures), "failures"))
    show(target, "", *(visible(str(file)) for file in result.files))
    for truth in result.truth:
        show(target, "", visible(f"to check it: {shlex.join(['lgraph', 'evaluate', str(result.out), str(truth)])}"))


def headline(lineage: LineageGraph) -> str:
    """The whole graph in one line of counts."""
    found = families(lineage)
    unseen = sum(family.unseen for family in found)
    models = lineage.graph.number_of_nodes() - unseen
    undecided = _open(lineage)
    alone = models - len(lineage.failures) - sum(family.models for family in found)
    kinds = ", ".join(f"{count} {kind}" for kind, count in _edge_kinds(lineage))
    edges = lineage.graph.number_of_edges()
    parts = [
        _count(models, "model", "models"),
        _count(len(found), "family", "families"),
        _count(edges, "edge", "edges") + (f" ({kinds})" if kinds else ""),
        f"{undecided} of them in an open direction" if undecided else "",
        _count(unseen, "unseen ancestor", "unseen ancestors") if unseen else "",
        f"{alone} without relatives" if alone else "",
        f"{len(lineage.failures)} failed" if lineage.failures else "",
    ]
    return visible(f"{lineage.name}: {', '.join(part for part in parts if part)}")


def _edge_kinds(lineage: LineageGraph) -> list[tuple[str, int]]:
    return Counter(str(data["kind"]) for _, _, data in lineage.graph.edges(data=True)).most_common()


def _open(lineage: LineageGraph) -> int:
    """Edges of which nothing decides the direction."""
    from lineage_graph.render.reading import is_open

    return sum(is_open(data) for *_, data in lineage.graph.edges(data=True))


def _count(number: int, one: str, many: str) -> str:
    return f"{number} {one if number == 1 else many}"


def _few(names: tuple[str, ...], most: int) -> str:
    return ", ".join(names[:most]) + (f" and {len(names) - most} more" if len(names) > most else "")


def _more(total: int, what: str) -> list[str]:
    return [f"and {total - MOST_ROWS} more {what}; report.md has them all"] if total > MOST_ROWS else []
