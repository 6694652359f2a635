"""``lgraph evaluate``: a built graph against known edges."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from lgraph.graph import read_graph
from lgraph.options import AsJson
from lgraph.text import console, number, show, table, visible

if TYPE_CHECKING:
    from rich.table import Table

    from lineage_graph.evaluate import Evaluation
    from lineage_graph.types import LineageGraph


def evaluate(
    folder: Annotated[Path, typer.Argument(metavar="DIR", help="The folder that a build wrote.")],
    truth: Annotated[Path, typer.Argument(metavar="TRUTH.yaml", help="The edges that are known.")],
    as_json: AsJson = False,
) -> None:
    """Compare a built graph with known edges."""
    from lineage_graph.evaluate import evaluate as measure
    from lineage_graph.evaluate import load_truth

    known = load_truth(truth)
    lineage = read_graph(folder, "DIR")
    result = measure(lineage, known)
    if as_json:
        typer.echo(json.dumps(result.as_json(), indent=1))
    else:
        _print(lineage.name, truth, result, _absent(lineage))


def _print(name: str, truth: Path, result: Evaluation, absent: int) -> None:
    """``absent``: edges from or to ancestors that are not in the zoo."""
    target = console()
    show(target, visible(f"{name} against {truth}"), "", _rates(result), "", _facts(result, absent))
    if result.kinds:
        show(target, "", _kinds(result))


def _rates(result: Evaluation) -> Table:
    header = ("", " precision", " recall", " F1", " right", " wrong", " missed")
    rows = [
        (
            label,
            *(number(value) for value in (rates.precision, rates.recall, rates.f1)),
            *(str(count) for count in (rates.right, rates.wrong, rates.missed)),
        )
        for label, rates in (
            ("directed edges", result.directed),
            ("undirected edges", result.undirected),
            ("reachability", result.reachability),
            # Of copies nobody can tell which one a child was trained from.
            *([("copies as one", result.distinct)] if result.distinct != result.directed else []),
        )
    ]
    return table(header, rows)


def _absent(lineage: LineageGraph) -> int:
    roles = lineage.graph.nodes(data="role")
    return sum("unseen" in (roles[parent], roles[child]) for parent, child in lineage.graph.edges)


def _facts(result: Evaluation, absent: int) -> Table:
    of_unseen = f", {absent} of them of unseen ancestors" if absent else ""
    strangers = f"of {result.stranger_pairs} pairs of declared strangers"
    facts = [
        ("direction accuracy", number(result.direction_accuracy), f"of {result.undirected.right} true pairs linked"),
        ("kind accuracy", number(result.kind_accuracy), f"of {result.undirected.right} true pairs linked"),
        ("false links", str(result.false_links), strangers),
        ("false descents", str(result.false_descents), strangers),
        ("left open", str(result.open_edges), "edges that the truth neither confirms nor denies" + of_unseen),
    ]
    return table(("", " ", ""), facts)


def _kinds(result: Evaluation) -> Table:
    header = ("kind", " edges", " linked", " directed", " recall", " kind accuracy")
    rows = [
        (k.kind, str(k.edges), str(k.linked), str(k.directed), number(k.recall), number(k.kind_accuracy))
        for k in result.kinds
    ]
    return table(header, rows)
