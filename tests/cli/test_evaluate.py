"""``lgraph evaluate``: figures for people and for programs."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from command_line import Call, edge, node
from lineage_graph.build import BuildResult
from lineage_graph.render.node_link import to_json

TABLES = """\
zoo against {truth}

                  precision  recall     F1  right  wrong  missed
directed edges        0.667   0.500  0.571      2      1       2
undirected edges      1.000   0.750  0.857      3      0       1
reachability          0.750   0.600  0.667      3      1       2
copies as one         1.000   0.667  0.800      2      0       1

direction accuracy  0.667  of 3 true pairs linked
kind accuracy       1.000  of 3 true pairs linked
false links             0  of 1 pairs of declared strangers
false descents          0  of 1 pairs of declared strangers
left open               0  edges that the truth neither confirms nor denies

kind       edges  linked  directed  recall  kind accuracy
finetune       2       2         2   1.000          1.000
merge          1       0         0   0.000              –
duplicate      1       1         0   0.000          1.000
"""

TRUTH = """\
edges:
  - {parent: base.pt, child: child.pt, kind: finetune}
  - {parent: child.pt, child: grandchild.pt, kind: finetune}
  - {parent: copy.pt, child: "other[red]\\e[31m.pt", kind: duplicate}
  - {parent: copy.pt, child: loner.pt, kind: merge}
unrelated: [[base.pt, loner.pt]]
"""


@pytest.fixture
def built(tmp_path: Path, result: BuildResult) -> Path:
    folder = tmp_path / "out"
    folder.mkdir()
    (folder / "lineage.json").write_text(to_json(result.lineage), encoding="utf-8")
    return folder


@pytest.fixture
def truth(tmp_path: Path) -> Path:
    path = tmp_path / "zoo.truth.yaml"
    path.write_text(TRUTH, encoding="utf-8")
    return path


def test_tables(call: Call, built: Path, truth: Path) -> None:
    answer = call("evaluate", built, truth)
    assert answer.stdout == TABLES.format(truth=truth)
    assert (answer.stderr, answer.exit_code) == ("", 0)


def test_edges_of_unseen_ancestors_are_told_apart(call: Call, built: Path, truth: Path, result: BuildResult) -> None:
    result.lineage.graph.add_node("unseen-1", **node("unseen-1", 3, "unseen"))
    result.lineage.graph.add_edge("unseen-1", "loner.pt", **edge())
    (built / "lineage.json").write_text(to_json(result.lineage), encoding="utf-8")
    shown = call("evaluate", built, truth).stdout
    assert "  1  edges that the truth neither confirms nor denies, 1 of them of unseen ancestors\n" in shown
    assert "directed edges        0.667   0.500  0.571      2      1       2" in shown


def test_json(call: Call, built: Path, truth: Path) -> None:
    record = json.loads(call("evaluate", built, truth, "--json").stdout)
    assert record["directed"]["recall"] == 0.5
    assert record["kinds"][1] == {
        "kind": "merge",
        "edges": 1,
        "linked": 0,
        "directed": 0,
        "named": 0,
        "alike": 0,
        "recall": 0.0,
        "kind_accuracy": None,
    }


def test_a_folder_that_no_build_wrote(call: Call, tmp_path: Path, truth: Path) -> None:
    answer = call("evaluate", tmp_path / "none", truth)
    assert "holds no lineage.json: is it a folder that 'lgraph build' wrote?" in answer.stderr
    assert answer.exit_code == 2


def test_a_graph_that_is_none(call: Call, built: Path, truth: Path) -> None:
    (built / "lineage.json").write_text("{}", encoding="utf-8")
    answer = call("evaluate", built, truth)
    assert answer.stderr.startswith(f"Error: {built}/lineage.json: ")
    assert answer.exit_code == 1


def test_a_truth_about_another_zoo(call: Call, built: Path, truth: Path) -> None:
    truth.write_text("unrelated: [[base.pt, x.pt]]", encoding="utf-8")
    answer = call("evaluate", built, truth)
    assert answer.stderr == "Error: the graph 'zoo' lacks 1 of 2 models that the truth names: 'x.pt'\n"
    assert answer.exit_code == 2
