"""SPDX 3.0.1 as JSON-LD, with the classes of its AI profile: an ``AIPackage`` for each model.

A child is ``descendantOf`` its parents, a relationship for each edge; the facts of an edge, and those of a model that
have no place of their own, are JSON in an annotation. The document says that it conforms to the profiles core, software
and simpleLicensing. Of the profile AI it cannot say so: version 3.0.1 asks each package for a supplier, a time of
release, a version, an address to load it from and a concluded licence; weights tell none of these, and there is no
value for a time that nobody knows. The version to come drops all five
(https://github.com/spdx/spdx-3-model/pull/1158). The identifiers are made of the content: the same graph has the same
ones.
Specification: https://spdx.github.io/spdx-spec/v3.0.1/
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from typing import Any

from lineage_graph import __version__
from lineage_graph.checkpoints.extras import require
from lineage_graph.render.exports import Options
from lineage_graph.render.exports.properties import content_uuid, sha256, texts
from lineage_graph.render.order import edge_order, node_order
from lineage_graph.render.reading import is_open
from lineage_graph.render.schema import jsonable
from lineage_graph.render.text import percent
from lineage_graph.types import LineageGraph
from lineage_graph.visible import visible

ELSEWHERE = frozenset(["label", "sha256", "license", "architecture"])
"""Facts of a model that have a place of their own in a package."""


def render(lineage: LineageGraph, options: Options) -> str:
    """The document as JSON-LD text. Raises ``MissingExtraError`` without the library that writes it."""
    for module in ("spdx_python_model", "cyclonedx"):
        require(module, "sbom", "SPDX", "writing")
    from spdx_python_model import v3_0_1 as spdx

    base = f"urn:uuid:{content_uuid(lineage)}"
    info = spdx.CreationInfo(_id="_:creation", specVersion="3.0.1", created=options.made)
    agent = _made(spdx.SoftwareAgent, f"{base}#lgraph", info, name=f"lgraph {__version__}")
    info.createdBy = [agent]
    elements = [agent, *_elements(spdx, lineage, base, info)]
    name = {"name": visible(lineage.name)} if lineage.name else {}
    document = _made(spdx.SpdxDocument, f"{base}#document", info, **name)
    document.profileConformance = [
        getattr(spdx.ProfileIdentifierType, profile) for profile in ("core", "software", "simpleLicensing")
    ]
    document.element = elements
    document.rootElement = [element for element in elements if isinstance(element, spdx.ai_AIPackage)] or [agent]
    whole = spdx.SHACLObjectSet([document, *elements])
    text = json.dumps(spdx.JSONLDSerializer().serialize_data(whole, force_at_graph=True), indent=1)
    return f"{text}\n"


def _elements(spdx: Any, lineage: LineageGraph, base: str, info: Any) -> Iterator[Any]:
    graph = lineage.graph
    packages = {}
    for number, node in enumerate(node_order(graph)):
        facts = graph.nodes[node]
        packages[node] = package = _package(spdx, node, facts, f"{base}#model-{number}", info)
        yield package
        yield _annotation(spdx, package, {k: v for k, v in facts.items() if k not in ELSEWHERE}, info)
        if facts.get("license"):
            yield from _licence(spdx, package, visible(facts["license"]), info)
    for number, (parent, child) in enumerate(edge_order(graph)):
        edge = graph.edges[parent, child]
        related = _made(spdx.Relationship, f"{base}#edge-{number}", info, comment=_sentence(edge))
        related.from_, related.to = packages[child], [packages[parent]]
        related.relationshipType = spdx.RelationshipType.descendantOf
        yield related
        yield _annotation(spdx, related, edge, info)


def _package(spdx: Any, node: str, facts: Mapping[str, Any], ref: str, info: Any) -> Any:
    made = _made(spdx.ai_AIPackage, ref, info, name=visible(node))
    made.software_primaryPurpose = spdx.software_SoftwarePurpose.model
    if facts["architecture"]:
        made.ai_typeOfModel = [visible(facts["architecture"])]
    if digest := sha256(facts):
        made.verifiedUsing = [spdx.Hash(algorithm=spdx.HashAlgorithm.sha256, hashValue=digest)]
    if facts["role"] == "unseen":
        made.comment = "not in the zoo: an ancestor that is inferred from its descendants"
    return made


def _licence(spdx: Any, package: Any, claim: str, info: Any) -> Iterator[Any]:
    """The licence that the model claims, and that it claims it."""
    ref = package.spdxId
    licence = _made(spdx.simplelicensing_LicenseExpression, f"{ref}-licence", info, name=claim)
    licence.simplelicensing_licenseExpression = _expression(claim)
    declared = _made(spdx.Relationship, f"{ref}-declares", info)
    declared.from_, declared.to = package, [licence]
    declared.relationshipType = spdx.RelationshipType.hasDeclaredLicense
    yield from (licence, declared)


def _expression(claim: str) -> str:
    """A claim as a licence expression: an identifier of the list, an expression, or a reference of its own."""
    from cyclonedx.spdx import fixup_id, is_expression

    known = fixup_id(claim) or (claim if is_expression(claim) else "")
    return known or f"LicenseRef-{re.sub(r'[^A-Za-z0-9.-]+', '-', claim)}"


def _annotation(spdx: Any, subject: Any, facts: Mapping[str, Any], info: Any) -> Any:
    told = {name: facts[name] for name, _ in texts(facts)}
    made = _made(spdx.Annotation, f"{subject.spdxId}-facts", info)
    made.subject, made.annotationType = subject, spdx.AnnotationType.other
    made.contentType, made.statement = "application/json", json.dumps(jsonable(told))
    return made


def _made(kind: Any, ref: str, info: Any, **fields: str) -> Any:
    return kind(spdxId=ref, creationInfo=info, **fields)


def _sentence(edge: Mapping[str, Any]) -> str:
    direction = "direction open" if is_open(edge) else f"direction {percent(edge['direction_confidence'])}"
    return f"{visible(edge['kind'])}, detected in the weights; confidence {percent(edge['confidence'])}, {direction}"
