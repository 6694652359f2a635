"""The drawing as a vis-network network. The only module that imports pyvis.

pyvis holds the options and brings vis-network itself. Its own page is not used: it writes a folder into
the current directory, links a content delivery network and does not make names safe.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from functools import cache
from importlib.resources import files
from typing import Any

from pyvis.network import Network

OPTIONS: Mapping[str, Any] = {
    "autoResize": True,
    "layout": {"improvedLayout": False, "hierarchical": {"enabled": False}},
    "physics": {"enabled": False},
    "interaction": {
        "dragNodes": False,
        "hover": True,
        "tooltipDelay": 0,
    },
    "nodes": {"shape": "custom", "size": 10},
}


def options() -> dict[str, Any]:
    """The options as vis-network takes them. Models and edges bypass pyvis, which looks through all for each."""
    network = Network(directed=True)
    network.set_options(json.dumps(OPTIONS))
    found: dict[str, Any] = network.options
    return found


@cache
def library() -> str:
    """The JavaScript of vis-network with its licence notice, without the pointer to a source map that is not there."""
    newest = max(
        (entry for entry in files("pyvis").joinpath("lib").iterdir() if entry.name.startswith("vis-")),
        key=lambda entry: [int(part) for part in entry.name.removeprefix("vis-").split(".")],
    )
    text = newest.joinpath("vis-network.min.js").read_text(encoding="utf-8")
    return "\n".join(line for line in text.split("\n") if not line.startswith("//# sourceMappingURL"))
