"""The whole pipeline on really trained networks."""

import json
import os
import random
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import networkx as nx
import numpy as np
import pytest
import yaml
from safetensors.numpy import load_file, save_file

from lineage_graph import fingerprint, held, manifest
from lineage_graph.build import BuildSettings, build
from lineage_graph.errors import OutputError, StrictError
from lineage_graph.sources import digest

OUTPUTS = ["index.arrow", "lineage.graphml", "lineage.html", "lineage.json", "report.md", "run.json"]
WILD = Path(__file__).parents[2] / "shared" / "wild"


def manifest_of(folder, *entries, name="zoo"):
    path = folder / "zoo.yaml"
    path.write_text(yaml.safe_dump({"name": name, "models": list(entries) or [{"path": "*.safetensors"}]}))
    return manifest.load(path)


def built(zoo, tmp_path, **settings):
    settings = {"metadata": False, "jobs": 1, "cache": tmp_path / "cache", **settings}
    return build(zoo, tmp_path / "out", BuildSettings(**settings))


@pytest.fixture
def copied(tiny_zoo, tmp_path):
    """A folder of its own with the tiny zoo's files."""
    folder = tmp_path / "zoo"
    folder.mkdir()
    for path in tiny_zoo.paths.values():
        shutil.copy(path, folder)
    return folder


def test_a_trained_zoo_is_found_whole_from_weights_alone(tiny_zoo, copied, tmp_path):
    result = built(manifest_of(copied), tmp_path)
    found = {(u.removesuffix(".safetensors"), v.removesuffix(".safetensors")) for u, v in result.lineage.graph.edges}
    assert found == set(tiny_zoo.edges)
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == sorted(OUTPUTS)
    assert nx.is_directed_acyclic_graph(result.lineage.graph)


def shape(graph, name=lambda node: node):
    """The graph without what is made of names."""
    nodes = {name(n): {k: v for k, v in d.items() if k not in ("label", "sha256")} for n, d in graph.nodes(data=True)}
    for facts in nodes.values():
        facts["origins"] = [{**one, "model": one["model"] and name(one["model"])} for one in facts["origins"]]
        for one in facts["origins"]:
            one["runners"] = [[model and name(model), *rest] for model, *rest in one["runners"]]
    return nodes, {(name(u), name(v)): data for u, v, data in graph.edges(data=True)}


@pytest.mark.parametrize("seed", range(3))
def test_renaming_and_shuffling_the_files_changes_nothing_but_the_names(copied, tmp_path, seed):
    expected = built(manifest_of(copied), tmp_path).lineage.graph
    generator = random.Random(seed)
    other = tmp_path / "other"
    other.mkdir()
    files = sorted(copied.glob("*.safetensors"))
    renamed = dict(zip((f.name for f in files), generator.sample(range(10**6), len(files)), strict=True))
    for file in generator.sample(files, len(files)):
        shutil.copy(file, other / f"{renamed[file.name]}.safetensors")
    entries = [{"path": f"{renamed[file.name]}.safetensors"} for file in generator.sample(files, len(files))]
    found = built(manifest_of(other, *entries), tmp_path, cache=tmp_path / "second").lineage.graph
    assert shape(found) == shape(expected, lambda node: f"{renamed[node]}.safetensors")


def test_processes_and_one_process_give_the_same_bytes(copied, tmp_path):
    zoo = manifest_of(copied)
    built(zoo, tmp_path)
    first = {name: (tmp_path / "out" / name).read_bytes() for name in OUTPUTS if name != "run.json"}
    built(zoo, tmp_path, jobs=2, cache=tmp_path / "second")
    assert {name: (tmp_path / "out" / name).read_bytes() for name in first} == first


def test_an_unrelated_model_changes_no_other_pair(copied, tmp_path):
    before = built(manifest_of(copied), tmp_path).lineage.graph
    state = load_file(copied / "m4.safetensors")
    generator = np.random.default_rng(0)
    noise = {name: generator.permutation(w.reshape(-1)).reshape(w.shape) for name, w in state.items()}
    save_file(noise, copied / "stranger.safetensors")
    after = built(manifest_of(copied), tmp_path).lineage.graph
    assert {edge: before.edges[edge]["evidence"] for edge in before.edges} == {
        edge: after.edges[edge]["evidence"] for edge in before.edges
    }
    assert after.degree("stranger.safetensors") == 0


def test_a_second_build_reads_no_weights_and_ends_with_the_same_bytes(copied, tmp_path, monkeypatch):
    past = time.time() - 100
    for file in copied.iterdir():
        os.utime(file, (past, past))
    monkeypatch.setattr(digest, "SETTLED_SECONDS", -1e9)  # the change time cannot be set back
    zoo = manifest_of(copied)
    built(zoo, tmp_path)
    first = {name: (tmp_path / "out" / name).read_bytes() for name in OUTPUTS if name != "run.json"}

    def refuse(*_):
        raise AssertionError("weights were read again")

    monkeypatch.setattr(fingerprint, "open_checkpoint", refuse)
    monkeypatch.setattr(held, "open_checkpoint", refuse)
    monkeypatch.setattr(digest, "_sha256", refuse)
    assert not built(zoo, tmp_path).lineage.failures
    assert {name: (tmp_path / "out" / name).read_bytes() for name in first} == first


def test_a_file_that_changed_is_read_again(copied, tmp_path):
    zoo = manifest_of(copied)
    before = built(zoo, tmp_path).lineage.graph.nodes["m6.safetensors"]["sha256"]
    shutil.copy(copied / "m4.safetensors", copied / "m6.safetensors")
    graph = built(zoo, tmp_path).lineage.graph
    assert graph.nodes["m6.safetensors"]["sha256"] != before
    assert graph.edges["m4.safetensors", "m6.safetensors"]["kind"] == "duplicate"


@pytest.mark.parametrize("delay", [0.6, 0.9, 1.2, 1.6])
def test_a_killed_build_goes_on_to_the_same_bytes(copied, tmp_path, delay):
    zoo = manifest_of(copied)
    built(zoo, tmp_path)
    expected = {name: (tmp_path / "out" / name).read_bytes() for name in OUTPUTS if name != "run.json"}
    command = [sys.executable, "-m", "lgraph", "build", str(copied / "zoo.yaml"), "-o", str(tmp_path / "killed")]
    command += ["--no-metadata", "--jobs", "1", "--cache", str(tmp_path / "other")]
    with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as process:
        time.sleep(delay)
        process.send_signal(signal.SIGKILL)
    subprocess.run(command, check=True, capture_output=True)
    assert {name: (tmp_path / "killed" / name).read_bytes() for name in expected} == expected
    assert not list((tmp_path / "killed").glob(".*"))


def test_damaged_models_are_named_and_the_rest_is_built(tiny_zoo, copied, tmp_path):
    whole = (copied / "m4.safetensors").read_bytes()
    damaged = {
        "truncated.safetensors": whole[: len(whole) // 2],
        "empty.safetensors": b"",
        "magic.safetensors": b"no weights at all, only words" * 10,
        "header.safetensors": (2**60).to_bytes(8, "little") + whole[8:],
        "pickle.safetensors": b"\x80\x02cos\nsystem\nX\x04\x00\x00\x00trueq\x00\x85R.",
    }
    for name, data in damaged.items():
        (copied / name).write_bytes(data)
    state = load_file(copied / "m4.safetensors")
    state["0.weight"][3, 5] = float("nan")
    save_file(state, copied / "nan.safetensors")
    (copied / "loop.safetensors").symlink_to("loop.safetensors")
    result = built(manifest_of(copied), tmp_path)
    errors = {failure.id: failure.error for failure in result.lineage.failures}
    assert errors == {
        "truncated.safetensors": "TruncatedFileError",
        "empty.safetensors": "EmptyFileError",
        "magic.safetensors": "UnsupportedFormatError",
        "header.safetensors": errors["header.safetensors"],
        "pickle.safetensors": errors["pickle.safetensors"],
        "nan.safetensors": "NonFiniteWeightsError",
        "loop.safetensors": "DirectoryLoopError",
    }
    assert errors["header.safetensors"] in ("LimitExceededError", "CorruptFileError", "TruncatedFileError")
    assert errors["pickle.safetensors"] in ("UnsafePickleError", "NoWeightsError")
    assert all(failure.id.removesuffix(".safetensors") in failure.message for failure in result.lineage.failures)
    assert result.lineage.graph.number_of_edges() == len(tiny_zoo.edges)
    run = json.loads((tmp_path / "out" / "run.json").read_text())
    assert {failure["id"] for failure in run["failures"]} == set(errors)
    report = (tmp_path / "out" / "report.md").read_text()
    assert all(name in report for name in errors)


def test_no_permission_is_an_error_of_its_own(copied, tmp_path, monkeypatch):
    real = Path.open

    def open_(path, *args, **kwargs):
        if path.name == "m6.safetensors":
            raise PermissionError(13, "Permission denied", str(path))
        return real(path, *args, **kwargs)

    monkeypatch.setattr(Path, "open", open_)
    (failure,) = built(manifest_of(copied), tmp_path).lineage.failures
    assert (failure.id, failure.error) == ("m6.safetensors", "UnreadableFileError")


def test_strict_stops_at_a_failure_and_writes_nothing(copied, tmp_path):
    (copied / "bad.safetensors").write_bytes(b"")
    with pytest.raises(StrictError, match=r"strict: 1 .*bad.safetensors: EmptyFileError"):
        built(manifest_of(copied), tmp_path, strict=True)
    assert not (tmp_path / "out").exists()


def test_a_place_that_cannot_be_written_is_one_error(copied, tmp_path):
    (tmp_path / "out").write_text("a file where the folder should be")
    with pytest.raises(OutputError, match="out"):
        built(manifest_of(copied), tmp_path)


def test_dates_and_declarations_count_only_where_metadata_does(copied, tmp_path):
    """The claims are false on purpose: with metadata they pull, without it they do nothing."""
    child, parent = "m1.safetensors", "m4.safetensors"
    entries = [{"path": f"m{i}.safetensors"} for i in (2, 3, 5, 6, 7, 8)]
    entries += [{"path": child, "created": "2020-01-01"}, {"path": parent, "parents": [child], "created": "2024-01-01"}]
    without = built(manifest_of(copied, *entries), tmp_path).lineage.graph
    assert without.has_edge(parent, child)
    assert not [k for k in without.edges[parent, child]["evidence"] if k in ("created", "declared")]
    within = built(manifest_of(copied, *entries), tmp_path, metadata=True).lineage.graph
    edge = (child, parent) if within.has_edge(child, parent) else (parent, child)
    assert {"created", "declared"} <= within.edges[edge]["evidence"].keys()


def test_a_declared_parent_that_the_weights_contradict_is_no_edge(copied, tmp_path):
    entries = [{"path": f"m{i}.safetensors"} for i in (1, 2, 3, 4, 5, 7, 8)]
    entries += [{"path": "m6.safetensors", "parents": ["m4.safetensors"]}]
    lineage = built(manifest_of(copied, *entries), tmp_path, metadata=True).lineage
    assert lineage.graph.degree("m6.safetensors") == 0
    (miss,) = [r for r in lineage.rejected if {r.a, r.b} == {"m6.safetensors", "m4.safetensors"}] or [None]
    assert miss is None or "strangers" in miss.reason


def test_a_date_decides_between_copies_of_one_file(copied, tmp_path):
    shutil.copy(copied / "m6.safetensors", copied / "copy.safetensors")
    entries = [
        {"path": "m6.safetensors", "created": "2025-01-01"},
        {"path": "copy.safetensors", "created": "2020-01-01"},
    ]
    graph = built(manifest_of(copied, *entries), tmp_path, metadata=True).lineage.graph
    assert graph.edges["copy.safetensors", "m6.safetensors"]["direction_confidence"] > 0.8


def test_renaming_copies_changes_nothing_but_the_names(copied, tmp_path):
    """The copies are parents, and sort before and after each other: the family must not fall apart."""
    edges = set()
    for name in ("0.safetensors", "z.safetensors"):
        shutil.copy(copied / "m4.safetensors", copied / name)
        graph = built(manifest_of(copied), tmp_path).lineage.graph
        edges.add(frozenset(frozenset("m4" if n in (name, "m4.safetensors") else n for n in e) for e in graph.edges))
        assert graph.nodes["m1.safetensors"]["family"] == graph.nodes[name]["family"]
        (copied / name).unlink()
    assert len(edges) == 1


def test_masks_neither_stop_a_build_nor_relate_strangers(tmp_path):
    folder = tmp_path / "zoo"
    folder.mkdir()
    for index in range(3):
        generator = np.random.default_rng(index)
        masks = {f"blocks.{i}.attn.tri": np.tri(64, dtype=np.float32) for i in range(4)}
        masks["additive"] = np.where(np.tri(64) > 0, 0, -np.inf).astype(np.float32)
        masks["limit"] = np.where(np.tri(64) > 0, 0, np.finfo(np.float32).min).astype(np.float32)
        weights = {f"w{i}": generator.standard_normal((40, 40)).astype(np.float32) for i in range(2)}
        save_file(masks | weights, folder / f"{index}.safetensors")
    weights["w0"] = weights["w0"] + 0.1 * generator.standard_normal((40, 40)).astype(np.float32)
    save_file(masks | weights, folder / "child.safetensors")
    graph = built(manifest_of(folder), tmp_path).lineage.graph
    ((parent, child, edge),) = graph.edges(data=True)
    assert {parent, child} == {"2.safetensors", "child.safetensors"}
    assert 0.01 < edge["distance"] < 0.2


def test_equal_values_in_a_wider_type_are_a_copy_of_the_narrower(copied, tmp_path):
    state = load_file(copied / "m6.safetensors")
    half = {name: w.astype(np.float16) if w.dtype == np.float32 else w for name, w in state.items()}
    save_file(half, copied / "half.safetensors")
    save_file(
        {n: w.astype(np.float32) if w.dtype == np.float16 else w for n, w in half.items()}, copied / "up.safetensors"
    )
    entries = [{"path": "half.safetensors"}, {"path": "up.safetensors"}]
    graph = built(manifest_of(copied, *entries), tmp_path).lineage.graph
    assert graph.edges["half.safetensors", "up.safetensors"]["kind"] == "duplicate"


def test_what_lies_beside_a_folder_counts(copied, tmp_path):
    """Training counters of a folder are in a file of their own: a change there is a change of the model."""
    folder = copied / "model"
    folder.mkdir()
    shutil.copy(copied / "m6.safetensors", folder / "model.safetensors")
    (folder / "config.json").write_text("{}")
    entries = [{"path": "model"}, {"path": "m6.safetensors"}]
    (folder / "trainer_state.json").write_text('{"global_step": 7}')
    zoo = manifest_of(copied, *entries)
    seen = []
    for step in (7, 900):
        (folder / "trainer_state.json").write_text(f'{{"global_step": {step}}}')
        built(zoo, tmp_path)
        seen.append(len(list((tmp_path / "cache" / "fingerprint").rglob("*"))))
    assert seen[1] > seen[0]


def test_a_damaged_cache_is_made_anew(copied, tmp_path):
    zoo = manifest_of(copied)
    built(zoo, tmp_path)
    expected = {name: (tmp_path / "out" / name).read_bytes() for name in OUTPUTS if name != "run.json"}
    for number, file in enumerate(p for p in sorted((tmp_path / "cache").rglob("*")) if p.is_file()):
        file.write_bytes(b"" if number % 2 else file.read_bytes()[:-3])
    built(zoo, tmp_path)
    assert {name: (tmp_path / "out" / name).read_bytes() for name in expected} == expected


def test_large_matrices_give_the_same_bytes_in_any_number_of_processes(tmp_path):
    folder = tmp_path / "zoo"
    folder.mkdir()
    generator = np.random.default_rng(0)
    root = {f"w{c}": generator.standard_normal((640, 640)).astype(np.float32) for c in "abc"}
    for index in range(3):
        moved = {name: w + np.float32(0.1) * generator.standard_normal(w.shape, np.float32) for name, w in root.items()}
        save_file(moved, folder / f"{index}.safetensors")
    texts = []
    for jobs in (1, 2):
        built(manifest_of(folder), tmp_path, jobs=jobs, cache=tmp_path / f"cache-{jobs}")
        texts.append((tmp_path / "out" / "lineage.json").read_bytes())
    assert texts[0] == texts[1]


def test_two_copies_of_one_file_are_a_duplicate(copied, tmp_path):
    shutil.copy(copied / "m6.safetensors", copied / "copy.safetensors")
    graph = built(manifest_of(copied), tmp_path).lineage.graph
    assert {graph.edges[e]["kind"] for e in graph.edges if "copy" in "".join(e)} == {"duplicate"}


@pytest.mark.skipif(not WILD.is_dir(), reason="the real checkpoints are not on this machine")
@pytest.mark.parametrize("family", ["fedavg", "toylora", "pretrain_gnns", "proteinmpnn", "strangers"])
def test_real_checkpoints_build_without_a_crash(family, tmp_path):
    result = built(manifest.load(WILD / family / "manifest.yaml"), tmp_path)
    assert {f.error for f in result.lineage.failures} <= {"UnsupportedFormatError", "UnsafePickleError"}
    if family == "strangers":
        assert result.lineage.graph.number_of_edges() == 0
