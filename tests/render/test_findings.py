import networkx as nx

from lineage_graph.render import findings
from render.lineages import demo, edge, finish, joined, node


def written(lineage):
    """The sections' text."""
    return "\n".join(findings.sections(lineage.graph))


def test_kinds_are_counted_with_what_is_doubtful_among_them():
    text = written(joined())
    assert "| `finetune` | 3 | 70.0 % | 1 | 1 |" in text
    assert "| `merge` | 3 | 97.0 % | 0 | 0 |" in text
    assert "| `duplicate` | 1 | 100 % | 1 | 0 |" in text


def test_unseen_ancestors_have_a_probability_and_children():
    assert "| `unseen-1` | 1 | 70.0 % | `a`, `b` |" in written(joined())


def test_a_merge_is_a_sum_of_all_its_parents():
    parents = "1.250 ± 0.030 `c`, 0.250 ± 0.010 `a`, -0.500 ± 0.020 `b`"
    assert f"| `soup` | {parents} | 0.04 | 97.0 % |" in written(joined())
    assert "| `soup` | ? `model-a-4`, ? `model-a-5` | – | 95.0 % |" in written(demo())


def test_a_splice_names_the_blocks_of_each_parent():
    text = written(joined())
    assert "| `mosaic` | `a` | 11 | `blocks.0` to `blocks.2`, `blocks.4` to `blocks.11` | 90.0 % |" in text
    assert "| `mosaic` | `b` | 1 | `blocks.3` | 90.0 % |" in text


def test_open_directions_say_why_and_conflicts_name_both_cues():
    text = written(joined())
    assert "2 edges of which nothing decides the direction" in text
    assert "| `c` | `copy` | `duplicate` | 50.0 % | the weights are equal, and neither" in text
    assert "| `a` | `c` | 80.0 % | `counter.epoch for it (+3.0), norm_growth against it (-1.2)` |" in text


def test_what_is_not_there_has_no_section():
    graph = nx.DiGraph()
    for name in ("a", "b"):
        graph.add_node(name, **node(name))
    graph.add_edge("a", "b", **edge())
    assert [line for line in written(finish("two", graph)).splitlines() if line.startswith("#")] == ["## Kinds of edge"]
    assert written(finish("none", nx.DiGraph())) == ""


def test_long_lists_are_cut_and_say_so():
    graph = nx.DiGraph()
    for number in range(findings.ROWS + 5):
        for name in (f"a{number}", f"b{number}"):
            graph.add_node(name, **node(name))
        graph.add_edge(f"a{number}", f"b{number}", **edge(direction=0.5))
    assert "… and 5 more edges: see `lineage.json`." in written(finish("many", graph))
