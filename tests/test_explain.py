"""What is said of signals in several places agrees."""

import re
from pathlib import Path

import pytest

import lineage_graph
from lineage_graph.errors import LineageGraphError
from lineage_graph.explain import explain
from lineage_graph.render.meanings import MEANINGS
from lineage_graph.scoring import CUES
from lineage_graph.signals.registry import SIGNED, is_signed
from lineage_graph.store import Store
from lineage_graph.types import LineageGraph

FACTS = Path(lineage_graph.__file__).parent / "render" / "page" / "js" / "facts.js"


def test_every_cue_is_a_signed_signal():
    assert all(is_signed(name) for name in CUES)


def test_every_signed_signal_has_a_meaning():
    assert MEANINGS.keys() >= SIGNED


@pytest.mark.parametrize("name", sorted(MEANINGS))
def test_the_page_draws_the_same_signals_around_zero(name):
    (pattern,) = re.findall(r"^  /(\^\(scale.*)/;$", FACTS.read_text(), re.MULTILINE)
    assert bool(re.search(pattern, name)) == is_signed(name)


def test_a_model_that_could_not_be_read_is_explained_by_its_error(tmp_path):
    import networkx as nx

    graph = nx.DiGraph()
    graph.add_node("a", status="ok", message="")
    graph.add_node("b", status="EmptyFileError", message="b: the file is empty")
    with pytest.raises(LineageGraphError, match="b: EmptyFileError: b: the file is empty"):
        explain(LineageGraph("zoo", graph), "a", "b", Store(tmp_path))
