"""Which files of which repositories come from the Hub, what is said of those that do not, and what a build makes of
them: the real client, on a hub over loopback.
"""

from __future__ import annotations

import json
import socket
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from hub.faults import Fault, Kind
from hub.repositories import Repository
from hub.server import Hub
from lineage_graph import crawl
from lineage_graph.build import BuildSettings, build
from lineage_graph.manifest import load
from lineage_graph.sources.hub_client import HubClient
from lineage_graph.sources.hub_settings import HubSettings, from_environment
from lineage_graph.sources.remote import SHORT
from lineage_graph.store import Store
from lineage_graph.types import silent

WEIGHTS = "model.safetensors"


@pytest.fixture
def settings(hub: Hub) -> HubSettings:
    return replace(from_environment(), attempts=3, wait=0.01, patience=2.0, timeout=5.0)


def manifest(folder: Path, *entries: str) -> Any:
    folder.mkdir(exist_ok=True)
    path = folder / "zoo.yaml"
    path.write_text("name: far\nmodels:\n" + "".join(f"  - {entry}\n" for entry in entries), encoding="utf-8")
    return load(path)


def crawled(folder: Path, settings: HubSettings, *entries: str) -> dict[str, crawl.Fetched]:
    """What became of each model of a zoo of these entries, by its id."""
    client = HubClient(settings)
    planned = crawl.plan(manifest(folder, *entries).entries, client, silent)
    return {one.planned.id: one for one in crawl.fetch(planned, client, Store(folder / "store"), silent)}


def blob(number: int, size: int = 3000) -> bytes:
    return bytes([number]) * size


SHARDED = {
    "model-00001-of-00002.safetensors": blob(1),
    "model-00002-of-00002.safetensors": blob(2),
    "model.safetensors.index.json": b'{"weight_map": {}}',
}


@pytest.mark.parametrize(
    ("files", "come", "place"),
    [
        ({WEIGHTS: blob(1), "pytorch_model.bin": blob(2)}, {WEIGHTS}, WEIGHTS),
        ({"model.gguf": blob(1), "pytorch_model.bin": blob(2), "optimizer.pt": blob(3)}, {"model.gguf"}, "model.gguf"),
        ({"pytorch_model.bin": blob(2), "training_args.bin": blob(3)}, {"pytorch_model.bin"}, "pytorch_model.bin"),
        ({WEIGHTS: blob(1), "config.json": b"{}", "vocab.txt": b"a"}, {WEIGHTS, "config.json"}, "."),
        ({**SHARDED, "pytorch_model.bin": blob(3)}, set(SHARDED), "model.safetensors.index.json"),
        (
            {"adapter_model.safetensors": blob(1), "adapter_config.json": b"{}", "README.md": b"# one"},
            {"adapter_model.safetensors", "adapter_config.json", "README.md"},
            ".",
        ),
    ],
    ids=["safetensors-before-pickles", "gguf-before-pickles", "pickle", "config", "shards", "adapter"],
)
def test_the_weights_come_with_what_describes_them_and_nothing_else(
    hub: Hub, settings: HubSettings, tmp_path: Path, files: Mapping[str, bytes], come: set[str], place: str
) -> None:
    repo = Repository("lab/one", files=files)
    hub.add(repo)
    one = crawled(tmp_path, settings, "hub: lab/one")["lab/one"]
    assert one.located is not None, one.failure
    assert one.located.source == f"hub:lab/one@{repo.head[:SHORT]}"
    snapshot = settings.cache / "models--lab--one" / "snapshots" / repo.head
    assert one.located.path == snapshot / place
    assert {path.name: path.read_bytes() for path in snapshot.iterdir()} == {name: files[name] for name in come}
    assert one.bytes == hub.sent() == sum(len(files[name]) for name in come)


def test_a_commit_and_a_file_that_the_manifest_names(hub: Hub, settings: HubSettings, tmp_path: Path) -> None:
    repo = Repository("lab/one", files={WEIGHTS: blob(1), "best/last.pt": blob(2)})
    first = repo.head
    repo.commit({WEIGHTS: blob(3)})
    hub.add(repo)
    entries = (
        "hub: lab/one",
        f"{{hub: lab/one, revision: {first}}}",
        f"{{hub: lab/one, revision: {first}, file: best/last.pt}}",
    )
    found = crawled(tmp_path, settings, *entries)
    assert list(found) == ["lab/one", f"lab/one@{first}", f"lab/one@{first}/best/last.pt"]
    assert [one.located.path.read_bytes() for one in found.values() if one.located] == [blob(3), blob(1), blob(2)]
    assert [one.located.source for one in found.values() if one.located] == [
        f"hub:lab/one@{repo.head[:SHORT]}",
        f"hub:lab/one@{first[:SHORT]}",
        f"hub:lab/one@{first[:SHORT]}",
    ]


def test_what_cannot_be_had_is_named_and_the_others_come(hub: Hub, settings: HubSettings, tmp_path: Path) -> None:
    one = {WEIGHTS: blob(1)}
    new = Repository("lab/new", files={WEIGHTS: blob(2)})
    hub.add(
        new,
        Repository("lab/good", files=one),
        Repository("lab/gated", files=one, gated="manual"),
        Repository("lab/private", files=one, private=True),
        Repository("lab/disabled", files=one, disabled=True),
        Repository("lab/old", renamed_to="lab/new"),
        Repository("lab/empty"),
        Repository("lab/text", files={"notes.txt": b"none"}),
        Repository("lab/limited", files=one),
        # Content of its own: what another repository has in the cache is taken from there, whoever comes first.
        Repository("lab/wrong", files={WEIGHTS: blob(3)}),
    )
    hub.fail(
        Fault(Kind.RATE, "/api/models/lab/limited", times=-1, retry_after=3600),
        Fault(Kind.CORRUPT, f"/lab/wrong/*/{WEIGHTS}", times=-1),
    )
    names = ("missing", "gated", "private", "disabled", "old", "empty", "text", "limited", "wrong", "good")
    entries = [f"hub: lab/{name}" for name in names]
    found = crawled(tmp_path, settings, *entries, "{hub: lab/good, revision: v9}", "{hub: lab/good, file: none.pt}")
    assert {name: one.failure.error for name, one in found.items() if one.failure} == {
        "lab/missing": "MissingRepositoryError",
        "lab/gated": "GatedRepositoryError",
        "lab/private": "MissingRepositoryError",
        "lab/disabled": "DisabledRepositoryError",
        "lab/empty": "NoWeightsFileError",
        "lab/text": "NoWeightsFileError",
        "lab/limited": "RateLimitedError",
        "lab/wrong": "HashMismatchError",
        "lab/good@v9": "MissingRevisionError",
        "lab/good/none.pt": "MissingFileError",
    }
    for name, failed in found.items():
        if failed.failure is not None:
            assert failed.failure.id == name
            assert failed.failure.message.startswith(name.replace("/none.pt", ""))
            assert len(failed.failure.message.splitlines()) == 1
    good, renamed = found["lab/good"].located, found["lab/old"].located
    assert good is not None
    assert good.path.read_bytes() == blob(1)
    assert renamed is not None
    assert (renamed.source, renamed.path.read_bytes()) == (f"hub:lab/new@{new.head[:SHORT]}", blob(2))
    assert not any((settings.cache / "models--lab--wrong").glob("snapshots/*/*")), "no wrong file stays in the cache"


def test_a_token_opens_what_is_closed(
    hub: Hub, settings: HubSettings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    hub.add(Repository("lab/gated", files={WEIGHTS: blob(1)}, gated="auto"))
    monkeypatch.setenv("HF_TOKEN", hub.token)
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_DISABLE_IMPLICIT_TOKEN", False)
    (one,) = crawled(tmp_path, settings, "hub: lab/gated").values()
    assert one.outcome == "fetched", one.failure


def test_without_a_network_each_model_says_so(hub: Hub, settings: HubSettings, tmp_path: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))  # nobody listens
        nowhere = replace(settings, endpoint=f"http://127.0.0.1:{taken.getsockname()[1]}")
        entries = ("hub: lab/one", "hub: lab/two", "search: {author: lab, limit: 2}")
        found = crawled(tmp_path, nowhere, *entries).values()
    assert [one.failure.error for one in found if one.failure] == ["NetworkError"] * 3
    offline = crawled(tmp_path, replace(settings, offline=True), *entries).values()
    assert [one.failure.error for one in offline if one.failure] == ["OfflineError"] * 3
    assert all("\n" not in one.failure.message for one in (*found, *offline) if one.failure)
    assert hub.asked() == []


def test_a_cache_that_is_no_folder_is_not_the_network(hub: Hub, settings: HubSettings, tmp_path: Path) -> None:
    hub.add(Repository("lab/one", files={WEIGHTS: blob(1)}))
    (tmp_path / "file").write_bytes(b"")
    (one,) = crawled(tmp_path, replace(settings, cache=tmp_path / "file"), "hub: lab/one").values()
    assert one.failure is not None
    assert one.failure.error == "UnreadableFileError"


def test_a_build_from_the_hub_is_that_from_copies(hub: Hub, tiny_zoo: Any, tmp_path: Path) -> None:
    for name, path in tiny_zoo.paths.items():
        hub.add(Repository(f"lab/{name}", files={WEIGHTS: path}))
    graphs = []
    for place, entries in (
        ("far", [f"{{hub: lab/{name}, id: {name}}}" for name in tiny_zoo.paths]),
        ("near", [f"{{path: {path}, id: {name}}}" for name, path in tiny_zoo.paths.items()]),
    ):
        zoo = manifest(tmp_path / place, *entries)
        quick = BuildSettings(metadata=False, features=False, detector=False, jobs=1, cache=tmp_path / place / "cache")
        build(zoo, tmp_path / place / "out", quick)
        graph = json.loads((tmp_path / place / "out" / "lineage.json").read_text(encoding="utf-8"))
        for node in graph["nodes"]:
            assert node.pop("source").startswith("hub:lab/") == (place == "far")
            node.pop("created", None)
        graphs.append(graph)
    assert {(edge["source"], edge["target"]) for edge in graphs[0]["edges"]} == set(tiny_zoo.edges)
    assert graphs[0] == graphs[1]
