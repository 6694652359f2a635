"""Entries with ``path``: what is found, under which id, and what is the author's mistake."""

from __future__ import annotations

import os
from datetime import date
from pathlib import Path

import pytest

from lineage_graph.errors import ManifestError
from lineage_graph.manifest import PathEntry
from lineage_graph.sources.base import LocatedModel
from lineage_graph.sources.local import check_unique, locate


@pytest.fixture
def zoo(tmp_path: Path) -> Path:
    """A folder with files, a model in shards, one with a config, a plain folder and hidden things."""
    root = tmp_path / "zoo"
    for name in [
        "zoo.yaml",
        "a.pt",
        "b[1].pt",
        "runs/2.pt",
        "runs/10.pt",
        "runs/deep/er/x.pt",
        "sharded/model.safetensors.index.json",
        "sharded/model-00001-of-00001.safetensors",
        "hf/config.json",
        "hf/model.safetensors",
        "hf/step-5/adapter_config.json",
        "hf/step-5/adapter_model.safetensors",
        ".cache/old.pt",
        "runs/.hidden.pt",
    ]:
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b"x")
    return root


def entry(path: str, root: Path | None = None, **keys: object) -> PathEntry:
    manifest = (root or Path("/nowhere")) / "zoo.yaml"
    return PathEntry.model_validate({"path": path, "manifest": manifest, "number": 4, **keys})


def ids(path: str, root: Path) -> list[str]:
    return [model.id for model in locate(entry(path, root), root)]


def test_a_file_carries_the_claims_of_its_entry(zoo: Path) -> None:
    claims = entry("runs/2.pt", zoo, id="two", arch="test_vit", created="2024-05-01", parents=["one"])
    assert locate(claims, zoo) == (
        LocatedModel(
            id="two",
            path=zoo / "runs/2.pt",
            source="path",
            arch="test_vit",
            created=date(2024, 5, 1),
            declared_parents=("one",),
            entry=f"{zoo}/zoo.yaml: entry 4 (runs/2.pt)",
        ),
    )


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("a.pt", ["a.pt"]),
        ("./runs/../a.pt", ["a.pt"]),
        ("b[1].pt", ["b[1].pt"]),
        ("sharded", ["sharded"]),
        ("hf/", ["hf"]),
        ("*.pt", ["a.pt", "b[1].pt"]),
        ("*", ["a.pt", "b[1].pt", "hf", "sharded"]),
        ("runs/*.pt", ["runs/10.pt", "runs/2.pt"]),
        ("runs/.*.pt", ["runs/.hidden.pt"]),
        (".cache/*", [".cache/old.pt"]),
        ("runs/**/*.pt", ["runs/10.pt", "runs/2.pt", "runs/deep/er/x.pt"]),
        ("runs/**", ["runs/10.pt", "runs/2.pt", "runs/deep/er/x.pt"]),
        ("?.pt", ["a.pt"]),
        ("**", ["a.pt", "b[1].pt", "hf", "hf/step-5", "runs/10.pt", "runs/2.pt", "runs/deep/er/x.pt", "sharded"]),
    ],
)
def test_what_a_path_means(zoo: Path, path: str, expected: list[str]) -> None:
    assert ids(path, zoo) == expected


def test_absolute_paths_and_paths_beside_the_manifest(zoo: Path) -> None:
    assert ids(f"{zoo}/runs/2.pt", zoo) == ["runs/2.pt"]
    assert ids(f"{zoo}/runs/*.pt", zoo) == ["runs/10.pt", "runs/2.pt"]
    assert ids("../a.pt", zoo / "runs") == ["../a.pt"]
    assert ids("../*.pt", zoo / "runs") == ["../a.pt", "../b[1].pt"]
    (model,) = locate(entry("../a.pt"), zoo / "runs")
    assert model.path.read_bytes() == b"x"


def test_names_that_cannot_be_shown_get_an_id_that_can(zoo: Path) -> None:
    (zoo / "odd").mkdir()
    for name in (b"esc\x1b[2J.pt", b"latin\xe9.pt", "café.pt".encode()):
        Path(os.fsdecode(os.fsencode(zoo / "odd") + b"/" + name)).write_bytes(b"x")
    assert ids("odd/*", zoo) == ["odd/café.pt", "odd/esc\\x1b[2J.pt", "odd/latin\\xe9.pt"]


@pytest.mark.parametrize(
    ("path", "sentence"),
    [
        ("none.pt", "path: there is no such file or folder"),
        ("a.pt/x", "path: there is no such file or folder"),
        ("x" * 300, "path: there is no such file or folder"),
        ("*.bin", "path: matches no file and no folder that holds a model"),
        ("run?", "path: matches no file and no folder that holds a model"),
        ("**x", "path: "),
        ("runs", "path: the folder is no model, having no adapter_config.json or config.json and no *.index.json"),
    ],
)
def test_mistakes_name_file_entry_and_key(zoo: Path, path: str, sentence: str) -> None:
    with pytest.raises(ManifestError) as caught:
        locate(entry(path, zoo), zoo)
    assert str(caught.value).startswith(f"{zoo}/zoo.yaml: entry 4 ({path}): {sentence}")


def test_a_folder_without_a_model_says_what_to_write(zoo: Path) -> None:
    with pytest.raises(ManifestError, match=r"for each file in it write 'runs/\*'"):
        locate(entry("runs/", zoo), zoo)


def test_a_pipe_is_no_model(zoo: Path) -> None:
    os.mkfifo(zoo / "pipe.pt")
    with pytest.raises(ManifestError, match="is neither a file nor a folder"):
        locate(entry("pipe.pt", zoo), zoo)
    assert ids("*.pt", zoo) == ["a.pt", "b[1].pt"]


def test_links_that_end_nowhere(zoo: Path) -> None:
    (zoo / "links").mkdir()
    (zoo / "links/loop.pt").symlink_to("loop.pt")
    (zoo / "links/gone.pt").symlink_to("nothing.pt")
    (zoo / "links/up").symlink_to("..")
    # A loop is a fact about the disk: the model stays, and fails when it is read. A link to nothing that is named
    # outright is a missing file.
    assert ids("links/loop.pt", zoo) == ["links/loop.pt"]
    with pytest.raises(ManifestError, match="is a link to nothing"):
        locate(entry("links/gone.pt", zoo), zoo)
    assert ids("links/*", zoo) == ["links/gone.pt", "links/loop.pt"]
    assert ids("links/**/*.pt", zoo) == ["links/gone.pt", "links/loop.pt"]
    assert ids("links/up/*.pt", zoo) == ["links/up/a.pt", "links/up/b[1].pt"]


def test_an_unreadable_folder_is_a_model_that_will_fail(zoo: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(folder: Path) -> bool:
        raise PermissionError(13, "Permission denied", str(folder))

    monkeypatch.setattr("lineage_graph.sources.local.holds_model", refuse)
    assert ids("hf", zoo) == ["hf"]
    assert ids("h*", zoo) == ["hf"]


def test_an_id_names_one_model(zoo: Path) -> None:
    assert [model.id for model in locate(entry("a*.pt", zoo, id="one"), zoo)] == ["one"]
    with pytest.raises(ManifestError, match=r"entry 4 \(\*\.pt\): id: 'one' cannot name all 2 models"):
        locate(entry("*.pt", zoo, id="one"), zoo)


def test_ids_are_unique_over_the_manifest(zoo: Path) -> None:
    models = [*locate(entry("a.pt", zoo, number=1), zoo), *locate(entry("*.pt", zoo, number=2), zoo)]
    with pytest.raises(ManifestError) as caught:
        check_unique(models)
    manifest = zoo / "zoo.yaml"
    assert str(caught.value) == (
        f"{manifest}: entry 2 (*.pt): id: 'a.pt' occurs twice; {manifest}: entry 1 (a.pt) has it too"
    )
    check_unique(models[1:])


def test_a_model_cannot_be_its_own_parent(tmp_path: Path) -> None:
    (tmp_path / "a.pt").write_bytes(b"x")
    entry = PathEntry(path="a.pt", parents=("a.pt",))
    with pytest.raises(ManifestError, match=r"parents: 'a.pt' cannot be its own parent"):
        locate(entry, tmp_path)


def test_the_outputs_of_a_build_are_no_models(tmp_path: Path) -> None:
    (tmp_path / "a.pt").write_bytes(b"x")
    (tmp_path / "out").mkdir()
    for name in ("lineage.json", "lineage.html", "lineage.graphml", "report.md", "run.json", "b.pt"):
        (tmp_path / "out" / name).write_bytes(b"x")
    assert [model.id for model in locate(PathEntry(path="**/*"), tmp_path)] == ["a.pt", "out/b.pt"]
