from dataclasses import replace

import networkx as nx
import pytest
from markdown_it import MarkdownIt

from lineage_graph.render import report
from lineage_graph.render.markdown import code
from lineage_graph.types import LineageGraph
from lineage_graph.visible import visible
from render.lineages import HOSTILE, demo, edge, finish, grown, hostile, joined, node, run_record


def written(lineage):
    """The report's text."""
    return report.render(lineage, run_record(lineage))


def tokens(text):
    """Everything that a Markdown reader sees, down to the inline parts."""
    for token in MarkdownIt("commonmark").enable("table").parse(text):
        yield token
        yield from token.children or ()


def test_it_says_what_was_found():
    text = written(demo())
    assert "35 models, 1 unseen ancestor, 6 families, 28 edges, 1 model without relatives, 2 models that" in text
    assert "| 1 | `model-a-0` | 9 | 4 | `test_resnet` |" in text
    assert "| `model-b-2` | `model-b-5` | `finetune` | 80.0 % | 60.0 % | 0.21 |  |" in text
    assert "- `loner`, `test_vit`" in text
    assert "| `broken/evil.pt` | `UnsafePickleError` | `evil.pt: the pickle asks for posix.system` |" in text
    assert "## Audit" not in text
    assert "| `loner` | `model-a-0` | 18.0 % | 1.39 |" in text
    assert "- `model-b-2` → `model-b-5`: 80.0 %, direction 60.0 %" in text
    assert "Names, dates and declared parents took no part in any decision." in text


def test_unseen_ancestors_are_counted_apart():
    text = written(joined())
    assert "# Lineage of `joined`\n\n6 models, 1 unseen ancestor, 1 family, 9 edges" in text
    assert "| 1 | `unseen-1` | 6 and 1 unseen | 4 | `test_resnet` |" in text
    assert "| `c` | `copy` | `duplicate` | 100 % | open (50.0 %) | 0 |  |" in text
    assert "## Merges" in text


def test_it_says_how_many_models_had_features():
    lineage = demo()
    lineage.graph.nodes["loner"]["features"] = "none: no network of this shape"
    lineage.graph.nodes["soup"]["features"] = ""
    record = replace(run_record(lineage), settings={"features": True})
    assert "their features compared, for 31 of 33 models." in report.render(lineage, record)
    record = replace(record, settings={"features": False})
    assert "No networks were built: features took no part." in report.render(lineage, record)


def test_the_tree_is_text():
    text = written(demo())
    assert "└── model-b-2  (quantize, 99.8 %)\n    ├── model-b-4  (finetune, 99.8 %)" in text
    assert "soup  (merge, 97.0 %, also from model-a-4)" in text
    assert "model-f-0  [not in the zoo]" in text


def test_hostile_names_are_only_ever_code():
    kinds = {token.type for token in tokens(written(hostile()))}
    assert not kinds & {"html_block", "html_inline", "link_open", "image", "strong_open", "em_open"}
    outside = "".join(token.content for token in tokens(written(hostile())) if token.type == "text")
    assert not any(mark in outside for mark in ("@", "#", "http", "<", "xxx"))


@pytest.mark.parametrize("name", HOSTILE)
def test_a_code_span_gives_back_the_visible_name(name):
    (span,) = [token for token in tokens(code(name, 1000)) if token.type == "code_inline"]
    assert span.content == visible(name)


def test_a_table_row_of_a_hostile_name_keeps_its_cells():
    rows = [line for line in written(hostile()).splitlines() if line.startswith("| `<img")]
    unescaped = [row.replace("\\|", "").count("|") for row in rows]
    assert unescaped == [8] * 7 + [3]


def test_long_lists_are_cut_and_say_so():
    text = written(grown(5000, 80))
    assert len(text.splitlines()) < 1200
    assert "… and 4,770 more edges: see `lineage.json`." in text
    assert "more trees: see `lineage.json`." in text


def test_it_says_of_how_many_edges_the_direction_is_open():
    assert "Of 2 of 9 edges nothing decides the direction." in written(joined())
    assert "nothing decides the direction." not in written(grown(5, 1))


def test_a_large_family_is_cut_below_the_models_nearest_to_its_root():
    text = written(grown(700, 1))
    tree = text.split("```text\n")[1].split("\n```")[0].splitlines()
    cut = [int(line.split(" and ")[1].split()[0].replace(",", "")) for line in tree if "… and " in line]
    assert cut
    assert min(cut) > 1
    assert len(tree) - len(cut) + sum(cut) == 700


def test_the_report_of_a_large_zoo_fits_a_comment_of_a_forge():
    assert len(written(grown(5000, 80))) < 65_536


def test_a_chain_of_300_generations_keeps_its_lines_short():
    graph = nx.DiGraph()
    for index in range(300):
        graph.add_node(f"step{index:03}", **node(f"step{index:03}"))
    for index in range(299):
        graph.add_edge(f"step{index:03}", f"step{index + 1:03}", **edge("snapshot"))
    text = written(finish("chain", graph))
    assert "step299  (snapshot, 99.8 %, generation 300)" in text
    assert max(map(len, text.splitlines())) < 200


def test_an_empty_zoo():
    assert written(LineageGraph("none", nx.DiGraph())) == "# Lineage of `none`\n\nThe zoo holds no models.\n"
