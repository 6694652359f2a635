"""A zoo that changed is built to the same bytes as from nothing, and what did not change is not read again."""

import json
import random
from itertools import pairwise

import pytest
import yaml

import lineages_on_disk as disk
from lineage_graph import build as whole
from lineage_graph import evidence, fingerprint, manifest, recognition, survey, trimmed
from lineage_graph.build import BuildSettings, build
from lineage_graph.errors import UnreadableFileError
from lineage_graph.sources import digest

STATES = disk.states()
WRITTEN = ("lineage.json", "lineage.graphml", "report.md", "index.arrow")


def built(folder, ids, out, cache, suffix=".safetensors", said=None):
    """``ids``: by file or folder, the model's id. ``said``: by id, what the manifest says of models, if that counts."""
    entries = [{"path": f"{file}{suffix}", "id": id_, **(said or {}).get(id_, {})} for file, id_ in ids.items()]
    (folder / "zoo.yaml").write_text(yaml.safe_dump({"name": "zoo", "models": entries}))
    settings = BuildSettings(metadata=said is not None, features=False, detector=False, jobs=1, cache=folder / cache)
    build(manifest.load(folder / "zoo.yaml"), folder / out, settings)
    return {name: (folder / out / name).read_bytes() for name in WRITTEN}


def change(ids, generator, folder, number):
    """One change to the zoo: a model more, less, with other weights, or under another name."""
    spare = sorted(set(STATES) - set(ids))
    kinds = ["rename", "swap"] + ["add"] * 2 * bool(spare) + ["remove"] * (len(ids) > 4)
    kind = generator.choice(kinds)
    if kind == "add":
        name = generator.choice(spare)
        disk.save(STATES[name], folder / f"{name}.safetensors")
        return {**ids, name: name}
    file = generator.choice(sorted(ids))
    if kind == "remove":
        return {one: id_ for one, id_ in ids.items() if one != file}
    if kind == "rename":
        return {**ids, file: f"renamed-{number}"}
    other = generator.choice(sorted(STATES))
    disk.save(disk.child(STATES[other], 50 + number), folder / f"{file}.safetensors")
    return ids


@pytest.mark.parametrize("seed", range(3))
def test_any_sequence_of_changes_ends_as_a_build_from_nothing(tmp_path, seed):
    generator = random.Random(seed)
    ids = {name: name for name in generator.sample(sorted(STATES), 7)}
    for name in ids:
        disk.save(STATES[name], tmp_path / f"{name}.safetensors")
    built(tmp_path, ids, "out", "cache")
    for number in range(4):
        ids = change(ids, generator, tmp_path, number)
        found = built(tmp_path, ids, "out", "cache")
    assert found == built(tmp_path, ids, "new", f"new-cache-{seed}")


@pytest.mark.parametrize("seed", range(3))
def test_so_does_any_sequence_of_claims(tmp_path, seed):
    """Of parents, true and false ones, across families and of models that are not there, and of dates."""
    generator = random.Random(seed)
    ids = {name: name for name in generator.sample(sorted(STATES), 9)}
    for name in ids:
        disk.save(STATES[name], tmp_path / f"{name}.safetensors")
    said = {}
    for _ in range(5):
        one = generator.choice(sorted(ids))
        said[one] = {
            "parents": [generator.choice(sorted(STATES.keys() - {one}))],
            "created": f"2024-01-{10 + len(said)}",
        }
        found = built(tmp_path, ids, "out", "cache", said=said)
        del said[generator.choice(sorted(said))]
    found = built(tmp_path, ids, "out", "cache", said=said)
    assert found == built(tmp_path, ids, "new", f"new-cache-{seed}", said=said)
    assert found != built(tmp_path, ids, "out", "cache")


@pytest.fixture
def read(monkeypatch, tmp_path):
    """By stage, the sets of files that were worked on, since it was last cleared; and stamps that have settled."""
    monkeypatch.setattr(digest, "SETTLED_SECONDS", -1e9)
    seen = []

    def watch(module, name, files):
        real = getattr(module, name)

        def watched(task):
            names = (path.removeprefix(f"{tmp_path}/") for path in files(task))
            seen.append((name, {one.removesuffix(".safetensors") for one in names}))
            return real(task)

        monkeypatch.setattr(module, name, watched)

    watch(fingerprint, "compute", lambda task: [task.path])
    watch(evidence, "compare", lambda task: [task.a.path, task.b.path])
    watch(survey, "compare", lambda task: [task.a.path, task.b.path])
    watch(recognition, "look", lambda task: [task.a.path, task.b.path])
    watch(trimmed, "look", lambda task: task.paths)
    watch(digest, "compute", lambda task: task.files)
    return seen


def zoo_of_two_shapes(folder):
    """The two families of different widths, so that no model of the one is a candidate of the other."""
    wide = {name: state for name, state in STATES.items() if name in ("r0", "a", "b", "c", "d")}
    narrow = {"r1": {"x": disk.root(9)["a.weight"][:24], "y": disk.root(8)["b.weight"][:20, :24]}}
    for number, (name, parent) in enumerate([("e", "r1"), ("f", "r1"), ("g", "e")]):
        narrow[name] = disk.child(narrow[parent], 60 + number)
    for name, state in {**wide, **narrow}.items():
        disk.save(state, folder / f"{name}.safetensors")
    return set(wide), set(narrow)


def test_only_what_changed_its_candidates_and_its_family_are_read(tmp_path, read):
    wide, narrow = zoo_of_two_shapes(tmp_path)
    before = {name: name for name in sorted(wide | narrow) if name != "d"}
    built(tmp_path, before, "out", "cache")
    read.clear()
    built(tmp_path, {**before, "d": "d"}, "out", "cache")
    stages = {name for name, _ in read}
    assert {"compute", "compare"} <= stages
    assert [files for name, files in read if name == "compute"] == [{"d"}, {"d"}]  # its digest, its fingerprint
    assert all("d" in files for name, files in read if name == "compare")
    assert set().union(*(files for _, files in read)) <= wide


def test_what_is_known_of_a_pair_is_not_worked_out_again(tmp_path, monkeypatch):
    """Neither alignments of names nor signals, until the weights of one change."""
    zoo_of_two_shapes(tmp_path)
    ids = {name: name for name in ("r0", "a", "b", "c")}
    first = built(tmp_path, ids, "out", "cache")
    weighed = []
    real = evidence.weigh

    def watched(a, b, *rest):
        weighed.append({a.digest, b.digest})
        return real(a, b, *rest)

    monkeypatch.setattr(evidence, "weigh", watched)
    assert built(tmp_path, ids, "out", "cache") == first
    assert weighed == []
    disk.save(disk.child(STATES["r0"], 77), tmp_path / "c.safetensors")
    assert built(tmp_path, ids, "out", "cache") != first
    assert weighed
    assert len(set.intersection(*weighed)) == 1


@pytest.fixture
def judged(monkeypatch):
    """The ids of the models of each part that was judged, since it was last cleared."""
    seen = []
    real = whole.conclude

    def watched(examined, *rest):
        seen.append({model.id for model in examined.models})
        return real(examined, *rest)

    monkeypatch.setattr(whole, "conclude", watched)
    return seen


def test_only_the_part_that_changed_is_judged_again(tmp_path, judged):
    wide, narrow = zoo_of_two_shapes(tmp_path)
    everyone = {name: name for name in sorted(wide | narrow)}
    without = {name: id_ for name, id_ in everyone.items() if name != "d"}
    first = built(tmp_path, without, "out", "cache")
    assert sorted(map(sorted, judged)) == [sorted(wide - {"d"}), sorted(narrow)]
    for ids, changed in (
        (everyone, wide),
        (without, None),
        ({**without, "e": "renamed"}, narrow - {"e"} | {"renamed"}),
    ):
        judged.clear()
        found = built(tmp_path, ids, "out", "cache")
        assert judged == ([changed] if changed else [])
        assert (found == first) == (ids == without)


def test_what_failed_is_tried_again(tmp_path, monkeypatch, judged):
    wide, narrow = zoo_of_two_shapes(tmp_path)
    ids = {name: name for name in sorted(wide | narrow)}
    real = evidence.compare

    def unlucky(task):
        if task.a.path.endswith(("a.safetensors", "c.safetensors")):
            raise UnreadableFileError(f"{task.a.path}: cannot be read (once)")
        return real(task)

    monkeypatch.setattr(evidence, "compare", unlucky)
    once = built(tmp_path, ids, "out", "cache")
    assert "not compared" in once["lineage.json"].decode()
    monkeypatch.setattr(evidence, "compare", real)
    judged.clear()
    again = built(tmp_path, ids, "out", "cache")
    assert judged == [wide]
    assert again == built(tmp_path, ids, "new", "new-cache")


@pytest.mark.parametrize("ids", [{"r0": "r0", "a": "a", "b": "b"}, {"r0": "r0", "a": "other", "b": "b", "c": "c"}])
def test_what_is_gone_or_renamed_reads_nothing(tmp_path, read, ids):
    zoo_of_two_shapes(tmp_path)
    built(tmp_path, {name: name for name in ("r0", "a", "b", "c")}, "out", "cache")
    read.clear()
    built(tmp_path, ids, "out", "cache")
    assert [name for name, _ in read if name != "look"] == []


def test_a_file_that_is_written_anew_meanwhile_fails_alone_and_leaves_nothing_behind(tmp_path, monkeypatch):
    ids = {name: name for name in ("r0", "a", "b", "c")}
    for name in ids:
        disk.save(STATES[name], tmp_path / f"{name}.safetensors")
    real = fingerprint.compute

    def overtaken(task):
        if task.path.endswith("c.safetensors"):
            disk.save(STATES["e"], tmp_path / "c.safetensors")
        return real(task)

    monkeypatch.setattr(fingerprint, "compute", overtaken)
    graph = json.loads(built(tmp_path, ids, "out", "cache")["lineage.json"])
    status = {node["id"]: node["status"] for node in graph["nodes"]}
    assert status == {"r0": "ok", "a": "ok", "b": "ok", "c": "ChangedFileError"}
    monkeypatch.setattr(fingerprint, "compute", real)
    disk.save(STATES["c"], tmp_path / "c.safetensors")
    assert built(tmp_path, ids, "out", "cache") == built(tmp_path, ids, "new", "new-cache")


def test_the_order_of_the_manifest_says_nothing(tmp_path):
    zoo_of_two_shapes(tmp_path)
    ids = {name: name for name in ("r0", "a", "b", "c", "d")}
    results = [built(tmp_path, dict(order), "out", "cache") for order in (ids.items(), reversed(ids.items()))]
    assert all(one == other for one, other in pairwise(results))


def test_counters_that_change_beside_the_weights_count(tmp_path):
    def step(name, number):
        (tmp_path / name / "trainer_state.json").write_text(f'{{"global_step": {number}}}')

    for name in ("r0", "a", "c"):
        disk.save(STATES[name], tmp_path / name / "model.safetensors")
        (tmp_path / name / "config.json").write_text("{}")
        step(name, 10)
    ids = {name: name for name in ("r0", "a", "c")}
    first = built(tmp_path, ids, "out", "cache", suffix="")
    step("c", 900)
    again = built(tmp_path, ids, "out", "cache", suffix="")
    assert again != first
    assert again == built(tmp_path, ids, "new", "new-cache", suffix="")
