"""Adapters alone: a declared base is checked by its shapes, and nothing is drawn without a declaration."""

import json
from pathlib import Path

import numpy as np
import pytest
from safetensors.numpy import save_file

from fingerprints import model
from lineage_graph.adapters import declared
from lineage_graph.build import BuildSettings, build
from lineage_graph.declared import with_claims
from lineage_graph.manifest import load
from lineage_graph.scoring import DECLARED_ADAPTER
from lineage_graph.sources.base import LocatedModel


def normal(seed, *shape):
    return np.random.default_rng(seed).standard_normal(shape).astype(np.float32)


def net(seed, width=24):
    shapes = {"blocks.0.attn.qkv": (3 * width, width), "blocks.0.mlp.fc1": (32, width), "head": (5, width)}
    return {f"{name}.weight": normal(seed, *shape) for name, shape in shapes.items()}


def lora(seed=9, width=24, rank=2, infix=""):
    state = {"base_model.model.head.weight": normal(seed, 7, width)}
    for name, units in (("attn.qkv", 3 * width), ("mlp.fc1", 32)):
        stem = f"base_model.model.blocks.0.{name}"
        state[f"{stem}.lora_A{infix}.weight"] = normal(seed, rank, width)
        state[f"{stem}.lora_B{infix}.weight"] = normal(seed + 1, units, rank) / 100
    return state


def fit(base, adapter):
    return [pair.signals["shapes_fit"] for pair in declared([model("base", base), adapter_of(adapter)])]


def adapter_of(state):
    return model("adapter", state, declared_parents=("base", "elsewhere"))


@pytest.mark.parametrize("infix", ["", ".default"])
def test_a_declared_base_is_checked_layer_by_layer(infix):
    adapter = lora(infix=infix)
    assert fit(net(0), adapter) == [1]
    assert fit({f"model.{name}": w for name, w in net(0).items()}, adapter) == [1]
    assert fit({name: w.T for name, w in net(0).items()}, adapter) == [1]
    assert fit(net(0, width=32), adapter) == [0]
    assert fit(net(0) | {"blocks.0.mlp.fc1.weight": normal(1, 40, 24)}, adapter) == [0.5]


def test_what_holds_weights_of_its_own_is_no_adapter_alone():
    wrapped = lora() | {"base_model.model.blocks.0.attn.qkv.base_layer.weight": normal(0, 72, 24)}
    assert fit(net(0), wrapped) == []
    assert fit(net(0), net(1)) == []
    assert list(declared([model("base", net(0)), model("adapter", lora())])) == []


def test_the_distance_is_that_of_the_update_at_most():
    base, adapter = net(0), lora()
    (pair,) = declared([model("base", base), adapter_of(adapter)])
    stems = [name.removesuffix("lora_A.weight") for name in adapter if "lora_A" in name]
    updates = [adapter[f"{stem}lora_B.weight"] @ adapter[f"{stem}lora_A.weight"] for stem in stems]
    length = np.sqrt(sum(np.sum(w**2) for w in updates)) / np.sqrt(
        sum(np.sum(w**2) for name, w in base.items() if "head" not in name)
    )
    assert length <= pair.signals["distance"] <= 2 * length


def folder(where, base):
    where.mkdir()
    save_file(lora(), where / "adapter_model.safetensors")
    config = json.dumps({"peft_type": "LORA", "base_model_name_or_path": base}) if base is not None else "{"
    (where / "adapter_config.json").write_text(config)
    return where


@pytest.mark.parametrize(
    ("base", "found"),
    [
        ("zoo/one.safetensors", ("zoo/one.safetensors",)),
        ("someone/one", ("zoo/one.safetensors",)),
        ("someone/two", ("someone/two",)),
        ("nowhere", ("nowhere",)),
        ("someone/adapter", ("someone/adapter",)),
        ("", ()),
        (7, ()),
        (None, ()),
    ],
)
def test_a_base_is_one_model_of_the_zoo_or_stays_a_name(tmp_path, base, found):
    ids = ("zoo/one.safetensors", "zoo/two", "zoo/sub/two.pt")
    models = [LocatedModel(id_, tmp_path / id_, "path") for id_ in ids]
    adapter = LocatedModel("zoo/adapter", folder(tmp_path / "adapter", base), "path")
    *others, read = with_claims([*models, adapter])
    assert others == models
    assert read.declared_parents == found


def test_claims_of_the_manifest_stay(tmp_path):
    base = LocatedModel("one", Path("one"), "path")
    adapter = LocatedModel("a", folder(tmp_path / "a", "one"), "path", declared_parents=("two",))
    assert with_claims([base, adapter])[1].declared_parents == ("two", "one")
    assert with_claims(with_claims([base, adapter]))[1].declared_parents == ("two", "one")


def built(folder_, metadata):
    settings = BuildSettings(metadata=metadata, features=False, detector=False, jobs=1, cache=folder_ / "cache")
    return build(load(folder_ / "zoo.yaml"), folder_ / "out", settings).lineage


@pytest.mark.parametrize("claim", ["fits", "too wide"])
def test_an_adapter_hangs_on_the_base_that_it_declares_and_fits(tmp_path, claim):
    save_file(net(0), tmp_path / "fits.safetensors")
    save_file(net(1), tmp_path / "same shapes.safetensors")
    save_file(net(2, width=32), tmp_path / "too wide.safetensors")
    folder(tmp_path / "adapter", f"someone/{claim}")
    (tmp_path / "zoo.yaml").write_text("name: zoo\nmodels:\n  - path: '*.safetensors'\n  - path: adapter\n")
    lineage = built(tmp_path, metadata=True)
    graph = lineage.graph
    assert graph.nodes["adapter"]["declared_parents"] == [f"{claim}.safetensors"]
    (found,) = lineage.audit
    verdict, why = ("untestable", "layers have the shapes") if claim == "fits" else ("contradicted", "no such layers")
    assert (found.model, found.subject, found.verdict) == ("adapter", f"{claim}.safetensors", verdict)
    assert why in found.words
    assert list(graph.edges) == ([("fits.safetensors", "adapter")] if claim == "fits" else [])
    if claim == "fits":
        edge = graph.edges["fits.safetensors", "adapter"]
        assert (edge["kind"], edge["declared"]) == ("adapter", "confirmed")
        assert edge["direction_confidence"] > 0.9
        assert edge["confidence"] == pytest.approx(DECLARED_ADAPTER * edge["direction_confidence"])
        assert edge["evidence"]["shapes_fit"] == edge["evidence"]["declared"] == 1
    assert not built(tmp_path, metadata=False).graph.edges
