"""Fetching less from a hub over loopback: whose weights come, whose do not, and what is drawn without them."""

from __future__ import annotations

import json
import shutil
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from safetensors.numpy import save

from hub.faults import Fault, Kind, OneIn
from hub.repositories import Repository
from hub.server import Hub
from lineage_graph import crawl, sampling
from lineage_graph.build import BuildSettings, build
from lineage_graph.cached import Workshop
from lineage_graph.executors import make_executor
from lineage_graph.index import Index
from lineage_graph.manifest import Manifest, load
from lineage_graph.render.node_link import read_families
from lineage_graph.scale.run import run
from lineage_graph.sources import digest
from lineage_graph.sources.base import LocatedModel
from lineage_graph.sources.hub_client import HubClient
from lineage_graph.sources.hub_settings import HubSettings, from_environment
from lineage_graph.store import Store
from lineage_graph.trace import TraceSettings, place
from lineage_graph.types import FloatArray, silent

WEIGHTS = "model.safetensors"
Weights = dict[str, FloatArray]


def network(seed: int, layers: int = 6) -> Weights:
    generator = np.random.default_rng(seed)
    return {f"blocks.{n}.weight": generator.standard_normal((224, 256)).astype(np.float32) for n in range(layers)}


def child(parent: Weights, seed: int) -> Weights:
    generator = np.random.default_rng(seed)
    return {name: w + 0.1 * generator.standard_normal(w.shape).astype(np.float32) for name, w in parent.items()}


ZOO: Mapping[str, Weights] = {
    "root": network(0),
    "child": child(network(0), 1),
    "stranger": network(2),
    "copy": network(2),
    "deeper": network(3, layers=9),
}


@pytest.fixture
def served(hub: Hub) -> Hub:
    hub.add(*(Repository(f"lab/{name}", files={WEIGHTS: save(weights)}) for name, weights in ZOO.items()))
    return hub


@pytest.fixture
def settings(hub: Hub) -> HubSettings:
    return replace(from_environment(), attempts=6, wait=0.01, patience=5.0, timeout=5.0)


def manifest(folder: Path, *names: str) -> Manifest:
    folder.mkdir(exist_ok=True)
    entries = [f"  - {{hub: lab/{name}, id: {name}}}\n" for name in names]
    (folder / "zoo.yaml").write_text("name: far\nmodels:\n" + "".join(entries), encoding="utf-8")
    return load(folder / "zoo.yaml")


def fetched(
    folder: Path, settings: HubSettings, *names: str, here: tuple[LocatedModel, ...] = ()
) -> dict[str, crawl.Fetched]:
    client = HubClient(settings)
    planned = crawl.plan(manifest(folder, *names).entries, client, silent)
    with make_executor(1) as executor:
        shop = Workshop(executor, Store(folder / "store"), silent)
        return {one.planned.id: one for one in sampling.fetch(planned, here, client, shop)}


def test_only_relatives_come_whole_and_a_sample_is_a_small_part(
    served: Hub, settings: HubSettings, tmp_path: Path
) -> None:
    found = fetched(tmp_path, settings, *ZOO)
    outcomes = {"root": "fetched", "child": "fetched", "stranger": "sampled", "copy": "sampled", "deeper": "sampled"}
    assert {name: one.outcome for name, one in found.items()} == outcomes
    for name, one in found.items():
        whole = len(save(ZOO[name]))
        if one.outcome == "sampled":
            assert one.bytes == served.sent(WEIGHTS, f"lab/{name}") < whole / 8
            assert one.sample is not None
            assert one.sample.parameters == sum(w.size for w in ZOO[name].values())
        else:
            assert one.bytes == served.sent(WEIGHTS, f"lab/{name}") > whole
            assert one.located is not None
            assert one.located.path.read_bytes() == save(ZOO[name])
    before = served.sent()
    again = fetched(tmp_path, settings, *ZOO)
    assert {name: one.outcome for name, one in again.items()} == outcomes | {"root": "cached", "child": "cached"}
    assert served.sent() == before, "samples are kept"


def test_a_relative_on_this_disk_counts(served: Hub, settings: HubSettings, tmp_path: Path) -> None:
    assert fetched(tmp_path, settings, "child")["child"].outcome == "sampled"
    (tmp_path / "root.safetensors").write_bytes(save(ZOO["root"]))
    here = LocatedModel("root", tmp_path / "root.safetensors", "path")
    assert fetched(tmp_path, settings, "child", here=(here,))["child"].outcome == "fetched"
    served.add(Repository("lab/pickled", files={"pytorch_model.bin": b"no weights"}))
    assert fetched(tmp_path, settings, "pickled", "stranger")["stranger"].outcome == "sampled"


def test_a_declared_relation_is_worth_the_weights(served: Hub, settings: HubSettings, tmp_path: Path) -> None:
    served.add(Repository("lab/claims", files={WEIGHTS: save(network(7))}, card={"base_model": "lab/stranger"}))
    found = fetched(tmp_path, settings, "claims", "deeper", "stranger")
    assert found["deeper"].outcome == "sampled"
    assert [found[name].outcome for name in ("claims", "stranger")] == ["fetched", "fetched"]


def test_shards_are_one_model(hub: Hub, settings: HubSettings, tmp_path: Path) -> None:
    def sharded(weights: Weights) -> dict[str, bytes]:
        names = sorted(weights)
        parts = {f"model-0000{n + 1}-of-00002.safetensors": names[n::2] for n in range(2)}
        index = {"weight_map": {name: file for file, held in parts.items() for name in held}}
        files = {file: save({name: weights[name] for name in held}) for file, held in parts.items()}
        beside = {"model.safetensors.index.json": index, "config.json": {"model_type": "x"}}
        return files | {name: json.dumps(table).encode() for name, table in beside.items()}

    hub.add(*(Repository(f"lab/{name}", files=sharded(ZOO[name])) for name in ("stranger", "deeper")))
    (tmp_path / "far").mkdir()
    sampled = fetched(tmp_path / "far", settings, "stranger", "deeper")
    assert [one.outcome for one in sampled.values()] == ["sampled", "sampled"]
    client = HubClient(settings)
    whole = crawl.fetch([one.planned for one in sampled.values()], client, Store(tmp_path / "store"), silent)
    with make_executor(1) as executor:
        shop = Workshop(executor, Store(tmp_path / "store"), silent)
        here = tuple(one.located for one in whole if one.located is not None)
        assert len(here) == 2
        later = sampling.fetch([one.planned for one in sampled.values()], (), client, shop)
    assert [one.outcome for one in later] == ["cached", "cached"]
    for one, known in zip(here, sampled.values(), strict=True):
        files = tuple(str(path) for path in sorted(one.path.parent.glob("*.safetensors")))
        assert digest.compute(digest.DigestTask(files, str(one.path.parent))) == known.digest
        assert known.sample is not None
        assert known.sample.architecture == "x"


@pytest.mark.parametrize("kind", [Kind.CORRUPT, Kind.LENGTH, Kind.DROP, Kind.ERROR, Kind.RATE], ids=str)
def test_a_fault_in_a_sample_loses_no_relative(served: Hub, settings: HubSettings, tmp_path: Path, kind: Kind) -> None:
    served.fail(Fault(kind, f"/lab/root/*/{WEIGHTS}", method="GET"))
    found = fetched(tmp_path, settings, *ZOO)
    assert [found[name].outcome for name in ("root", "child", "deeper")] == ["fetched", "fetched", "sampled"]
    assert found["root"].located is not None
    assert found["root"].located.path.read_bytes() == save(ZOO["root"])


def test_with_faults_on_one_request_in_five_all_is_there(served: Hub, settings: HubSettings, tmp_path: Path) -> None:
    served.fail(one_in=OneIn(5, seed=1))
    found = fetched(tmp_path, settings, *ZOO)
    assert not [one.failure for one in found.values() if one.failure]
    assert [found[name].outcome for name in ("root", "child")] == ["fetched", "fetched"]


def test_a_hub_that_sends_no_parts_sends_the_whole(
    served: Hub, settings: HubSettings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("lineage_graph.sources.hub_client.PARTIAL", 299)
    found = fetched(tmp_path, settings, "stranger", "deeper")
    assert [one.outcome for one in found.values()] == ["fetched", "fetched"]


def test_offline_a_model_that_was_only_sampled_is_not_in_the_cache(
    served: Hub, settings: HubSettings, tmp_path: Path
) -> None:
    served.add(Repository("lab/carded", files={WEIGHTS: save(network(8))}, card={"license": "mit"}))
    names = ("root", "child", "carded")
    assert fetched(tmp_path, settings, *names)["carded"].outcome == "sampled"
    found = fetched(tmp_path, replace(settings, offline=True), *names)
    assert [one.outcome for one in found.values()] == ["cached", "cached", "failed"]
    failure = found["carded"].failure
    assert failure is not None
    assert (failure.error, failure.message) == (
        "OfflineError",
        "lab/carded@main: its weights are not in the cache, and HF_HUB_OFFLINE is set",
    )


def test_one_content_in_two_repositories_comes_once(hub: Hub, settings: HubSettings, tmp_path: Path) -> None:
    data = save(ZOO["root"])
    hub.add(*(Repository(f"lab/{name}", files={WEIGHTS: data}) for name in ("one", "two", "three")))
    client = HubClient(settings)
    planned = crawl.plan(manifest(tmp_path, "one", "two", "three").entries, client, silent)
    assert crawl.need(planned, settings.cache).bytes == len(data)
    found = crawl.fetch(planned, client, Store(tmp_path / "store"), silent)
    assert [one.located.path.read_bytes() == data for one in found if one.located] == [True] * 3
    assert sum(one.bytes for one in found) == hub.sent(WEIGHTS) == len(data)


def drawn(zoo: Manifest, out: Path, **changes: Any) -> dict[str, Any]:
    plain = BuildSettings(metadata=False, features=False, detector=False, jobs=1, cache=out / "cache")
    build(zoo, out, replace(plain, **changes))
    graph: dict[str, Any] = json.loads((out / "lineage.json").read_text(encoding="utf-8"))
    return graph


def test_the_graph_is_that_of_a_full_fetch_and_says_what_was_not_read(served: Hub, tmp_path: Path) -> None:
    zoo = manifest(tmp_path / "far", *ZOO)
    less = drawn(zoo, tmp_path / "less")
    sent = served.sent(WEIGHTS)
    full = drawn(zoo, tmp_path / "full", full=True)
    assert sent < served.sent(WEIGHTS) / 1.5
    edges = [{(edge["source"], edge["target"], edge["kind"]) for edge in graph["edges"]} for graph in (less, full)]
    assert edges[0] == edges[1]
    assert {"root", "child"} in [{source, target} for source, target, _ in edges[0]]
    nodes = [{node["id"]: node for node in graph["nodes"]} for graph in (less, full)]
    assert {name for name, node in nodes[0].items() if node["weights"] == "sampled"} == {"stranger", "copy", "deeper"}
    for name, node in nodes[0].items():
        same = ("sha256", "parameters", "architecture", "family", "role", "format")
        assert [node[key] for key in same] == [nodes[1][name][key] for key in same]
    report = (tmp_path / "less" / "report.md").read_text(encoding="utf-8")
    assert "Of 3 models only slices were fetched" in report
    assert json.loads((tmp_path / "less" / "run.json").read_text(encoding="utf-8"))["counts"]["sampled"] == 3


@pytest.mark.usefixtures("served")
@pytest.mark.parametrize("first_full", [True, False])
def test_what_was_judged_of_samples_does_not_stand_for_the_whole(tmp_path: Path, *, first_full: bool) -> None:
    """Nor the other way round, with one cache for both."""
    zoo = manifest(tmp_path / "far", *ZOO)
    shared = tmp_path / "shared"
    drawn(zoo, tmp_path / "first", full=first_full, features=True, cache=shared)
    if first_full:
        shutil.rmtree(tmp_path / "hf")
    found = drawn(zoo, tmp_path / "second", full=not first_full, features=True, cache=shared)
    if first_full:
        shutil.rmtree(tmp_path / "hf")
    assert found == drawn(zoo, tmp_path / "new", full=not first_full, features=True)


def test_a_copy_that_cannot_be_kept_is_left_to_the_download(
    hub: Hub, settings: HubSettings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    data = save(ZOO["root"])
    hub.add(*(Repository(f"lab/{name}", files={WEIGHTS: data}) for name in ("one", "two")))
    client = HubClient(settings)
    planned = crawl.plan(manifest(tmp_path, "one", "two").entries, client, silent)
    monkeypatch.setattr(Path, "hardlink_to", full)
    monkeypatch.setattr("lineage_graph.sources.hub_fetch.shutil.copyfileobj", full)
    found = crawl.fetch(planned, client, Store(tmp_path / "store"), silent)
    assert [one.outcome for one in found] == ["fetched", "fetched"]
    assert hub.sent(WEIGHTS) == 2 * len(data)


def test_a_zoo_of_samples_answers_a_trace_and_can_be_assembled(served: Hub, tmp_path: Path) -> None:
    out = tmp_path / "less"
    drawn(manifest(tmp_path / "far", *ZOO), out)
    families = read_families((out / "lineage.json").read_text(encoding="utf-8"))
    for name, verdict in (("grandchild", "child"), ("strangers-child", "unrelated")):
        path = tmp_path / f"{name}.safetensors"
        path.write_bytes(save(child(ZOO["child" if verdict == "child" else "stranger"], 20)))
        found = place(path, name, out, families, TraceSettings(jobs=1, cache=out / "cache"))
        assert (found.verdict, found.sampled, found.zoo) == (verdict, 3, len(ZOO))
    with Index(out) as kept:
        assert [model.sampled for model in kept.models()].count(True) == 3
    run([out], tmp_path / "assembled", silent)
    graph = json.loads((tmp_path / "assembled" / "lineage.json").read_text(encoding="utf-8"))
    pairs = {frozenset((edge["source"], edge["target"])) for edge in graph["edges"]}
    assert pairs == {frozenset(("root", "child"))}
