"""Every format of ``lgraph export``, read back by the tool that it is for."""

import csv
import io
import json
import re
import shutil
import subprocess
from dataclasses import replace
from xml.etree import ElementTree

import networkx as nx
import pydot
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from lineage_graph.errors import LineageGraphError
from lineage_graph.render.exports import FORMATS, Options
from lineage_graph.render.exports.csv_tables import RISKY
from lineage_graph.render.exports.mermaid import EDGES
from lineage_graph.render.graphml import typed_graph
from lineage_graph.render.ids import distinct
from lineage_graph.render.order import node_order
from lineage_graph.visible import shorten, visible
from render.lineages import demo, edge, finish, grown, hostile, joined, node, spliced

pytestmark = pytest.mark.filterwarnings("ignore:.*deprecated - use:DeprecationWarning:pydot.*")

BY_NAME = {item.name: item for item in FORMATS}
NESTED = ("declared_parents", "origins", "evidence", "layers")


def written(name, lineage, **options):
    """What a format makes of a graph."""
    return BY_NAME[name].render(lineage, Options(**options))


def from_xml(text, parse):
    """The graph as networkx reads it, with lists and objects as they were."""
    graph = parse(text)
    for facts in [*graph.nodes.values(), *graph.edges.values()]:
        facts.update({key: json.loads(facts[key]) for key in NESTED if key in facts})
        for key in {"id", "weight"} & set(facts):
            del facts[key]
    return graph


def from_gexf(text):
    """GEXF's ``label`` is the node's."""
    return from_xml(text, lambda text: nx.read_gexf(io.BytesIO(text.encode("utf-8"))))


def from_graphml(text):
    return from_xml(text, nx.parse_graphml)


def from_json(text):
    return nx.node_link_graph(json.loads(text), edges="edges")


def unquoted(text):
    return re.sub(r"\\(.)", r"\1", text[1:-1])


def from_dot(text):
    """The graph as pydot parses it; what is a number or a list in the contract becomes one again."""
    (parsed,) = pydot.graph_from_dot_data(text)
    graph = nx.DiGraph()
    looks = {"label", "tooltip", "style", "penwidth", "dir", "arrowtail"}
    for one in parsed.get_nodes():
        if one.get_name() not in ("node", "edge"):
            facts = {unquoted(key): unquoted(value) for key, value in one.get_attributes().items()}
            graph.add_node(unquoted(one.get_name()), **{key: v for key, v in facts.items() if key not in looks})
    for one in parsed.get_edges():
        facts = {unquoted(key): unquoted(value) for key, value in one.get_attributes().items()}
        ends = (unquoted(one.get_source()), unquoted(one.get_destination()))
        graph.add_edge(*ends, **{key: v for key, v in facts.items() if key not in looks})
    return graph


def from_csv(nodes, edges):
    """The graph of two tables, the apostrophes before what could be a formula taken away."""

    def rows(text):
        for row in csv.DictReader(io.StringIO(text, newline="")):
            yield {key: cell.removeprefix("'") if cell.startswith("'") else cell for key, cell in row.items()}

    graph = nx.DiGraph()
    for row in rows(nodes):
        graph.add_node(row.pop("id"), **row)
    for row in rows(edges):
        del row["type"], row["weight"]
        graph.add_edge(row.pop("source"), row.pop("target"), **row)
    return graph


def as_text(lineage):
    """The graph as formats hold it that know text alone."""
    ids = distinct(node_order(lineage.graph))
    graph = nx.DiGraph()
    for name, facts in lineage.graph.nodes(data=True):
        graph.add_node(ids[name], **{key: flat(value) for key, value in facts.items()})
    for parent, child, facts in lineage.graph.edges(data=True):
        graph.add_edge(ids[parent], ids[child], **{key: flat(value) for key, value in facts.items()})
    return graph


def flat(value):
    return visible(value) if isinstance(value, str) else json.dumps(value)


def without_labels(graph):
    for facts in graph.nodes.values():
        facts.pop("label", None)
    return graph


def same(one, other):
    """Equal to the last attribute."""
    assert dict(one.nodes(data=True)) == dict(other.nodes(data=True))
    assert {(u, v): facts for u, v, facts in one.edges(data=True)} == {
        (u, v): facts for u, v, facts in other.edges(data=True)
    }


def read_back_everywhere(lineage):
    """Each format that carries all attributes, against the graph."""
    xml = typed_graph(lineage)
    assert (len(xml), len(xml.edges)) == (len(lineage.graph), len(lineage.graph.edges))
    for facts in [*xml.nodes.values(), *xml.edges.values()]:
        facts.update({key: json.loads(facts[key]) for key in NESTED if key in facts})
        facts.pop("weight", None)
    same(from_graphml(written("graphml", lineage)), xml)
    same(from_gexf(written("gexf", lineage)), xml)
    same(from_json(written("json", lineage)), lineage.graph)
    same(from_dot(written("dot", lineage)), without_labels(as_text(lineage)))
    same(from_csv(*(written("csv", lineage, part=part) for part in ("nodes", "edges"))), as_text(lineage))


@pytest.mark.parametrize("make", [demo, joined, spliced], ids=lambda make: make.__name__)
def test_each_is_read_back_whole(make):
    read_back_everywhere(make())


@pytest.mark.parametrize("item", FORMATS, ids=lambda item: item.name)
@pytest.mark.parametrize("make", [demo, hostile], ids=lambda make: make.__name__)
def test_the_same_graph_gives_the_same_bytes(item, make):
    lineage = make()
    graph = nx.DiGraph()
    graph.add_nodes_from(reversed(list(lineage.graph.nodes(data=True))))
    graph.add_edges_from(reversed(list(lineage.graph.edges(data=True))))
    other = replace(lineage, graph=graph)
    for part in item.parts or [""]:
        made = [item.render(one, Options(part=part)) for one in (lineage, other)]
        assert made[0] == made[1]
        assert item.binary or made[0].encode("utf-8").endswith(b"\n")


# A few ASCII marks of every grammar, and what hides, reorders or ends text.
NAMES = st.text(
    st.one_of(st.sampled_from("""ab.<>&"'\\|`#;:=+-@[]{}()%,\n\r\t\0\x1b\u202e\u2028\udcff﻿é模🧬＝"""), st.characters()),
    max_size=12,
)


@st.composite
def graphs(draw):
    """A graph of a few models whose names, claims and kinds are anything."""
    names = draw(st.lists(NAMES, min_size=1, max_size=5, unique=True))
    graph = nx.DiGraph()
    for name in names:
        graph.add_node(name, **node(name, architecture=draw(NAMES), declared_parents=draw(st.lists(NAMES, max_size=2))))
    for index, child in enumerate(names[1:], start=1):
        for parent in draw(st.lists(st.sampled_from(names[:index]), max_size=2, unique=True)):
            confidence = draw(st.floats(0, 1))
            facts = {**edge(draw(NAMES), confidence), "layers": draw(st.lists(NAMES, max_size=2))}
            graph.add_edge(parent, child, **facts)
    return finish(draw(NAMES), graph)


@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(graphs())
def test_any_graph_is_read_back_whole(lineage):
    read_back_everywhere(lineage)


def test_hostile_names_are_read_back():
    read_back_everywhere(hostile())


def test_gexf_has_the_types_and_the_weight_that_gephi_reads():
    text = written("gexf", demo())
    assert set(re.findall(r'<attribute id="\d+" title="\w+" type="(\w+)"', text)) == {"string", "long", "double"}
    assert 'defaultedgetype="directed"' in text
    assert len(re.findall(r'<edge source="[^"]+" target="[^"]+" id="\d+" weight="0\.\d+"', text)) == 28
    assert "lastmodifieddate" not in text


@pytest.mark.parametrize("name", ["=cmd()|'/C calc'!A0", "+1", "-2+3", "@SUM(A1)", "＝1", "'quoted"])
def test_no_cell_is_a_formula(name):
    graph = nx.DiGraph()
    graph.add_node(name, **node(name, architecture=name))
    for part in ("nodes", "edges"):
        for row in csv.reader(io.StringIO(written("csv", finish(name, graph), part=part))):
            assert not any(cell.startswith(RISKY[:-1]) for cell in row)


def test_negative_numbers_stay_numbers():
    graph = nx.DiGraph()
    for name in "ab":
        graph.add_node(name, **node(name))
    graph.add_edge("a", "b", **edge(distance=-0.5))
    (row,) = csv.DictReader(io.StringIO(written("csv", finish("odd", graph), part="edges")))
    assert (row["distance"], row["weight"], row["type"]) == ("-0.5", "0.998", "Directed")


def mermaid_labels(text):
    """The names in a flowchart, its character references resolved."""
    found = re.findall(r'^  m\d+\["([^"]*)"\]', text, re.MULTILINE)
    return {re.sub(r"#(\d+);", lambda match: chr(int(match[1])), label) for label in found}


def test_mermaid_holds_names_in_references_alone():
    text = written("mermaid", hostile())
    assert {"quotes \" ' ` and \\ and | pipe", "<img src=x onerror=alert(1)>"} <= mermaid_labels(text)
    assert not re.search(r"[<`'\\(]", re.sub(r"<?-\.?->", "", text))
    assert text.count("-->|") == 7


def test_mermaid_marks_what_is_unseen_and_open():
    text = written("mermaid", joined())
    assert 'm0["unseen#45;1"]:::unseen' in text
    assert 'm0 <-.->|"finetune 70#46;0 #37;"| m1' in text


def loners(number):
    """Models with long names and no edges."""
    graph = nx.DiGraph()
    for index in range(number):
        graph.add_node(f"{index:060}", **node(f"{index:060}"))
    return finish("loners", graph)


@pytest.mark.parametrize(
    ("lineage", "size"), [(grown(520, 2), "518 edges"), (loners(900), "5[0-9],[0-9]{3} characters")]
)
def test_mermaid_refuses_what_it_would_not_draw(lineage, size):
    with pytest.raises(LineageGraphError, match=rf"at most {EDGES} edges and 50,000 characters.*{size}.*--family"):
        written("mermaid", lineage)


@pytest.mark.skipif(shutil.which("dot") is None, reason="no Graphviz on this machine: DOT is read by pydot alone")
@pytest.mark.parametrize("make", [demo, hostile], ids=lambda make: make.__name__)
def test_graphviz_draws_every_name(make):
    lineage = make()
    drawn = subprocess.run(["dot", "-Tsvg"], input=written("dot", lineage).encode(), capture_output=True, check=True)
    assert drawn.stderr == b""
    titles = [one.text for one in ElementTree.fromstring(drawn.stdout).iter("{http://www.w3.org/2000/svg}text")]
    assert set(short_names(lineage)) <= set(titles)


def short_names(lineage):
    return [shorten(visible(name), 60) for name in lineage.graph]
