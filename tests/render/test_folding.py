"""Large graphs: their parts, each laid out by itself; and records as columns."""

import json

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from lineage_graph.bench.planted import lineage as planted
from lineage_graph.render import folding
from lineage_graph.render.page.columns import packed
from lineage_graph.render.page.data import page_data
from lineage_graph.render.page.evidence import details
from render.lineages import demo, grown, joined, run_record, spliced


def unpacked(columns):
    """What the page's script makes of columns."""
    records = [{} for _ in range(columns["length"])]
    for name, column in columns["columns"].items():
        for index, record in enumerate(records):
            if isinstance(column, list):
                value = column[index]
            else:
                value = column["all"] if "all" in column else column["of"][column["at"][index]]
            if value != "":
                record[name] = value
    return records


values = st.one_of(
    st.sampled_from(["", "mit", "apache", 1, 1.0, True, 0]), st.text(max_size=3), st.lists(st.integers(), max_size=2)
)


@settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.lists(st.dictionaries(st.sampled_from("abc"), values), max_size=12))
def test_columns_hold_all_that_is_not_empty(records):
    kept = [{name: value for name, value in record.items() if value not in ("", [])} for record in records]
    found = unpacked(json.loads(json.dumps(packed(records))))
    assert json.dumps(found, sort_keys=True) == json.dumps(kept, sort_keys=True)


def test_columns_of_few_values_are_short():
    same = packed([{"a": "x" * 100}] * 1000)
    few = packed([{"a": "x" * 100 if index % 2 else "y"} for index in range(1000)])
    assert len(json.dumps(same)) < 200
    assert len(json.dumps(few)) < 4000


def test_every_model_is_in_one_part_the_groups_come_last():
    lineage = demo()
    parts = folding.parts(lineage.graph)
    assert list(parts) == [1, 2, 3, 4, 5, 6, folding.ALONE, folding.FAILED]
    assert parts[folding.ALONE] == ["loner"]
    assert len(parts[folding.FAILED]) == 2
    placed = [node for members in parts.values() for node in members]
    assert sorted(placed) == sorted(lineage.graph)


def test_a_part_stands_by_itself():
    lineage = grown(300, 5)
    for number, layout in folding.layouts(lineage.graph, dict.fromkeys(lineage.graph, 80.0), 1.75).items():
        assert [heading.family for heading in layout.headings] == [number]
        assert all(0 <= x <= layout.width and 0 <= y <= layout.height for x, y in layout.positions.values())


def test_a_page_is_folded_from_so_many_models_on(monkeypatch):
    lineage = demo()
    whole = page_data(lineage, run_record(lineage))
    assert (whole["folds"], set(whole["layouts"])) == (None, {"wide", "tall"})
    monkeypatch.setattr(folding, "FOLDED", 35)
    folded = page_data(lineage, run_record(lineage))
    assert folded["layouts"] is None
    assert len(folded["folds"]["positions"]) == len(folded["folds"]["of"]) == 36
    assert [part["id"] for part in folded["folds"]["parts"]] == [1, 2, 3, 4, 5, 6, 0, -1]


@pytest.mark.parametrize("make", [joined, spliced])
def test_evidence_that_is_too_heavy_is_left_out_but_for_what_parents_gave(make, monkeypatch):
    lineage = make()
    edges = list(lineage.graph.edges)
    whole = details(lineage, edges)
    assert whole["left"] == []
    assert all(whole["evidence"]["values"])
    monkeypatch.setattr("lineage_graph.render.page.evidence.HEAVIEST", 100)
    few = details(lineage, edges)
    assert "the evidence of edges" in dict(few["left"])
    kept = {edge for edge, values in zip(edges, few["evidence"]["values"], strict=True) if values}
    assert kept == {edge for edge in edges if lineage.graph.edges[edge]["kind"] in ("merge", "splice")}
    assert few["origins"] == {}


def test_planted_graphs_are_acyclic_and_have_their_families(tmp_path):
    lineage = planted(400, tmp_path)
    graph = lineage.graph
    assert len(graph) == 400
    for parent, child in graph.edges:
        assert graph.nodes[parent]["family"] == graph.nodes[child]["family"]
        assert graph.nodes[parent]["generation"] < graph.nodes[child]["generation"]
    assert {"root", "child", "merge", "isolated"} == {facts["role"] for _, facts in graph.nodes(data=True)}
    assert not list(tmp_path.iterdir())
