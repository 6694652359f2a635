"""A lineage graph in the formats of other tools: pure functions from the graph to text or bytes.

``FORMATS`` is the whole list of what ``lgraph export`` writes. What each format needs is imported when it runs, so that
the list itself costs nothing. Every format carries the attributes of the contract, in the common order: the same graph
and options give the same bytes.
"""

from __future__ import annotations

import importlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from lineage_graph.types import LineageGraph

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Options:
    """What a user may ask of an export besides its format; a format reads the fields that it ``takes``.

    ``part``: which of a format's ``parts``. ``made``: when the graph was made, for formats that say so (a moment of its
    own would differ at each export). Of figures: ``view``, ``tree`` or ``ring``; ``columns``, 1 or 2, the width in a
    paper; ``theme``, ``light`` or ``dark``.
    """

    part: str = ""
    made: datetime = EPOCH
    view: str = "tree"
    columns: int = 2
    theme: str = "light"


@dataclass(frozen=True, slots=True)
class Format:
    """One format. ``module``: where its function ``render(lineage, options)`` is, which gives text (UTF-8 encodable),
    or bytes where ``binary``. ``about``: one line for the help. ``takes``: the fields of :class:`Options` that a user
    may set. ``parts``: the files that the format consists of, where it is more than one: file name by part.
    """

    name: str
    module: str
    about: str
    binary: bool = False
    takes: frozenset[str] = frozenset()
    parts: Mapping[str, str] | None = None

    def render(self, lineage: LineageGraph, options: Options) -> str | bytes:
        """The file's text or bytes. Raises :class:`~lineage_graph.errors.LineageGraphError` where the graph is more
        than the format can hold, and ``MissingExtraError`` where its library is not installed.
        """
        render: Callable[[LineageGraph, Options], Any] = importlib.import_module(self.module).render
        made: str | bytes = render(lineage, options)
        return made


_HERE = "lineage_graph.render.exports"
_FIGURE = frozenset(["view", "columns", "theme"])

FORMATS: tuple[Format, ...] = (
    Format("graphml", f"{_HERE}.graphml", "for Gephi, yEd, Cytoscape, networkx and igraph"),
    Format("gexf", f"{_HERE}.gexf", "for Gephi: types, labels and weights as it expects them"),
    Format("dot", f"{_HERE}.dot", "for Graphviz: drawn with dot -Tsvg"),
    Format("json", f"{_HERE}.node_link", "node-link JSON, as in lineage.json: for networkx and d3"),
    Format(
        "csv",
        f"{_HERE}.csv_tables",
        "two tables, nodes and edges: for spreadsheets, pandas and Gephi",
        takes=frozenset(["part"]),
        parts={"nodes": "nodes.csv", "edges": "edges.csv"},
    ),
    Format("mermaid", f"{_HERE}.mermaid", "small graphs, drawn by forges and editors inside Markdown"),
    Format("cyclonedx", f"{_HERE}.cyclonedx", "an ML-BOM of CycloneDX 1.6: digests, model cards, pedigrees"),
    Format("spdx", f"{_HERE}.spdx", "SPDX 3.0.1 with the classes of its AI profile, as JSON-LD"),
    Format("svg", f"{_HERE}.svg", "a figure for a paper: the tree, or the ring", takes=_FIGURE),
    Format("png", f"{_HERE}.png", "the same figure at 300 dots per inch", binary=True, takes=_FIGURE),
)
