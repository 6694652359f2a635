"""Parts of a lineage graph."""

from dataclasses import replace

import pytest

from lineage_graph.declarations import Finding
from lineage_graph.errors import LineageGraphError
from lineage_graph.render.selection import around, find, hanging, of_family
from lineage_graph.types import LineageGraph
from render.lineages import demo, joined


def test_a_model_has_its_ancestors_and_descendants_around_it():
    assert set(around(joined(), "c").graph) == {"unseen-1", "a", "c", "copy", "soup"}
    assert set(around(demo(), "loner").graph) == {"loner"}


def test_a_family_has_all_its_members_and_what_is_said_of_them():
    lineage = replace(
        demo(), audit=(Finding("soup", "parent", "x", "missing", ""), Finding("loner", "card", "", "", ""))
    )
    part = of_family(lineage, 1)
    assert {part.graph.nodes[node]["family"] for node in part.graph} == {1}
    assert len(part.graph.edges) == 9
    assert (part.rejected, part.failures) == ((), ())
    assert [finding.model for finding in part.audit] == ["soup"]


def test_a_part_is_a_copy():
    lineage = demo()
    of_family(lineage, 1).graph.remove_node("soup")
    assert "soup" in lineage.graph


@pytest.mark.parametrize(("name", "found"), [("soup", "soup"), ("evil.pt", "broken/evil.pt")])
def test_a_model_is_found_by_its_id_or_the_end_of_it(name, found):
    assert find(demo(), name) == found


@pytest.mark.parametrize(("name", "hint"), [("", "is called ''$"), ("soups", "did you mean 'soup'")])
def test_a_name_that_is_no_model(name, hint):
    with pytest.raises(LineageGraphError, match=hint):
        find(demo(), name)


@pytest.mark.parametrize("number", [0, -1, 8])
def test_a_number_that_is_no_family(number):
    with pytest.raises(LineageGraphError, match="the families are 1 to 7"):
        of_family(demo(), number)


def test_a_graph_without_families():
    import networkx as nx

    with pytest.raises(LineageGraphError, match="there are none"):
        of_family(LineageGraph("none", nx.DiGraph()), 1)


def test_descendants_hang_below_the_chosen_model_alone():
    whole = joined()
    graph = hanging(around(whole, "c"), "c")
    assert set(graph.edges) == {("unseen-1", "a"), ("a", "c"), ("c", "copy"), ("c", "soup")}
