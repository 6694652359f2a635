"""The table, which says what the pictures show; the keyboard; and what an accessibility checker finds."""

import networkx as nx
import pytest

from render.lineages import demo, finish, grown, hostile, joined


def column(seen, title):
    """The cells of one column of the table's page."""
    titles = [text.rstrip(" ↑↓") for text in seen.page.locator("#table thead th").all_inner_texts()]
    place = titles.index(title)
    return seen.page.evaluate(
        "(n) => [...document.querySelectorAll('.rows tbody tr')].map((r) => r.cells[n].innerText)", place
    )


def test_the_table_sorts_pages_and_leads_to_the_panel(visit):
    lineage = grown(120, 3)
    names = {name: f"run-{number}" for number, name in enumerate(lineage.graph)}
    lineage = finish("runs", nx.relabel_nodes(lineage.graph, names))
    seen = visit(lineage, fragment="#view=table")
    assert seen.page.inner_text(".pager span") == "1–50 of 120"
    assert column(seen, "Model") == [f"run-{number}" for number in range(50)], "numbers in names count as numbers"
    seen.page.click("#table .sort >> text=Children")
    seen.page.click("#table .sort >> text=Children")
    children = [int(text) for text in column(seen, "Children")]
    assert children == sorted((d for _, d in lineage.graph.out_degree), reverse=True)[:50]
    assert seen.page.locator("#table th[aria-sort]").get_attribute("aria-sort") == "descending"
    assert seen.page.evaluate("document.activeElement.innerText").startswith("Children")
    seen.page.click(".pager >> text=Next")
    seen.page.click(".pager >> text=Next")
    assert seen.page.inner_text(".pager span") == "101–120 of 120"
    name = column(seen, "Model")[-1]
    seen.page.locator("#table .link").last.click()
    assert seen.page.inner_text("#panel h2") == name
    assert seen.page.locator(".rows .chosen").count() == 1
    assert seen.page.evaluate("document.activeElement.innerText") == name
    assert seen.quiet(), seen.complaints


def test_the_table_keeps_to_filters_search_and_confidence(visit):
    seen = visit(demo(), fragment="#view=table&family=2&confidence=0.9")
    assert set(column(seen, "Family")) == {"2"}
    seen.page.fill("#search", "b-5")
    assert column(seen, "Model") == ["model-b-5"]
    seen.page.keyboard.press("Escape")
    seen.page.click("#table >> text=Edges")
    assert len(column(seen, "Child")) == 5
    assert "model-b-5" not in column(seen, "Child")
    seen.page.locator(".rows button", has_text="quantize").click()
    assert seen.page.inner_text("#panel h2") == "model-b-0 → model-b-2"
    assert seen.page.locator("#svg").is_disabled()


def test_hostile_names_stay_text_in_the_table(visit):
    seen = visit(hostile(), fragment="#view=table")
    assert any("<img src=x onerror=alert(1)>" in text for text in column(seen, "Model"))
    assert seen.page.locator("#table img, #table b").count() == 0
    seen.page.click("#table >> text=Edges")
    assert seen.quiet(), (seen.complaints, seen.dialogs)


def test_everything_can_be_reached_with_the_keyboard(visit):
    seen = visit(demo())
    reached = []
    for _ in range(14):
        seen.page.keyboard.press("Tab")
        reached.append(seen.page.evaluate("document.activeElement.id || document.activeElement.innerText"))
    assert {
        "search",
        "Tree",
        "Ring",
        "Table",
        "colour",
        "least",
        "filter",
        "svg",
        "png",
        "link",
        "theme",
        "fit",
    } <= set(reached)
    seen.page.focus("[data-view=table]")
    seen.page.keyboard.press("Enter")
    assert seen.page.locator("#table").is_visible()
    assert seen.page.locator("[data-view=table]").get_attribute("aria-pressed") == "true"
    seen.page.focus("#filter")
    seen.page.keyboard.press("Enter")
    seen.page.keyboard.press("Space")
    assert seen.page.evaluate("location.hash") == "#view=table&family=1"
    assert seen.page.inner_text("#filter") == "Filters (1)"


def test_a_telephone_has_everything_within_its_width(visit):
    seen = visit(demo(), 420, 800)
    seen.page.click("#options")
    for part in ("#colour", "#least", "#filter", "#svg", "#theme", "#fit"):
        box = seen.page.locator(part).bounding_box()
        assert box["x"] >= 0
        assert box["x"] + box["width"] <= 420, part
    seen.page.click("#filter")
    assert seen.page.locator("#filters").bounding_box()["width"] == 420
    seen.page.click("#filters .close")
    seen.page.click("[data-view=table]")
    assert seen.page.evaluate("document.documentElement.scrollWidth") == 420


@pytest.mark.parametrize(
    ("scheme", "fragment"),
    [
        ("light", "#view=ring&model=soup&lineage=sources"),
        ("dark", "#parent=a&child=c"),
        ("light", "#view=table&model=a"),
    ],
)
def test_an_accessibility_check_finds_nothing(visit, scheme, fragment):
    axe = pytest.importorskip("axe_playwright_python.sync_playwright").Axe()
    seen = visit(joined(), scheme=scheme, fragment=fragment, trusting=True)
    seen.page.click("#filter")
    found = axe.run(seen.page).response["violations"]
    assert [(one["id"], one["impact"], [node["html"] for node in one["nodes"]]) for one in found] == []
