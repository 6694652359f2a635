"""CycloneDX 1.6 (ML-BOM): a component for each model, with its digest, model card, licence and pedigree.

``pedigree.ancestors`` of a component holds the parents that were detected in the weights; each carries the facts of the
edge as properties ``lgraph:edge:…``, and in ``lgraph:ref`` the ``bom-ref`` of the parent's own component, where its own
ancestors are. The same edges are the graph of dependencies. The serial number is that of the content: the same graph
has the same one. Specification: https://cyclonedx.org/docs/1.6/json/
"""

from __future__ import annotations

import json
from typing import Any

from lineage_graph import __version__
from lineage_graph.checkpoints.extras import require
from lineage_graph.render.exports import Options
from lineage_graph.render.exports.properties import content_uuid, sha256, texts
from lineage_graph.render.ids import distinct
from lineage_graph.render.order import node_order
from lineage_graph.types import LineageGraph
from lineage_graph.visible import visible

ELSEWHERE = frozenset(["label", "sha256", "license", "architecture", "parameters", "features"])
"""Facts of a model that have a place of their own in a component, and are no properties."""


def render(lineage: LineageGraph, options: Options) -> str:
    """The bill of materials as JSON text. Raises ``MissingExtraError`` without the library that writes it."""
    require("cyclonedx", "sbom", "CycloneDX", "writing")
    from cyclonedx.output.json import JsonV1Dot6

    document = json.loads(JsonV1Dot6(_bom(lineage, options)).output_as_string())
    cards = {ref: _card(lineage.graph.nodes[node]) for node, ref in _refs(lineage).items()}
    for component in document.get("components", []):
        # The library has no model cards yet: https://github.com/CycloneDX/cyclonedx-python-lib/pull/914
        component["modelCard"] = cards[component["bom-ref"]]
    return json.dumps(document, indent=1) + "\n"


def _refs(lineage: LineageGraph) -> dict[str, str]:
    return {node: f"model:{name}" for node, name in distinct(node_order(lineage.graph)).items()}


def _bom(lineage: LineageGraph, options: Options) -> Any:
    from cyclonedx.model import Property
    from cyclonedx.model.bom import Bom, BomMetaData
    from cyclonedx.model.component import Component, ComponentType
    from cyclonedx.model.dependency import Dependency
    from cyclonedx.model.tool import ToolRepository

    graph, refs = lineage.graph, _refs(lineage)
    components = {node: _component(lineage, node, refs) for node in refs}
    tool = Component(type=ComponentType.APPLICATION, name="lgraph", version=__version__)
    return Bom(
        serial_number=content_uuid(lineage),
        metadata=BomMetaData(
            tools=ToolRepository(components=[tool]),
            timestamp=options.made,
            properties=[Property(name="lgraph:zoo", value=visible(lineage.name))],
        ),
        components=components.values(),
        dependencies=[
            Dependency(made.bom_ref, [Dependency(components[parent].bom_ref) for parent in graph.predecessors(node)])
            for node, made in components.items()
        ],
    )


def _component(lineage: LineageGraph, node: str, refs: dict[str, str]) -> Any:
    from cyclonedx.contrib.license.factories import LicenseFactory
    from cyclonedx.model.component import Pedigree

    graph = lineage.graph
    facts = graph.nodes[node]
    made = _named(facts, node, refs[node])
    made.properties.update(_properties("lgraph:", {k: v for k, v in facts.items() if k not in ELSEWHERE}))
    if facts.get("license"):
        made.licenses.add(LicenseFactory().make_from_string(visible(facts["license"])))
    parents = sorted(graph.predecessors(node))
    if parents:
        made.pedigree = Pedigree(ancestors=[_ancestor(graph, parent, node, refs[parent]) for parent in parents])
    return made


def _ancestor(graph: Any, parent: str, child: str, ref: str) -> Any:
    """The parent as the child's pedigree has it, with what is known of the edge."""
    made = _named(graph.nodes[parent], parent)
    made.properties.update(_properties("lgraph:", {"ref": ref, "role": graph.nodes[parent]["role"]}))
    made.properties.update(_properties("lgraph:edge:", graph.edges[parent, child]))
    return made


def _named(facts: dict[str, Any], node: str, ref: str | None = None) -> Any:
    from cyclonedx.model import HashAlgorithm, HashType
    from cyclonedx.model.component import Component, ComponentType

    digest = sha256(facts)
    return Component(
        type=ComponentType.MACHINE_LEARNING_MODEL,
        name=visible(node),
        bom_ref=ref,
        hashes=[HashType(alg=HashAlgorithm.SHA_256, content=digest)] if digest else [],
    )


def _properties(prefix: str, facts: dict[str, Any]) -> list[Any]:
    from cyclonedx.model import Property

    return [Property(name=prefix + name, value=text) for name, text in texts(facts)]


def _card(facts: dict[str, Any]) -> dict[str, Any]:
    """What the weights say of a model; the rest of a model card is for people to write."""
    architecture = visible(facts["architecture"])
    card: dict[str, Any] = {"modelParameters": {"modelArchitecture": architecture} if architecture else {}}
    known = {"parameters": facts["parameters"], "features": facts["features"]}
    card["properties"] = [{"name": f"lgraph:{name}", "value": text} for name, text in texts(known)]
    return card
