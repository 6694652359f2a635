"""What ``lineage.html`` weighs and how fast it answers, for 300, 5,000 and 50,000 models: ``lgraph bench page``.

Planted lineages (:mod:`lineage_graph.bench.planted`) as pages in headless Chromium, each beside the page of an empty
zoo: what that costs is vis-network and our own script. ``LGRAPH_PAGE_MODELS`` names other sizes, as in ``"300 5000"``.
"""

from __future__ import annotations

import os
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from lineage_graph.bench import browser
from lineage_graph.bench.markdown import table
from lineage_graph.bench.planted import lineage
from lineage_graph.render import RENDERERS
from lineage_graph.types import LineageGraph, Progress, RunRecord

SIZES = (300, 5_000, 50_000)

VARIABLE = "LGRAPH_PAGE_MODELS"

ROUNDS = 5
"""Times that each page is opened."""


@dataclass(frozen=True, slots=True)
class Costs:
    """``weight``: of the page, in bytes. ``written``: seconds of the processor. All other times in milliseconds;
    ``views``: by what is looked at, from frame to frame while it is dragged, median and 95 %, and a filter.
    """

    models: int
    edges: int
    weight: int
    written: float
    drawn: float
    views: dict[str, tuple[float, float, float]]


def run(workdir: Path, progress: Progress) -> str:
    """All tables. Raises ``MissingExtraError`` without Playwright."""
    sizes = [int(size) for size in os.environ.get(VARIABLE, "").split()] or list(SIZES)
    found = []
    with browser.chromium() as chromium:
        for done, size in enumerate([0, *sizes]):
            progress("page", done, len(sizes) + 1)
            found.append(_measured(chromium, lineage(size, workdir) if size else _empty(), workdir))
    progress("page", len(sizes) + 1, len(sizes) + 1)
    return report(found)


def _empty() -> LineageGraph:
    import networkx as nx

    return LineageGraph("empty", nx.DiGraph())


def _measured(chromium: Any, made: LineageGraph, workdir: Path) -> Costs:
    start = time.process_time()
    text = RENDERERS[0].render(made, RunRecord("", {}, {}, {}, ()))
    written = time.process_time() - start
    file = workdir / "lineage.html"
    file.write_text(text, encoding="utf-8")
    drawn = browser.first_drawing(chromium, file, ROUNDS)
    views = {}
    for name, fragment in _looks(made).items():
        with browser.opened(chromium, file, fragment) as page:
            views[name] = (*browser.panning(page), browser.filtering(page))
    return Costs(len(made.graph), made.graph.number_of_edges(), file.stat().st_size, written, drawn, views)


def _looks(made: LineageGraph) -> dict[str, str]:
    """What is looked at, as fragments of the page's address."""
    if not made.graph:
        return {}
    from lineage_graph.render.folding import is_folded

    opened = {"tree, largest family open": "#open=1"} if is_folded(made.graph) else {}
    return {"tree": "", **opened, "ring": "#view=ring"}


def report(found: list[Costs]) -> str:
    """The tables; the first of ``found`` is the empty zoo."""
    empty, *others = found
    opening = [
        [
            f"{one.models:,}",
            f"{one.edges:,}",
            one.weight / 1e6,
            one.weight / empty.weight,
            round(one.drawn),
            one.drawn / empty.drawn,
            one.written,
        ]
        for one in found
    ]
    titles = [
        "models",
        "edges",
        "page, MB",
        "÷ empty",
        "first drawing, ms",
        "÷ empty",
        "written in, CPU s",
    ]
    moving = [
        [f"{one.models:,}", name, *(round(value, 1) for value in values), values[2] / others[0].views[_plain(name)][2]]
        for one in others
        for name, values in one.views.items()
    ]
    looks = ["models", "view", "frame while dragging, ms", "95 % below", "filter to picture, ms", "÷ fewest models"]
    load = f"Load average at the end: {os.getloadavg()[0]:.1f} on {os.cpu_count()} cores."
    return f"{load}\n\nOpening.\n\n{table(titles, opening)}\nMoving.\n\n{table(looks, moving)}"


def _plain(view: str) -> str:
    return view.split(",", maxsplit=1)[0]
