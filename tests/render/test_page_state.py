"""What the reader sets on the page: filters, confidence, colours, selections, views; and links to all of it."""

import networkx as nx

from lineage_graph.declarations import Finding
from render.lineages import HOSTILE, demo, edge, finish, hostile, joined, node


def shown(seen):
    """The models in the picture."""
    return {box["name"] for box in seen.page.evaluate("lineage.boxes()")}


def tick(seen, value):
    """Click a value of the filters."""
    seen.page.locator("#filters label", has=seen.page.get_by_text(value, exact=True)).click()


def slide(seen, value):
    """Move the slider of confidence."""
    seen.page.locator("#least").fill(str(value))


def hash_of(seen):
    """The fragment of the page's address."""
    return seen.page.evaluate("decodeURIComponent(location.hash)")


def licensed():
    """Nine licences, one of them hostile, and one model of each audit result."""
    graph = nx.DiGraph()
    results = ("confirmed", "contradicted", "untestable", "missing", "licence")
    for index in range(12):
        license_ = ["", "mit", HOSTILE[0], *(f"licence-{n}" for n in range(9))][index]
        audit = results[index] if index < len(results) else ""
        graph.add_node(f"m{index}", **node(f"m{index}", license=license_, audit=audit))
        if index:
            graph.add_edge("m0", f"m{index}", **edge())
    return finish("licensed", graph)


def test_filters_show_what_passes_with_counts_and_are_cleared_at_once(visit):
    seen = visit(demo())
    seen.page.click("#filter")
    rows = seen.page.locator("#filters fieldset").first.locator("label").all_inner_texts()
    assert [row.split("\n") for row in rows][:2] == [["Family 1", "9"], ["Family 2", "7"]]
    tick(seen, "Family 1")
    tick(seen, "Family 2")
    assert shown(seen) == {name for name, family in demo().graph.nodes(data="family") if family in {1, 2}}
    assert seen.page.inner_text("#filter") == "Filters (2)"
    assert seen.page.inner_text("#passing") == "16 of 36 models shown"
    assert seen.page.inner_text("#status") == "16 of 36 models shown"
    tick(seen, "quantize")
    assert shown(seen) == {"model-b-0", "model-b-2"}
    family_3 = seen.page.locator("#filters label", has_text="Family 3").locator(".note")
    assert family_3.inner_text() == "0"
    seen.page.click("#clear")
    assert len(shown(seen)) == 36
    assert seen.page.locator("#filters input:checked").count() == 0
    seen.page.keyboard.press("Escape")
    assert seen.page.locator("#filters").is_hidden()
    assert seen.quiet(), seen.complaints


def test_what_is_filtered_away_answers_neither_pointer_nor_keys(visit):
    seen = visit(demo(), fragment="#family=2")
    assert "model-a-0" not in shown(seen)
    away = visit(demo()).spot("model-a-0")
    seen.page.mouse.click(*away)
    assert seen.page.locator("#panel").is_hidden()
    seen.page.focus("#graph .vis-network")
    seen.page.keyboard.press("ArrowDown")
    assert seen.page.inner_text("#panel h2") == "model-b-0"


def test_what_is_filtered_away_can_be_found_by_name_and_brought_back(visit):
    seen = visit(demo(), fragment="#family=2")
    seen.page.fill("#search", "a-1")
    assert seen.page.inner_text("#hits [role=option]") == "model-a-1\nfiltered away"
    seen.page.keyboard.press("Enter")
    assert "The filters hide it." in seen.page.inner_text("#panel")
    seen.page.click("#panel .hidden button")
    assert "model-a-1" in shown(seen)
    assert seen.page.locator("#panel .hidden").count() == 0


def test_filters_that_nothing_passes_say_so(visit):
    seen = visit(demo(), fragment="#family=1&kind=prune")
    assert shown(seen) == set()
    assert seen.page.inner_text("#empty") == "No model passes the filters."


def test_the_slider_hides_edges_below_it_and_says_how_many_are_left(visit):
    seen = visit(demo())
    assert seen.page.inner_text("#sure") == "0 % · 28 of 28 edges"
    middle = seen.edge_spot("model-b-2", "model-b-5")
    slide(seen, 90)
    assert seen.page.inner_text("#sure") == "90 % · 26 of 28 edges"
    seen.page.mouse.click(*middle)
    assert seen.page.locator("#panel").is_hidden()
    seen.page.mouse.click(*seen.spot("model-b-0"))
    assert seen.page.inner_text("[data-way=heirs] b") == "4"
    slide(seen, 50)
    assert seen.page.inner_text("[data-way=heirs] b") == "6"
    back = seen.page.evaluate("history.length")
    slide(seen, 60)
    assert seen.page.evaluate("history.length") == back, "a slider that moves is one step back"


def test_what_inherits_from_a_model_is_lit_counted_listed_and_copied(visit):
    seen = visit(demo())
    seen.page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    seen.page.mouse.click(*seen.spot("model-a-1"))
    seen.page.click("[data-way=heirs]")
    heirs = nx.descendants(demo().graph, "model-a-1")
    assert seen.page.inner_text(".count p") == f"{len(heirs)} models inherit from it"
    listed = seen.page.locator("#lineage-of li .link").all_inner_texts()
    assert set(listed) == heirs
    seen.page.mouse.move(5, 5)
    assert seen.pixel("model-a-0") != (0, 114, 178)
    seen.page.click("#copy")
    assert seen.page.evaluate("navigator.clipboard.readText()").split("\n") == listed
    assert seen.page.inner_text("#notice") == f"Copied {len(heirs)} ids"
    seen.page.keyboard.press("Tab")
    seen.page.click("[data-way=sources]")
    assert seen.page.inner_text(".count p") == "1 model is its ancestor"
    seen.page.click("#lineage-of li .link")
    assert seen.page.inner_text("#panel h2") == "model-a-0"
    assert seen.page.locator(".count").count() == 0
    assert seen.quiet(), seen.complaints


def test_ids_are_copied_where_the_clipboard_is_closed(visit):
    seen = visit(demo(), fragment="#model=model-b-0&lineage=heirs")
    seen.page.evaluate("() => { navigator.clipboard.writeText = () => Promise.reject(new Error('closed')); }")
    seen.page.evaluate("() => addEventListener('copy', () => (window.copied = document.activeElement.value))")
    seen.page.click("#copy")
    seen.page.wait_for_selector("#notice:not([hidden])")
    assert seen.page.evaluate("window.copied").split("\n") == [f"model-b-{n}" for n in range(1, 7)]
    assert seen.quiet(), seen.complaints


def test_colours_stand_for_what_is_asked_and_never_alone(visit):
    seen = visit(demo())
    family = seen.pixel("model-d-1")
    options = seen.page.locator("#colour option").all_inner_texts()
    assert options == ["Family", "Generation"], "nothing is known of licences and audits here"
    seen.page.select_option("#colour", "generation")
    assert seen.pixel("model-d-1") != family
    keys = seen.page.locator("#legend li").all_inner_texts()
    assert keys[:4] == [f"generation {n}" for n in range(1, 5)]
    marks = "lineage.models.map((model) => lineage.markOf(model))"
    generations = [str(model["generation"]) for model in seen.page.evaluate("lineage.models") if model["family"]]
    assert [mark for mark in seen.page.evaluate(marks) if mark] == generations[:-1], "the loner has none"


def test_licences_and_audit_results_have_a_colour_and_a_mark_each(visit):
    seen = visit(licensed(), fragment="#colour=license")
    look = "lineage.models.map((model) => lineage.colourOf(model) + lineage.markOf(model))"
    looks = dict(zip((f"m{n}" for n in sorted(range(12), key=str)), seen.page.evaluate(look), strict=True))
    assert len(set(looks.values())) == 9, "seven licences, all others together, and none"
    assert "<img src=x onerror=alert(1)>" in seen.page.inner_text("#legend")
    seen.page.select_option("#colour", "audit")
    looks = seen.page.evaluate(
        "lineage.models.filter((m) => m.audit).map((m) => lineage.colourOf(m) + lineage.markOf(m))"
    )
    assert len(set(looks)) == len({look[-1] for look in looks}) == 5
    assert {"contradicted", "licence", "nothing to say"} <= set(seen.page.locator("#legend li").all_inner_texts())
    seen.page.click("#filter")
    tick(seen, HOSTILE[0])
    assert shown(seen) == {"m2"}
    assert seen.quiet(), (seen.complaints, seen.dialogs)


def test_the_panel_lists_what_the_audit_found_and_how_to_mend_it(visit):
    lineage = licensed()
    found = Finding("m1", "undeclared", "m0", "missing", f"m0 is a parent {HOSTILE[1]}", "base_model:\n  - m0")
    seen = visit(type(lineage)(lineage.name, lineage.graph, audit=(found,)), fragment="#model=m1")
    text = seen.page.inner_text("#panel")
    assert "Licence\n\nmit" in text.replace("\n\n", "\n").replace("Licence\n", "Licence\n\n")
    assert "m0 is a parent </script><script>alert(2)</script>" in text
    assert seen.page.inner_text("#panel .mend") == "base_model:\n  - m0"
    assert seen.page.inner_text("#panel .finding .tag") == "– missing"
    assert seen.quiet(), (seen.complaints, seen.dialogs)


def test_a_link_leads_to_the_same_state_and_back_and_forward_work(visit):
    seen = visit(demo())
    seen.page.select_option("#colour", "generation")
    seen.page.mouse.click(*seen.spot("model-a-1"))
    seen.page.click("[data-way=heirs]")
    slide(seen, 70)
    seen.page.click("[data-view=table]")
    wanted = {"#view=table", "model=model-a-1", "lineage=heirs", "colour=generation", "confidence=0.7"}
    assert set(hash_of(seen).split("&")) == wanted
    again = visit(demo(), fragment=seen.page.evaluate("location.hash"))
    for page in (seen.page, again.page):
        assert page.inner_text("#panel h2") == "model-a-1"
        assert page.inner_text(".count p") == "5 models inherit from it"
        assert page.locator("#table").is_visible()
        assert page.locator("#colour").input_value() == "generation"
        assert page.locator("#least").input_value() == "70"
    for _ in range(3):
        seen.page.go_back()
    assert hash_of(seen) == "#model=model-a-1&colour=generation"
    assert seen.page.locator("#graph").is_visible()
    assert seen.page.locator(".count").count() == 0
    seen.page.go_back()
    assert seen.page.locator("#panel").is_hidden()
    seen.page.go_forward()
    assert seen.page.inner_text("#panel h2") == "model-a-1"
    assert seen.quiet(), seen.complaints


def test_a_link_to_an_edge_and_to_a_hostile_name(visit):
    seen = visit(joined(), fragment="#parent=a&child=c")
    assert seen.page.inner_text("#panel h2") == "a → c"
    evil = visit(hostile())
    evil.page.mouse.click(*evil.spot(HOSTILE[0]))
    again = visit(hostile(), fragment=evil.page.evaluate("location.hash"))
    assert again.page.inner_text("#panel h2") == HOSTILE[0]
    assert again.quiet(), again.complaints


def test_a_link_that_says_nonsense_does_no_harm(visit):
    fragment = "#view=constructor&model=<img src=x onerror=alert(1)>&colour=toString&confidence=NaN&theme=x"
    fragment += "&family=99&lineage=1"
    seen = visit(demo(), fragment=fragment)
    assert seen.page.locator("#graph").is_visible()
    assert seen.page.locator("#panel").is_hidden()
    assert len(shown(seen)) == 36
    assert "not in this graph" in seen.page.inner_text("#notice")
    assert seen.quiet(), (seen.complaints, seen.dialogs)


def test_a_meaning_is_told_beside_each_signal(visit):
    seen = visit(joined(), fragment="#parent=a&child=c")
    name = seen.page.locator("#panel .tip", has_text="coverage")
    tip = name.get_by_role("tooltip", include_hidden=True)
    assert tip.is_hidden()
    name.focus()
    assert tip.is_visible()
    assert tip.inner_text() == "share of the smaller backbone that could be compared"
    assert name.get_attribute("aria-describedby") == tip.get_attribute("id")
