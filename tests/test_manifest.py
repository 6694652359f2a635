"""The manifest: what it says, and one sentence for every way to get it wrong."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pytest
from pydantic import ValidationError

from lineage_graph.errors import ManifestError
from lineage_graph.manifest import (
    GrowEntry,
    Growth,
    HubEntry,
    Manifest,
    PathEntry,
    Probes,
    Search,
    SearchEntry,
    TimmEntry,
    load,
)

EXAMPLE = """
name: demo
models:
  - path: "checkpoints/*.safetensors"
  - path: runs/epoch3.pt
    id: run-epoch3
    arch: test_resnet
    created: 2024-05-01
    parents: [run-epoch1]
  - hub: timm/resnet18.a1_in1k
    revision: main
    file: model.safetensors
  - timm: resnet18.a1_in1k
  - search: {author: timm, filter: image-classification, query: resnet18, limit: 50}
  - grow: {recipe: digits, models: 36, seed: 7}
probes: {folder: images, count: 5, seed: 1}
"""

ENTRY = "name: a\nmodels:\n  - {path: ok.pt}\n  - "


def write(folder: Path, text: str | bytes) -> Path:
    path = folder / "zoo.yaml"
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return path


def mistake(folder: Path, text: str | bytes) -> str:
    """The sentence for a wrong manifest, without the folder."""
    with pytest.raises(ManifestError) as caught:
        load(write(folder, text))
    message = str(caught.value)
    assert "\n" not in message
    assert message.startswith(f"{folder}/zoo.yaml: ")
    return message.removeprefix(f"{folder}/zoo.yaml: ")


def test_the_contract_example(tmp_path: Path) -> None:
    path = write(tmp_path, EXAMPLE)
    assert load(path) == Manifest(
        name="demo",
        root=tmp_path,
        entries=(
            PathEntry(path="checkpoints/*.safetensors", manifest=path, number=1),
            PathEntry(
                path="runs/epoch3.pt",
                id="run-epoch3",
                arch="test_resnet",
                created=date(2024, 5, 1),
                parents=("run-epoch1",),
                manifest=path,
                number=2,
            ),
            HubEntry(hub="timm/resnet18.a1_in1k", revision="main", file="model.safetensors", manifest=path, number=3),
            TimmEntry(timm="resnet18.a1_in1k", manifest=path, number=4),
            SearchEntry(
                search=Search(author="timm", filter=("image-classification",), query="resnet18", limit=50),
                manifest=path,
                number=5,
            ),
            GrowEntry(grow=Growth(recipe="digits", models=36, seed=7), manifest=path, number=6),
        ),
        probes=Probes(folder="images", count=5, seed=1),
    )


def test_records_are_frozen(tmp_path: Path) -> None:
    manifest = load(write(tmp_path, EXAMPLE))
    with pytest.raises(ValidationError, match="frozen"):
        manifest.name = "other"  # type: ignore[misc]


def test_a_relative_manifest_has_an_absolute_root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write(tmp_path, EXAMPLE)
    monkeypatch.chdir(tmp_path)
    assert load(Path("zoo.yaml")).root == tmp_path


def test_a_byte_order_mark_and_quoted_dates_are_fine(tmp_path: Path) -> None:
    text = "name: a\nmodels: [{path: x, created: '2024-05-01'}]\n"
    (entry,) = load(write(tmp_path, b"\xef\xbb\xbf" + text.encode())).entries
    assert isinstance(entry, PathEntry)
    assert entry.created == date(2024, 5, 1)


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("", "the file is empty"),
        ("# nothing\n", "the file is empty"),
        ("- a", "should be a mapping of keys to values, not a list"),
        ("demo", "should be a mapping of keys to values, not 'demo'"),
        (b"name: \xff", "is not UTF-8 text (byte 6)"),
        ("name: a".encode("utf-16"), "is not UTF-8 text (byte 0)"),
        ("name: a\nname: b", "line 2: the key 'name' occurs twice"),
        ("name: a\nmodels: [{path: x, path: y}]", "line 2: the key 'path' occurs twice"),
        ("on: a", "line 1: a key should be plain text, not 'on' unquoted"),
        ("? [a, b]\n: c", "line 1: a key should be plain text, not a list or mapping"),
        ("name: a\nmodels:\n\t- path: x", "(a tab: YAML indents with spaces)"),
        ("name: a\nmodels:\n  - path: *.pt", "(put a pattern that begins with * in quotes)"),
        ("name: a\nmodels: &m [{path: x}]", "line 2: anchors and aliases (&m, *m) are not supported"),
        ("name: a\nmodels: *m", "line 2: anchors and aliases (&m, *m) are not supported"),
        ("name: !!python/name:os.system a", "line 1: tags (tag:yaml.org,2002:python/name:os.system) are not supported"),
        ("name: a: b", "line 1: mapping values are not allowed"),
        ("name: a\n---\nname: b", "line 2: found another document"),
        ("name: " + "9" * 5000, "Exceeds the limit"),
        ("name: \a", "characters are not allowed"),
    ],
)
def test_what_is_no_plain_yaml(tmp_path: Path, text: str | bytes, sentence: str) -> None:
    assert sentence in mistake(tmp_path, text)


def test_bombs_are_refused_unexploded(tmp_path: Path) -> None:
    laughs = "a: &a [x, x]\n" + "".join(
        f"{b}: &{b} [*{a}, *{a}]\n" for a, b in zip("abcdefgh", "bcdefghi", strict=True)
    )
    assert "anchors and aliases" in mistake(tmp_path, laughs)
    assert "nest" in mistake(tmp_path, "name: " + "[" * 100_000)
    assert "nested more than 20 levels deep" in mistake(tmp_path, "name: " + "[" * 30 + "]" * 30)
    assert "larger than 16 MiB" in mistake(tmp_path, b"#" * (17 << 20))


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("name: a", "the key 'models' is missing"),
        ("models: [{path: x}]", "the key 'name' is missing"),
        ("nmae: a\nmodels: [{path: x}]", "unknown key 'nmae', did you mean 'name'?"),
        ("name: a\nmodels: [{path: x}]\nzebra: 1", "unknown key 'zebra' (known: name, models, probes)"),
        ("name: a\nmodels: []", "models: is empty"),
        ("name: a\nmodels:", "models: should be a list, not empty"),
        ("name: a\nmodels: {path: x}", "models: should be a list, not a mapping"),
        ("name: a\nmodels: [{path: x}]\nprobes: 1", "probes: should be a mapping of keys to values, not the number 1"),
        ("name: a\nmodels: [{path: x}]\nprobes: {cuont: 1}", "probes: unknown key 'cuont', did you mean 'count'?"),
        ("name: a\nmodels: [{path: x}]\nprobes: {count: 0}", "probes: count: should be at least 1, not the number 0"),
        ("name: 3\nmodels: [{path: x}]", "name: should be text, not the number 3 (put it in quotes)"),
        ("name: no\nmodels: [{path: x}]", "name: should be text, not the truth value false (put it in quotes)"),
        ("name: ''\nmodels: [{path: x}]", "name: is empty"),
        (f"name: {'a' * 101}\nmodels: [{{path: x}}]", "name: is longer than 100 characters"),
        (f"name: {'語' * 99}\nmodels: [{{path: x}}]", "name: is longer than 255 bytes, too long for a folder's name"),
        ("name: a/b\nmodels: [{path: x}]", "name: 'a/b' names the output folder, so it cannot hold / or \\"),
        ('name: "a\\\\b"\nmodels: [{path: x}]', "so it cannot hold / or \\"),
        ("name: ..\nmodels: [{path: x}]", "name: '..' names the output folder, so it cannot begin with a dot"),
        ('name: "a "\nmodels: [{path: x}]', "or begin or end with a space"),
        ('name: "a\\nb"\nmodels: [{path: x}]', "name: 'a\\nb' holds a control character"),
    ],
)
def test_mistakes_at_the_top(tmp_path: Path, text: str, sentence: str) -> None:
    assert sentence in mistake(tmp_path, text)


@pytest.mark.parametrize(
    ("entry", "sentence"),
    [
        ("x.pt", "entry 2: should be a mapping with a source key such as 'path', not 'x.pt'"),
        ("{id: x}", "entry 2 (x): has no source key ('path', 'hub', 'timm', 'search', 'grow')"),
        (
            "{pth: x}",
            "entry 2: has no source key ('path', 'hub', 'timm', 'search', 'grow'): unknown key 'pth', did you mean "
            "'path'?",
        ),
        ("{path: x, hub: y}", "entry 2 (x): has 'path' and 'hub', but an entry has one source key"),
        ("{hub: 'https://hub/org/x'}", "is no repository of the Hub; write org/name, without an address before it"),
        ("{hub: a/b/c}", "entry 2 (a/b/c): hub: 'a/b/c' is no repository of the Hub"),
        ("{hub: a/..}", "is no repository of the Hub"),
        ("{hub: a/b--c}", "is no repository of the Hub"),
        (f"{{hub: a/{'b' * 96}}}", "is no repository of the Hub"),
        ("{hub: a/b, file: ../x.bin}", "entry 2 (a/b): file: '../x.bin' is no path inside a repository"),
        ("{hub: a/b, file: /x.bin}", "is no path inside a repository"),
        ("{hub: a/b, revison: main}", "entry 2 (a/b): unknown key 'revison', did you mean 'revision'?"),
        ("{path: x, revision: main}", "entry 2 (x): the key 'revision' does not go with 'path'"),
        ("{timm: resnet18, file: x}", "entry 2 (resnet18): the key 'file' does not go with 'timm'"),
        ("{search: {limit: 5}}", "entry 2: search: would take the whole Hub; say an author, a filter or a query"),
        ("{search: {query: x, limit: 0}}", "entry 2: search: limit: should be at least 1, not the number 0"),
        ("{search: {query: x}, id: y}", "the key 'id' does not go with 'search', whose models name themselves"),
        ("{search: {querry: x}}", "entry 2: search: unknown key 'querry', did you mean 'query'?"),
        ("{search: x}", "entry 2: search: should be a mapping of keys to values, not 'x'"),
        ("{path: 3}", "entry 2: path: should be text, not the number 3 (put it in quotes)"),
        ("{path: }", "entry 2: path: should be text, not empty"),
        ("{path: ''}", "path: is empty"),
        ('{path: "a\\0"}', "path: 'a\\x00' holds a character that no file name can have"),
        ("{path: x, idd: y}", "entry 2 (x): unknown key 'idd', did you mean 'id'?"),
        ("{path: x, number: 3}", "entry 2 (x): unknown key 'number'"),
        ("{path: x, manifest: y}", "entry 2 (x): unknown key 'manifest'"),
        ("{path: x, id: 7}", "entry 2 (x): id: should be text, not the number 7 (put it in quotes)"),
        ('{path: x, id: "a\\eb"}', "entry 2 (x): id: 'a\\x1bb' holds a control character"),
        ("{path: x, created: 2024-13-01}", "created: should be a date such as 2024-05-01, not '2024-13-01'"),
        ("{path: x, created: 2024}", "created: should be a date such as 2024-05-01, not the number 2024"),
        ("{path: x, parents: y}", "entry 2 (x): parents: should be a list, not 'y'"),
        ("{path: x, parents: [y, 1]}", "entry 2 (x): parents[2]: should be text, not the number 1"),
        ("{grow: x}", "entry 2: grow: should be a mapping of keys to values, not 'x'"),
        ("{grow: {recipe: digits}}", "entry 2: grow: the key 'models' is missing"),
        ("{grow: {recipe: digits, models: 3, sede: 1}}", "entry 2: grow: unknown key 'sede', did you mean 'seed'?"),
        ("{grow: {recipe: digits, models: 0}}", "entry 2: grow: models: should be at least 1, not the number 0"),
        ("{grow: {recipe: digits, models: yes}}", "grow: models: should be a whole number, not the truth value true"),
        ("{grow: {recipe: digits, models: 3, seed: -1}}", "grow: seed: should be at least 0, not the number -1"),
        ("{grow: {recipe: digits, models: 3}, id: x}", "the key 'id' does not go with 'grow'"),
        ("{grow: {recipe: digits, models: 3}, foo: x}", "entry 2: unknown key 'foo' (known: grow)"),
    ],
)
def test_mistakes_in_an_entry(tmp_path: Path, entry: str, sentence: str) -> None:
    assert sentence in mistake(tmp_path, ENTRY + entry)


def test_no_file_a_folder_and_a_name_that_cannot_be(tmp_path: Path) -> None:
    for path, sentence in [
        (tmp_path / "none.yaml", "there is no such file"),
        (tmp_path, "is a folder; put a YAML file there"),
        (tmp_path / "a\0b", "null byte"),
    ]:
        with pytest.raises(ManifestError, match=sentence):
            load(path)
