"""Several parents, unseen ancestors, conflicts and open directions on the page, in a real browser."""

import networkx as nx

from render.lineages import HOSTILE, edge, finish, joined, node, spliced


def section(seen, title):
    """The lines of one section of the panel."""
    text = seen.page.locator("#panel section", has=seen.page.get_by_role("heading", name=title)).inner_text()
    return [line for line in text.replace("\t", "\n").splitlines() if line][1:]


def cells(seen):
    """Which blocks of the strip are coloured."""
    looks = "[...document.querySelectorAll('#panel .strip .swatch')].map((cell) => [cell.title, cell.className])"
    return [title for title, look in seen.page.evaluate(looks) if "none" not in look]


def test_a_merge_names_what_each_parent_gave(visit):
    seen = visit(joined())
    seen.page.mouse.click(*seen.spot("soup"))
    parents = ["c", "merge, 1.25, 97.0 %", "a", "merge, 0.25, 97.0 %", "b", "merge, -0.50, 97.0 %"]
    assert section(seen, "Parents") == parents
    seen.page.locator("#panel li", has_text="-0.50").locator("button.quiet").click()
    assert seen.page.inner_text("#panel h2") == "b → soup"
    shares = ["b", "-0.500 ± 0.020", "c", "1.250 ± 0.030", "a", "0.250 ± 0.010"]
    assert section(seen, "Coefficients of the merge") == shares
    assert "They took no part here" in section(seen, "Direction cues")[0]
    assert seen.quiet(), seen.complaints


def test_a_splice_s_edge_colours_its_blocks_and_counts_the_others(visit):
    seen = visit(spliced())
    seen.page.mouse.click(*seen.edge_spot("vit-1", "hybrid"))
    assert cells(seen) == ["blocks.1", "blocks.4", "blocks.7", "blocks.10"]
    assert section(seen, "Parts of the splice") == ["vit-1", "4 blocks", "vit-0", "4 blocks", "vit-2", "4 blocks"]
    seen.page.mouse.click(*seen.spot("hybrid"))
    assert "Splice · family 1" in seen.page.inner_text("#panel header")


def test_an_open_direction_and_a_conflict_are_said_before_the_numbers(visit):
    seen = visit(joined())
    seen.page.mouse.click(*seen.edge_spot("c", "copy"))
    assert "Edge · duplicate · direction open" in seen.page.inner_text("#panel header")
    assert "Either of the two may be the parent: the weights are equal" in seen.page.inner_text("#panel .warning")
    seen.page.mouse.click(*seen.edge_spot("a", "c"))
    assert "direction open" not in seen.page.inner_text("#panel header")
    conflict = "Cues contradict\n\ncounter.epoch for it (+3.0), norm_growth against it (-1.2)"
    assert seen.page.locator("#panel .warning").all_inner_texts() == [conflict]


def test_cues_stand_on_their_side_the_strongest_first(visit):
    seen = visit(joined())
    seen.page.mouse.click(*seen.edge_spot("a", "c"))
    lines = section(seen, "Direction cues")
    names = [line for line in lines if "growth" in line or "counter" in line or "direction" in line]
    assert names == ["For this direction", "counter.num_batches_tracked", "norm_growth", "kurtosis_growth"]
    assert lines.index("Against it") == lines.index("kurtosis_growth") - 1


def test_unseen_ancestors_are_no_models_and_say_what_they_are(visit):
    seen = visit(joined())
    stats = ["6 models", "1 unseen ancestor", "1 family", "9 edges"]
    assert seen.page.locator(".stats li").all_inner_texts() == stats
    seen.page.mouse.click(*seen.spot("unseen-1"))
    text = seen.page.inner_text("#panel")
    assert "Unseen ancestor, not in the zoo" in text
    assert "Nobody has seen this model." in text
    assert "finetune, 70.0 %, direction open" in text


def test_the_legend_has_what_occurs_and_no_more(visit):
    keys = set(visit(joined()).page.locator("#legend li").all_inner_texts())
    assert keys >= {"merge", "splice", "duplicate", "direction open", "unseen ancestor", "several parents"}
    keys = set(
        visit(finish("sure", joined().graph.subgraph(["a", "c"]).copy())).page.locator("#legend li").all_inner_texts()
    )
    assert not keys & {"merge", "splice", "direction open", "unseen ancestor", "several parents"}


def test_hostile_conflicts_and_layers_stay_text(visit):
    graph = spliced().graph
    graph.add_node("evil", **node("evil"))
    graph.add_edge(
        "vit-0", "evil", **{**edge("splice", direction=0.5), "layers": list(HOSTILE), "conflict": HOSTILE[0]}
    )
    seen = visit(finish("evil", graph))
    seen.page.mouse.click(*seen.edge_spot("vit-0", "evil"))
    assert seen.page.inner_text("#panel").count("<img src=x onerror=alert(1)>") == 2
    assert seen.page.locator("#panel img").count() == 0
    assert seen.quiet(), seen.complaints


def test_an_edge_shows_how_far_apart_the_two_are_block_by_block(visit):
    graph = nx.DiGraph()
    for name in ("base", "tuned", "copy"):
        graph.add_node(name, **node(name))
    apart = {"stem": 0.0, **{f"blocks.{n}": n / 10 for n in range(4)}, HOSTILE[0]: 0.05}
    graph.add_edge("base", "tuned", **{**edge(), "by_block": apart})
    graph.add_edge("base", "copy", **edge("duplicate"))
    seen = visit(finish("blocks", graph), fragment="#parent=base&child=tuned")
    heights = "[...document.querySelectorAll('#panel .columns i')].map((column) => column.style.height)"
    assert seen.page.evaluate(heights)[1:5] == ["2%", "33.3333%", "66.6667%", "100%"]
    assert seen.page.get_by_role("img", name="6 blocks; farthest apart: blocks.3, 0.3").count() == 1
    seen.page.click("#panel summary >> text=Block by block")
    assert "<img src=x onerror=alert(1)>" in seen.page.inner_text("#panel")
    seen.page.evaluate("location.hash = '#parent=base&child=copy'")
    seen.page.wait_for_function("document.querySelector('#panel h2').innerText.includes('copy')")
    assert seen.page.locator("#panel .columns").count() == 0
    assert seen.quiet(), seen.complaints
