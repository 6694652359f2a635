"""A command line to call in this process, and a build's result made by hand."""

from __future__ import annotations

from pathlib import Path

import networkx as nx
import pytest
from typer.testing import CliRunner

from command_line import Call, edge, node
from lgraph.__main__ import app
from lineage_graph.build import BuildResult
from lineage_graph.types import Failure, LineageGraph, RunRecord


@pytest.fixture
def call() -> Call:
    """Runs ``lgraph`` with the given arguments."""
    return lambda *args: CliRunner().invoke(app, [str(arg) for arg in args])


@pytest.fixture
def result() -> BuildResult:
    """Two families, a model without relatives and one that failed; a name tries to paint the terminal."""
    graph: nx.DiGraph[str] = nx.DiGraph()
    graph.add_node("base.pt", **node("base.pt", 1, "root"))
    graph.add_node("child.pt", **node("child.pt", 1, "child", 2))
    graph.add_node("grandchild.pt", **node("grandchild.pt", 1, "child", 3))
    graph.add_node("other[red]\x1b[31m.pt", **node("other", 2, "root"))
    graph.add_node("copy.pt", **node("copy.pt", 2, "child", 2))
    graph.add_node("loner.pt", **node("loner.pt", 3, "isolated"))
    graph.add_node("bad.pt", **node("bad.pt", 0, "isolated", 0, "EmptyFileError"))
    graph.add_edge("base.pt", "child.pt", **edge())
    graph.add_edge("child.pt", "grandchild.pt", **edge())
    graph.add_edge("other[red]\x1b[31m.pt", "copy.pt", **edge("duplicate"))
    failures = (Failure("bad.pt", "EmptyFileError", "bad.pt: the file is empty", "fetch", "path"),)
    out = Path("outputs/zoo")
    return BuildResult(
        lineage=LineageGraph("zoo", graph, (), failures),
        run=RunRecord("0.1.0", {}, {"fetch": 1.5}, {"models": 7}, failures),
        out=out,
        files=(out / "lineage.html", out / "run.json"),
        truth=(Path("cache/truth.yaml"),),
    )
