"""``lgraph trace``: what a user types, reads and gets back."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from safetensors.numpy import save

import lineages_on_disk as disk
from command_line import Call
from hub import Hub, Repository

STATES = disk.states()


@pytest.fixture(scope="module")
def zoo(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a built zoo of one family, and three models beside it."""
    from lineage_graph import manifest
    from lineage_graph.build import BuildSettings, build

    folder = tmp_path_factory.mktemp("cli-trace")
    for name in ("r0", "a", "b", "d", "alone"):
        place = "zoo" if name in ("r0", "a", "b") else "new"
        disk.save(STATES[name], folder / place / f"{name}.safetensors")
    (folder / "zoo" / "zoo.yaml").write_text("name: zoo\nmodels: [{path: '*.safetensors'}]\n")
    settings = BuildSettings(metadata=False, features=False, detector=False, jobs=1, cache=folder / "cache")
    build(manifest.load(folder / "zoo" / "zoo.yaml"), folder / "out", settings)
    return folder


@pytest.fixture
def trace(call: Call, zoo: Path) -> Call:
    return lambda model, *args: call("trace", model, "--in", zoo / "out", "--jobs", 1, "--cache", zoo / "cache", *args)


def test_a_child_is_told_in_words(trace: Call, zoo: Path) -> None:
    answer = trace(zoo / "new" / "d.safetensors", "--id", "d\x1b[31m")
    assert answer.exit_code == 0, answer.output
    lines = answer.stdout.splitlines()
    assert lines[0] == "d\\x1b[31m descends from a.safetensors"
    assert lines[1].startswith("finetune, right as drawn 0.")
    assert lines[-1] == "compared with 3 of 3 models"


def test_a_stranger_is_told_with_how_sure_that_is(trace: Call, zoo: Path) -> None:
    answer = trace(zoo / "new" / "alone.safetensors")
    assert answer.exit_code == 0, answer.output
    lines = answer.stdout.splitlines()
    assert lines[0].endswith("alone.safetensors has no relative here")
    assert lines[1].startswith("probability that none of the ")


def test_json_has_it_all(trace: Call, zoo: Path) -> None:
    answer = trace(zoo / "new" / "d.safetensors", "--id", "d", "--json")
    found = json.loads(answer.stdout)
    assert found["verdict"] == "child"
    assert [parent["id"] for parent in found["parents"]] == ["a.safetensors"]
    assert found["chain"][:2] == ["d", "a.safetensors"]
    assert found["zoo"] == {"models": 3, "unlike": 0, "failed": 0, "sampled": 0}
    assert not found["added"]


def test_a_file_of_the_zoo_is_a_copy_of_itself(trace: Call, zoo: Path) -> None:
    answer = trace(zoo / "zoo" / "b.safetensors", "--id", "b.safetensors")
    assert answer.stdout.splitlines()[0] == "b.safetensors (2) has the same weights as b.safetensors"


def test_add_says_what_it_did_and_refuses_a_name_twice(trace: Call, zoo: Path) -> None:
    again = trace(zoo / "new" / "d.safetensors", "--add", "--id", "a.safetensors")
    assert again.exit_code == 2
    assert "is in the zoo already" in again.stderr
    answer = trace(zoo / "new" / "d.safetensors", "--add", "--id", "d")
    assert answer.exit_code == 0, answer.output
    assert "d was added to " in answer.stdout
    assert '"d"' in (zoo / "out" / "lineage.json").read_text()


@pytest.mark.parametrize(
    ("args", "words"),
    [
        (["nowhere.pt", "--in", "out"], "nowhere.pt: there is no such file or folder"),
        (["new/d.safetensors", "--in", "new"], "holds no lineage.json"),
    ],
)
def test_bad_usage(call: Call, zoo: Path, monkeypatch: pytest.MonkeyPatch, args: list[str], words: str) -> None:
    monkeypatch.chdir(zoo)
    answer = call("trace", *args)
    assert answer.exit_code == 2
    assert words in answer.stderr


def test_a_model_that_cannot_be_read_is_one_sentence(trace: Call, zoo: Path) -> None:
    (zoo / "new" / "empty.pt").touch()
    answer = trace(zoo / "new" / "empty.pt", "--id", "empty")
    assert answer.exit_code == 1
    assert answer.stderr.splitlines()[-1].startswith("Error: EmptyFileError: ")


def test_a_model_of_the_hub_is_fetched_and_placed(trace: Call, zoo: Path, hub: Hub) -> None:
    hub.add(Repository("org/model", {"model.safetensors": save(STATES["c"]), "config.json": b"{}"}))
    answer = trace("org/model", "--json")
    assert answer.exit_code == 0, answer.output
    found = json.loads(answer.stdout)
    assert found["model"] == "org/model"
    assert "a.safetensors" in found["chain"]


def test_a_repository_that_is_not_there_is_one_sentence(trace: Call, hub: Hub) -> None:
    answer = trace("org/nowhere")
    assert answer.exit_code == 1
    assert "org/nowhere" in answer.stderr.splitlines()[-1]
