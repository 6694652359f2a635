"""A page in headless Chromium, and what opening and moving it costs."""

from __future__ import annotations

import shutil
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from statistics import median, quantiles
from typing import Any

from lineage_graph.checkpoints.extras import require
from lineage_graph.errors import LineageGraphError, MissingExtraError

FLAGS = """--headless --no-sandbox --disable-gpu --disable-quic --no-first-run --disable-background-networking
--disable-component-update --disable-sync""".split()

VIEWPORT = {"width": 1600, "height": 900}

DRAWN = "performance.getEntriesByName('lineage-drawn')"

FRAMES = """() => { window.frames_ = []; let before = null;
    const step = (now) => { if (before !== null) frames_.push(now - before); before = now;
        window.frame_ = requestAnimationFrame(step); };
    window.frame_ = requestAnimationFrame(step); }"""

FLUSHED = """(title) => { const canvas = [...document.querySelectorAll('.view:not([hidden]) canvas')].at(-1);
    const group = [...document.querySelectorAll('#filters fieldset')].find((one) => one.textContent.startsWith(title));
    const start = performance.now(); group.querySelector('input').click();
    canvas.getContext('2d').getImageData(0, 0, 1, 1); return performance.now() - start; }"""
"""The time of a click, with what it paints: reading a pixel waits for that."""

STEPS = 60
"""Moves of the pointer in one drag."""


@contextmanager
def chromium() -> Iterator[Any]:
    """The system's Chromium, or Playwright's own. Raises ``MissingExtraError`` where there is neither, or no
    Playwright.
    """
    require("playwright.sync_api", "page", "the page's bench", "opening a browser")
    from playwright.sync_api import Error, sync_playwright

    with sync_playwright() as playwright:
        try:
            browser = playwright.chromium.launch(executable_path=shutil.which("chromium"), args=FLAGS)
        except Error as error:
            raise MissingExtraError("the page's bench: it needs Chromium; run: playwright install chromium") from error
        yield browser
        browser.close()


@contextmanager
def opened(browser: Any, file: Path, fragment: str = "") -> Iterator[Any]:
    """The page from disk in a context of its own, drawn."""
    context = browser.new_context(viewport=VIEWPORT)
    page = context.new_page()
    page.goto(file.as_uri() + fragment, timeout=120_000)
    if not page.evaluate(f"{DRAWN}.length"):
        raise LineageGraphError(f"{file}: the page loaded but drew nothing")
    yield page
    context.close()


def first_drawing(browser: Any, file: Path, rounds: int) -> float:
    """Milliseconds from the start of opening the page to its first drawing: the best, as others use the machine too."""
    found = []
    for _ in range(rounds):
        with opened(browser, file) as page:
            found.append(float(page.evaluate(f"{DRAWN}[0].startTime")))
    return min(found)


def panning(page: Any, across: int = 500) -> tuple[float, float]:
    """Milliseconds from frame to frame while the picture is dragged: the median, and what 95 % stay below."""
    frame = page.locator(".view:visible").bounding_box()
    x, y = frame["x"] + frame["width"] / 2, frame["y"] + frame["height"] - 12
    page.mouse.move(x, y)
    page.mouse.down()
    page.evaluate(FRAMES)
    for step in range(STEPS):
        page.mouse.move(x + across * (step + 1) / STEPS * (-1) ** (step // 20), y - 2 * step)
        time.sleep(0.016)
    found = page.evaluate("() => { cancelAnimationFrame(frame_); return frames_; }")
    page.mouse.up()
    return median(found), quantiles(found, n=20)[-1]


def filtering(page: Any) -> float:
    """Milliseconds from a click on the most frequent licence to the picture of what has it, or of all again; the median
    of ten clicks.
    """
    page.click("#filter")
    return median(float(page.evaluate(FLUSHED, "Licence")) for _ in range(10))
