"""Lineage graphs of any size as a build would give them: the pedigrees of :mod:`lineage_graph.bench.populations`, with
invented facts and values. For measuring what is made of a graph, not how right it is.
"""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from lineage_graph.bench import populations
from lineage_graph.render.meanings import MEANINGS
from lineage_graph.types import LineageGraph

if TYPE_CHECKING:
    import networkx as nx

SIGNALS = tuple(name for name in MEANINGS if "." not in name)[:22]
CUES = ("direction.norm_growth", "direction.kurtosis_growth", "direction.init_drift", "direction.rank_loss")
BLOCKS = 12
LICENSES = ("apache-2.0", "mit", "llama3", "cc-by-nc-4.0", "")


def lineage(models: int, workdir: Path, seed: int = 0) -> LineageGraph:
    """A graph of so many models. ``workdir`` needs 2 KiB of room for each of them meanwhile."""
    import networkx as nx

    dice = np.random.default_rng(seed)
    with tempfile.TemporaryDirectory(dir=workdir) as folder:
        made = populations.make(models, Path(folder), seed)
        parents, children = made.edges()
        signature = made.signature.copy()
        del made
    names = [f"lab-{dice.integers(400):03}/model-{number:06}" for number in range(models)]
    graph: nx.DiGraph[str] = nx.DiGraph()
    for name, shape in zip(names, signature.tolist(), strict=True):
        graph.add_node(name, **_facts(name, shape, dice))
    several = np.bincount(children, minlength=models) > 1
    for parent, child in zip(parents.tolist(), children.tolist(), strict=True):
        graph.add_edge(names[parent], names[child], **_edge("merge" if several[child] else "finetune", dice))
    _place(graph)
    return LineageGraph(f"planted-{models}", graph)


def _facts(name: str, shape: int, dice: np.random.Generator) -> dict[str, Any]:
    return {
        "label": name,
        "architecture": f"architecture_{shape}",
        "parameters": 1_000_000 + 7919 * shape,
        "format": "safetensors",
        "source": f"hub:{name}",
        "sha256": dice.bytes(32).hex(),
        "declared_parents": [],
        "features": f"architecture_{shape} 3x224x224; 2 head left out (head.bias, head.weight)",
        "weights": "",
        "license": LICENSES[int(dice.integers(len(LICENSES)))],
        "created": f"202{dice.integers(6)}-{dice.integers(1, 13):02}-{dice.integers(1, 29):02}",
        "library": "transformers",
        "audit": "",
        "status": "ok",
        "message": "",
        "origins": [],
    }


def _edge(kind: str, dice: np.random.Generator) -> dict[str, Any]:
    values = iter(dice.random(len(SIGNALS) + len(CUES) + BLOCKS + 3).tolist())
    return {
        "kind": kind,
        "confidence": 0.5 + next(values) / 2,
        "direction_confidence": 0.5 + next(values) / 2,
        "distance": next(values),
        "evidence": {name: next(values) for name in (*SIGNALS, *CUES)},
        "declared": "absent",
        "layers": [],
        "conflict": "",
        "by_block": {f"blocks.{block}": next(values) for block in range(BLOCKS)},
    }


def _place(graph: nx.DiGraph[str]) -> None:
    """Families from the largest on, generations and roles."""
    import networkx as nx

    whole = sorted(nx.weakly_connected_components(graph), key=lambda members: (-len(members), min(members)))
    for number, members in enumerate(whole, start=1):
        for node in members:
            graph.nodes[node]["family"] = number
    for node in nx.topological_sort(graph):
        above = [graph.nodes[parent]["generation"] for parent in graph.predecessors(node)]
        first = "root" if graph.out_degree(node) else "isolated"
        graph.nodes[node]["role"] = first if not above else "child" if len(above) == 1 else "merge"
        graph.nodes[node]["generation"] = 1 + max(above, default=0)
