"""``lgraph explain --layers`` on a graph that a build wrote."""

import json

import networkx as nx
import pytest

from command_line import edge, node
from lineage_graph.render import node_link
from lineage_graph.types import LineageGraph


@pytest.fixture
def folder(tmp_path):
    """A graph in which one model's blocks are known, and a name tries to paint the terminal."""
    graph = nx.DiGraph()
    for name in ("a", "b\x1b[31m", "hybrid", "plain"):
        graph.add_node(name, **node(name, 1, "child"))
    graph.add_node("bad", **node("bad", 0, "isolated", 0, "EmptyFileError"))
    graph.add_edge("a", "hybrid", **edge("splice"))
    graph.nodes["hybrid"]["origins"] = [
        {"block": "stem", "model": "", "there": "", "probability": 0.7, "cosine": 0.0},
        {
            "block": "blocks.0",
            "model": "b\x1b[31m",
            "there": "blocks.3",
            "probability": 0.9876,
            "cosine": 0.912,
            "runners": [["a", "blocks.0", 0.0114], ["", "", 0.001]],
        },
        {"block": "blocks.1", "model": "a", "there": "blocks.1", "probability": 1.0, "cosine": 0.95},
    ]
    (tmp_path / "lineage.json").write_text(node_link.to_json(LineageGraph("z", graph)))
    return tmp_path


def test_each_block_has_a_line(call, folder):
    result = call("explain", "--layers", "hybrid", "--in", folder)
    assert result.exit_code == 0
    lines = result.stdout.splitlines()
    assert lines[0] == r"hybrid: 3 blocks, 1 from a, 1 from b\x1b[31m, 1 from no model of this zoo"
    assert lines[3].split() == ["stem", "none", "0.700"]
    assert lines[4].split() == [
        *("blocks.0", r"b\x1b[31m", "blocks.3", "0.988", "0.912"),
        *("a", "blocks.0", "0.011,", "none", "0.001"),
    ]
    assert lines[5].split() == ["blocks.1", "a", "blocks.1", "1.000", "0.950"]


def test_json_has_the_same(call, folder):
    found = json.loads(call("explain", "--layers", "hybrid", "--in", folder, "--json").stdout)
    assert found["model"] == "hybrid"
    assert [one["block"] for one in found["origins"]] == ["stem", "blocks.0", "blocks.1"]
    assert found["origins"][1]["runners"][0] == ["a", "blocks.0", 0.0114]


@pytest.mark.parametrize("model", ["nobody", "bad", "plain"])
def test_a_model_without_known_blocks_is_one_sentence(call, folder, model):
    result = call("explain", "--layers", model, "--in", folder)
    assert result.exit_code != 0
    assert len(result.stderr.strip().splitlines()) == 1
    assert model in result.stderr


@pytest.mark.parametrize("given", [("a", "hybrid", "--layers", "hybrid"), ("a",), ()])
def test_either_two_models_or_one(call, folder, given):
    result = call("explain", *given, "--in", folder)
    assert result.exit_code == 2
    assert "--layers MODEL" in result.stderr
