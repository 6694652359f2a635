"""Bills of materials, held against the schema of CycloneDX and the model of SPDX by their own libraries."""

import importlib
import json
import sys
from datetime import UTC, datetime

import networkx as nx
import pytest
from cyclonedx.schema import SchemaVersion
from cyclonedx.validation.json import JsonStrictValidator
from spdx_python_model import load_data

from lineage_graph.errors import MissingExtraError
from lineage_graph.render.exports import FORMATS, Options
from lineage_graph.types import LineageGraph
from lineage_graph.visible import visible
from render.lineages import demo, finish, hostile, joined, node

BY_NAME = {item.name: item for item in FORMATS}
MADE = datetime(2024, 1, 1, tzinfo=UTC)
CLAIMS = ("apache-2.0", "MIT OR Apache-2.0", "other", "<b>llama</b> licence", "")
ZOOS = [demo, joined, hostile]


def written(name, lineage):
    return BY_NAME[name].render(lineage, Options(made=MADE))


def bill(lineage):
    return json.loads(written("cyclonedx", lineage))


def claiming():
    """Models that claim a licence, or something like one."""
    graph = nx.DiGraph()
    for number, claim in enumerate(CLAIMS):
        graph.add_node(f"m{number}", **node(f"m{number}", license=claim))
    return finish("claims", graph)


def properties(component):
    return {one["name"]: one["value"] for one in component.get("properties", [])}


@pytest.mark.parametrize("make", [*ZOOS, claiming, lambda: LineageGraph("none", nx.DiGraph())])
def test_the_schema_of_cyclonedx_holds(make):
    validator = JsonStrictValidator(SchemaVersion.V1_6)
    assert validator.validate_str(written("cyclonedx", make())) is None


def test_the_validator_would_find_a_mistake():
    broken = bill(demo())
    broken["components"][0]["modelCard"]["architecture"] = "in the wrong place"
    assert JsonStrictValidator(SchemaVersion.V1_6).validate_str(json.dumps(broken)) is not None


@pytest.mark.parametrize("make", ZOOS, ids=lambda make: make.__name__)
def test_every_model_is_a_component_and_every_edge_a_pedigree(make):
    graph = make().graph
    made = bill(make())
    components = {one["name"]: one for one in made["components"]}
    assert set(components) == {visible(name) for name in graph}
    assert {one["type"] for one in made["components"]} == {"machine-learning-model"}
    refs = {one["bom-ref"]: one["name"] for one in made["components"]}
    found = {
        (refs[properties(ancestor)["lgraph:ref"]], one["name"])
        for one in made["components"]
        for ancestor in one.get("pedigree", {}).get("ancestors", [])
    }
    assert found == {(visible(parent), visible(child)) for parent, child in graph.edges}
    depends = {(refs[on], refs[one["ref"]]) for one in made["dependencies"] for on in one.get("dependsOn", [])}
    assert depends == found


def test_a_component_says_what_is_known():
    components = {one["name"]: one for one in bill(demo())["components"]}
    soup = components["soup"]
    assert soup["hashes"] == [{"alg": "SHA-256", "content": demo().graph.nodes["soup"]["sha256"]}]
    assert soup["modelCard"]["modelParameters"] == {"modelArchitecture": "test_resnet"}
    assert properties(soup["modelCard"])["lgraph:parameters"] == "372810"
    assert properties(soup)["lgraph:role"] == "merge"
    parent = next(one for one in soup["pedigree"]["ancestors"] if one["name"] == "model-a-5")
    assert properties(parent)["lgraph:edge:kind"] == "merge"
    assert properties(parent)["lgraph:edge:confidence"] == "0.97"
    assert json.loads(properties(parent)["lgraph:edge:evidence"])["coverage"] == 0.98
    assert "hashes" not in components["model-f-0"]
    assert properties(components["model-f-0"])["lgraph:role"] == "unseen"
    assert properties(components["broken/evil.pt"])["lgraph:status"] == "UnsafePickleError"


def test_licences_are_identifiers_where_the_claim_is_one():
    found = {one["name"]: one.get("licenses") for one in bill(claiming())["components"]}
    assert found["m0"] == [{"license": {"id": "Apache-2.0"}}]
    assert found["m1"] == [{"expression": "MIT OR Apache-2.0"}]
    assert found["m3"] == [{"license": {"name": "<b>llama</b> licence"}}]
    assert found["m4"] is None


def test_the_serial_number_is_that_of_the_content():
    one, same, other = bill(demo()), bill(demo()), bill(joined())
    assert one["serialNumber"] == same["serialNumber"] != other["serialNumber"]
    assert one["metadata"]["timestamp"] == "2024-01-01T00:00:00+00:00"


@pytest.mark.parametrize("make", [*ZOOS, claiming], ids=lambda make: make.__name__)
def test_the_model_of_spdx_holds(make):
    graph = make().graph
    _, found = load_data(json.loads(written("spdx", make())))
    packages = {one.spdxId: one.name for one in found.foreach_type("ai_AIPackage")}
    assert sorted(packages.values()) == sorted(map(visible, graph))
    descents = {
        (one.to[0].name, one.from_.name)
        for one in found.foreach_type("Relationship")
        if one.relationshipType.endswith("/descendantOf")
    }
    assert descents == {(visible(parent), visible(child)) for parent, child in graph.edges}
    assert len(list(found.foreach_type("Annotation"))) == len(graph) + len(graph.edges)
    assert not found.missing_ids


def test_spdx_says_what_is_known():
    _, found = load_data(json.loads(written("spdx", demo())))
    packages = {one.name: one for one in found.foreach_type("ai_AIPackage")}
    assert packages["soup"].verifiedUsing[0].hashValue == demo().graph.nodes["soup"]["sha256"]
    assert list(packages["soup"].ai_typeOfModel) == ["test_resnet"]
    assert packages["soup"].software_primaryPurpose.endswith("/model")
    told = {one.subject.spdxId: json.loads(one.statement) for one in found.foreach_type("Annotation")}
    assert told[packages["soup"].spdxId]["declared_parents"] == ["model-a-5", "model-b-1"]
    edges = [one for one in found.foreach_type("Relationship") if one.from_ is packages["soup"]]
    assert {told[one.spdxId]["kind"] for one in edges} == {"merge"}
    assert "merge, detected in the weights; confidence 97.0 %, direction 99.0 %" in {one.comment for one in edges}


def test_claims_of_a_licence_are_declared_licences():
    _, found = load_data(json.loads(written("spdx", claiming())))
    declared = {
        one.from_.name: one.to[0].simplelicensing_licenseExpression
        for one in found.foreach_type("Relationship")
        if one.relationshipType.endswith("/hasDeclaredLicense")
    }
    assert declared == {
        "m0": "Apache-2.0",
        "m1": "MIT OR Apache-2.0",
        "m2": "LicenseRef-other",
        "m3": "LicenseRef--b-llama-b-licence",
    }


@pytest.mark.parametrize(("name", "module"), [("cyclonedx", "cyclonedx"), ("spdx", "spdx_python_model")])
def test_without_the_extra_the_line_that_installs_it_is_said(name, module, monkeypatch):
    monkeypatch.setitem(sys.modules, module, None)
    with pytest.raises(MissingExtraError, match=r"pip install 'lgraph\[sbom\]'"):
        written(name, demo())
    assert importlib.import_module("lineage_graph.render.exports")
