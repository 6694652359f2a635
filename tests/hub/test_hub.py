"""The test hub satisfies the real client."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from httpx2 import TooManyRedirects
from huggingface_hub import HfApi, HfFileSystem, hf_hub_download, snapshot_download
from huggingface_hub.errors import (
    DisabledRepoError,
    GatedRepoError,
    HfHubHTTPError,
    RemoteEntryNotFoundError,
    RepositoryNotFoundError,
    RevisionNotFoundError,
)
from safetensors.numpy import save

from hub import Fault, Hub, Kind, OneIn, Repository

WEIGHTS = save({"weight": np.arange(4096, dtype=np.float32)})


@pytest.fixture
def repo(hub: Hub) -> Repository:
    made = Repository(
        "org/model",
        {"model.safetensors": WEIGHTS, "config.json": b"{}", "sub/other.bin": b"other" * 100},
        {"license": "mit", "base_model": "org/base", "tags": ["vision"], "library_name": "timm"},
    )
    hub.add(made)
    return made


@pytest.fixture
def api(hub: Hub) -> HfApi:
    return HfApi(endpoint=hub.endpoint, token=False)


def fetch(hub: Hub, tmp_path: Path, file: str = "model.safetensors", **keys: object) -> bytes:
    token = keys.pop("token", False)
    path = hf_hub_download("org/model", file, endpoint=hub.endpoint, cache_dir=tmp_path / "hub", token=token, **keys)
    return Path(path).read_bytes()


def test_what_the_api_says(repo: Repository, api: HfApi) -> None:
    info = api.model_info("org/model", files_metadata=True)
    assert (info.sha, info.gated, info.private) == (repo.head, False, False)
    assert info.card_data is not None
    assert info.card_data["base_model"] == "org/base"
    assert info.tags == ["timm", "vision", "base_model:org/base"]
    assert info.siblings is not None
    by_name = {one.rfilename: one for one in info.siblings}
    assert set(by_name) == {"README.md", "config.json", "model.safetensors", "sub/other.bin"}
    weights = by_name["model.safetensors"]
    assert weights.size == len(WEIGHTS)
    assert weights.lfs is not None
    assert weights.lfs.sha256 == repo.commits[repo.head]["model.safetensors"].sha256
    assert by_name["config.json"].lfs is None
    assert api.model_info("org/model", expand=["usedStorage"]).used_storage > len(WEIGHTS)


def test_trees_and_refs(repo: Repository, api: HfApi) -> None:
    flat = [one.path for one in api.list_repo_tree("org/model")]
    assert sorted(flat) == ["README.md", "config.json", "model.safetensors", "sub"]
    assert "sub/other.bin" in [one.path for one in api.list_repo_tree("org/model", recursive=True)]
    (info,) = api.get_paths_info("org/model", ["model.safetensors", "absent"])
    assert info.size == len(WEIGHTS)
    second = repo.commit({"model.safetensors": WEIGHTS}, "v2")
    assert {ref.name: ref.target_commit for ref in api.list_repo_refs("org/model").branches}["v2"] == second


def test_lists_come_in_pages(hub: Hub, repo: Repository, api: HfApi) -> None:
    hub.page_size = 3
    hub.add(*(Repository(f"org/small-{n}", {"a.bin": b"a"}, {"tags": ["x"]}) for n in range(8)))
    assert len(list(api.list_models(author="org", search="small", filter="x"))) == 8
    assert len([one for one in hub.asked("GET") if one.path == "/api/models"]) == 3
    assert len(list(api.list_models(author="org", limit=4))) == 4
    assert [one.id for one in api.list_models(filter="base_model:org/base")] == ["org/model"]


def test_files_and_ranges(hub: Hub, repo: Repository, api: HfApi, tmp_path: Path) -> None:
    assert fetch(hub, tmp_path) == WEIGHTS
    assert fetch(hub, tmp_path, "config.json") == b"{}"
    assert hub.sent("model.safetensors") == len(WEIGHTS)
    folder = Path(snapshot_download("org/model", endpoint=hub.endpoint, cache_dir=tmp_path / "hub", token=False))
    assert (folder / "sub/other.bin").read_bytes() == b"other" * 100
    assert hub.sent("model.safetensors") == len(WEIGHTS)
    assert api.get_safetensors_metadata("org/model").parameter_count == {"F32": 4096}
    with HfFileSystem(endpoint=hub.endpoint, token=False).open("org/model/model.safetensors", block_size=1024) as file:
        file.seek(5000)
        assert file.read(10) == WEIGHTS[5000:5010]
    assert any(one.range for one in hub.asked("GET", "model.safetensors"))


@pytest.mark.parametrize(
    ("change", "error"),
    [
        ({"gated": "auto"}, GatedRepoError),
        ({"private": True}, RepositoryNotFoundError),
        ({"disabled": True}, DisabledRepoError),
    ],
)
def test_who_may_not(hub: Hub, repo: Repository, tmp_path: Path, change: dict[str, object], error: type) -> None:
    for key, value in change.items():
        setattr(repo, key, value)
    with pytest.raises((error, FileNotFoundError)) as caught:
        fetch(hub, tmp_path)
    assert isinstance(caught.value, error) or isinstance(caught.value.__cause__, error)
    if "disabled" not in change:
        assert fetch(hub, tmp_path, token=hub.token) == WEIGHTS
        assert "hf_test" not in {one.token for one in hub.asked("GET", "model.safetensors")}, "tokens stay off the CDN"


def test_what_is_not_there(hub: Hub, repo: Repository, api: HfApi, tmp_path: Path) -> None:
    with pytest.raises(RepositoryNotFoundError):
        api.model_info("org/none")
    with pytest.raises(RevisionNotFoundError):
        api.model_info("org/model", revision="v9")
    with pytest.raises(RemoteEntryNotFoundError):
        fetch(hub, tmp_path, "none.bin")
    hub.add(Repository("org/old", renamed_to="org/model"))
    assert api.model_info("org/old").id == "org/model"


@pytest.mark.parametrize("kind", [Kind.RATE, Kind.ERROR, Kind.LOOP])
def test_answers_that_fail(hub: Hub, repo: Repository, api: HfApi, kind: Kind) -> None:
    hub.fail(Fault(kind, "/api/models/org/model", times=-1 if kind is Kind.LOOP else 1, retry_after=7))
    with pytest.raises((HfHubHTTPError, TooManyRedirects)) as caught:
        api.model_info("org/model")
    assert isinstance(caught.value, TooManyRedirects) == (kind is Kind.LOOP)
    if isinstance(caught.value, HfHubHTTPError):
        assert caught.value.response.status_code == (429 if kind is Kind.RATE else 500)
        assert caught.value.response.headers.get("Retry-After") == ("7" if kind is Kind.RATE else None)
        assert api.model_info("org/model").id == "org/model"


def test_bodies_that_fail(hub: Hub, repo: Repository, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("time.sleep", lambda seconds: None)
    hub.fail(Fault(Kind.LENGTH, "*/model.safetensors"))
    with pytest.raises(OSError, match="Consistency"):
        fetch(hub, tmp_path)
    hub.fail(Fault(Kind.CORRUPT, "*/model.safetensors"))
    assert fetch(hub, tmp_path) != WEIGHTS, "the client does not check hashes: lgraph has to"
    hub.fail(Fault(Kind.DROP, "*/model.safetensors", "GET"))
    assert fetch(hub, tmp_path, force_download=True) == WEIGHTS


def test_one_request_in_some_does_not_depend_on_order() -> None:
    def picks(paths: list[str]) -> dict[str, list[str]]:
        hub = Hub()
        hub.fail(one_in=OneIn(4, seed=3))
        found: dict[str, list[str]] = {path: [] for path in paths}
        for _ in range(20):
            for path in paths:
                fault = hub.faults.pick("GET", path, body=True)
                found[path].append(fault.kind if fault else "")
        return found

    paths = [f"/org/m{n}/resolve/main/model.safetensors" for n in range(10)]
    one, other = picks(paths), picks(paths[::-1])
    assert one == other
    share = sum(bool(kind) for kinds in one.values() for kind in kinds) / 200
    assert 0.15 < share < 0.35
