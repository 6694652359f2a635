"""The page's bench at a small size; its figures are printed, not tested."""

import shutil
import sys

import pytest

from lineage_graph.bench import browser, page
from lineage_graph.errors import MissingExtraError
from lineage_graph.types import silent


@pytest.mark.skipif(shutil.which("chromium") is None, reason="no chromium on this machine")
def test_every_size_is_opened_dragged_and_filtered_in_every_view(monkeypatch, tmp_path):
    monkeypatch.setattr("lineage_graph.render.folding.FOLDED", 50)
    monkeypatch.setattr(page, "ROUNDS", 1)
    monkeypatch.setattr(browser, "STEPS", 4)
    monkeypatch.setenv(page.VARIABLE, "40 80")
    rows = [line.split(" | ") for line in page.run(tmp_path, silent).splitlines() if line.startswith("| ")]
    assert [row[0].strip("| ") for row in rows if row[0].strip("| ").isdigit()] == [
        "0",
        "40",
        "80",
        *["40"] * 2,
        *["80"] * 3,
    ]
    assert [row[1] for row in rows[-3:]] == ["tree", "tree, largest family open", "ring"]


def test_without_playwright_the_line_that_installs_it_is_said(monkeypatch, tmp_path):
    monkeypatch.setitem(sys.modules, "playwright.sync_api", None)
    with pytest.raises(MissingExtraError, match=r"pip install 'lgraph\[page\]'"):
        page.run(tmp_path, silent)
