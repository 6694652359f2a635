"""The drawing as a vis-network network. The only module that imports pyvis.

pyvis holds nodes, edges and options, and brings vis-network itself. Its own page is not used: it writes a folder into
the current directory, links a content delivery network and does not make names safe.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
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


def build(
    labels: Sequence[str], positions: Sequence[tuple[float, float]], edges: Sequence[tuple[int, int]]
) -> dict[str, Any]:
    """``nodes``, ``edges`` and ``options`` as vis-network takes them; ids are indices into the given sequences."""
    network = Network(directed=True)
    for index, (label, (x, y)) in enumerate(zip(labels, positions, strict=True)):
        network.add_node(index, label=label, shape="custom", group="", x=round(x, 1), y=round(y, 1))
    for index, (parent, child) in enumerate(edges):
        network.add_edge(parent, child, id=index)
    network.set_options(json.dumps(OPTIONS))
    return {"nodes": network.nodes, "edges": network.edges, "options": network.options}


@cache
def library() -> str:
    """The JavaScript of vis-network with its licence notice, without the pointer to a source map that is not there."""
    newest = max(
        (entry for entry in files("pyvis").joinpath("lib").iterdir() if entry.name.startswith("vis-")),
        key=lambda entry: [int(part) for part in entry.name.removeprefix("vis-").split(".")],
    )
    text = newest.joinpath("vis-network.min.js").read_text(encoding="utf-8")
    return "\n".join(line for line in text.split("\n") if not line.startswith("//# sourceMappingURL"))
