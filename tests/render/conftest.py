"""The system's Chromium, for the tests that open the page."""

import shutil
from dataclasses import dataclass, field

import pytest

from lineage_graph.render import RENDERERS
from render.lineages import run_record

FLAGS = """--headless --no-sandbox --disable-gpu --disable-quic --no-first-run --disable-background-networking
--disable-component-update --disable-sync""".split()


@dataclass
class Visit:
    """An open page with everything that it did besides being looked at."""

    page: object
    requests: list = field(default_factory=list)
    complaints: list = field(default_factory=list)
    dialogs: list = field(default_factory=list)

    def spot(self, name):
        """Where a model is in the window, in pixels."""
        box = next(box for box in self.page.evaluate("lineage.boxes()") if box["name"] == name)
        return self._in_window(box)

    def edge_spot(self, parent, child):
        """Where the middle of the first part of an edge is in the window, in pixels."""
        script = """([parent, child]) => lineage.points(lineage.edges.find((edge) =>
            lineage.models[edge.from].name === parent && lineage.models[edge.to].name === child).id)[16]"""
        return self._in_window(self.page.evaluate(script, [parent, child]))

    def _in_window(self, spot):
        frame = self.page.locator("#graph").bounding_box()
        return spot["x"] + frame["x"], spot["y"] + frame["y"]

    def pixel(self, name):
        """The colour in the middle of a model, as red, green, blue."""
        script = """([name]) => {
            const box = lineage.boxes().find((box) => box.name === name);
            const canvas = document.querySelector("#graph canvas");
            const ratio = canvas.width / canvas.clientWidth;
            return [...canvas.getContext("2d").getImageData(box.x * ratio, box.y * ratio, 1, 1).data].slice(0, 3);
        }"""
        return tuple(self.page.evaluate(script, [name]))

    def quiet(self):
        """Did the page ask for nothing but itself, and report nothing?"""
        return len(self.requests) == 1 and not self.complaints and not self.dialogs


@pytest.fixture(scope="session")
def chromium():
    """One browser for all tests."""
    executable = shutil.which("chromium")
    if executable is None:
        pytest.skip("no chromium on this machine: the page is not opened")
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=executable, args=FLAGS)
        yield browser
        browser.close()


@pytest.fixture
def visit(chromium, tmp_path):
    """Render a lineage, open its page from disk, wait for the first drawing. ``trusting``: without its policy."""
    contexts = []

    def open_page(lineage, width=1440, height=900, scheme="light", fragment="", trusting=False):
        file = tmp_path / f"{len(contexts)}.html"
        file.write_text(RENDERERS[0].render(lineage, run_record(lineage)), encoding="utf-8")
        viewport = {"width": width, "height": height}
        context = chromium.new_context(viewport=viewport, color_scheme=scheme, bypass_csp=trusting)
        contexts.append(context)
        seen = Visit(context.new_page())
        seen.page.on("request", lambda request: seen.requests.append(request.url))
        seen.page.on("console", lambda message: seen.complaints.append(message.text))
        seen.page.on("pageerror", lambda error: seen.complaints.append(str(error)))
        seen.page.on("dialog", lambda dialog: (seen.dialogs.append(dialog.message), dialog.dismiss()))
        seen.page.goto(file.as_uri() + fragment)
        seen.page.wait_for_function("performance.getEntriesByName('lineage-drawn').length === 1")
        return seen

    yield open_page
    for context in contexts:
        context.close()
