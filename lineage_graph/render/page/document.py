"""The page put together: our template, our script, vis-network and the data, under a strict security policy.

The policy allows the two scripts and the style sheet by their hashes and nothing else: no request leaves the page, and
markup that came in with a name could not run even if it got that far.
Source: https://www.w3.org/TR/CSP3/
"""

from __future__ import annotations

import base64
import hashlib
import json
from importlib.resources import files
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined

from lineage_graph.render.page import network
from lineage_graph.render.page.data import page_data
from lineage_graph.types import LineageGraph, RunRecord

SCRIPTS = (
    "data.js",
    "state.js",
    "shown.js",
    "folds.js",
    "dom.js",
    "colours.js",
    "theme.js",
    "views.js",
    "paint.js",
    "ways.js",
    "labels.js",
    "tree.js",
    "cards.js",
    "backdrop.js",
    "camera.js",
    "copying.js",
    "facts.js",
    "origins.js",
    "parts.js",
    "evidence.js",
    "selection.js",
    "audit.js",
    "panel.js",
    "search.js",
    "facets.js",
    "foldpanel.js",
    "legend.js",
    "keyboard.js",
    "treeview.js",
    "ring.js",
    "ringpaint.js",
    "ringlayer.js",
    "ringlegend.js",
    "ringview.js",
    "table.js",
    "toolbar.js",
    "picture.js",
    "saving.js",
    "address.js",
    "main.js",
)
"""The page's script in the order in which its parts build on each other; together they are one function."""


STYLES = ("base.css", "controls.css", "views.css", "panel.css", "table.css", "media.css")
"""The style sheet in the order of its rules: what fits it to screens and paper comes last."""


def render(lineage: LineageGraph, run: RunRecord) -> str:
    """The whole page as text."""
    data = page_data(lineage, run)
    style, script, library = stylesheet(), _script(), network.library()
    environment = Environment(
        loader=PackageLoader("lineage_graph.render.page", ""),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    return environment.get_template("page.html.j2").render(
        name=data["name"],
        version=data["version"],
        stats=data["stats"],
        left=data["left"],
        policy=_policy([library, script], style),
        style=style,
        library=library,
        script=script,
        data=embed(data),
    )


def embed(value: Any) -> str:
    r"""``value`` as JSON that is safe inside a script element: ASCII, with ``<``, ``>`` and ``&`` as ``\u`` escapes.

    So are U+2028 and U+2029, which older JavaScript takes for line ends.
    """
    text = json.dumps(value, separators=(",", ":"), allow_nan=False)
    return text.replace("<", "\\u003c").replace(">", "\\u003e").replace("&", "\\u0026")


def _asset(name: str) -> str:
    return files("lineage_graph.render.page").joinpath(name).read_text(encoding="utf-8")


def stylesheet() -> str:
    """All rules of the page."""
    return "\n".join(_asset(f"css/{name}") for name in STYLES)


def _script() -> str:
    parts = "\n".join(_asset(f"js/{name}") for name in SCRIPTS)
    return f'(() => {{\n"use strict";\n{parts}}})();\n'


def _policy(scripts: list[str], style: str) -> str:
    allowed = " ".join(map(_hash, scripts))
    return "; ".join(
        (
            "default-src 'none'",
            f"script-src {allowed}",
            f"style-src {_hash(style)}",
            "img-src data:",
            "base-uri 'none'",
            "form-action 'none'",
        )
    )


def _hash(text: str) -> str:
    return f"'sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}'"
