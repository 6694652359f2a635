"""What a trace says of one checkpoint is what a build says that had it from the start."""

import time

import pytest
import yaml

import lineages_on_disk as disk
from lineage_graph import evidence, held, lookup, manifest
from lineage_graph.build import BuildSettings, build
from lineage_graph.errors import IndexFileError, LineageGraphError, ModelError
from lineage_graph.index import Index
from lineage_graph.render.node_link import from_json, read_families, to_json
from lineage_graph.trace import TraceSettings, comparable, place

STATES = disk.states()
WRITTEN = ("lineage.json", "lineage.graphml", "report.md", "index.arrow")


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """All models on disk, and a cache in which every one was measured."""
    folder = tmp_path_factory.mktemp("trace")
    for name, state in STATES.items():
        disk.save(state, folder / "zoo" / f"{name}.safetensors")
    return folder


def built(folder, names, out="out", **settings):
    """A build of some of the models."""
    path = folder / "zoo" / "zoo.yaml"
    entries = [{"path": f"{name}.safetensors"} for name in names]
    path.write_text(yaml.safe_dump({"name": "zoo", "models": entries}))
    usual = {"metadata": False, "features": False, "detector": False, "jobs": 1, "cache": folder / "cache"}
    return build(manifest.load(path), folder / out, BuildSettings(**{**usual, **settings}))


def traced(folder, name, out="out", **settings):
    families = read_families((folder / out / "lineage.json").read_text())
    given = TraceSettings(jobs=1, cache=folder / "cache", **settings)
    return place(folder / "zoo" / f"{name}.safetensors", f"{name}.safetensors", folder / out, families, given)


def edges_at(graph, node):
    return {
        (a, b): (data["kind"], data["confidence"], data["direction_confidence"], data["evidence"])
        for a, b, data in graph.edges(data=True)
        if node in (a, b)
    }


@pytest.mark.parametrize("whole", [lookup.WHOLE, 0])
@pytest.mark.parametrize("name", ["a", "c", "g", "merge", "alone", "r0", "copy"])
def test_the_verdict_is_that_of_a_build(folder, name, whole, monkeypatch):
    """Also where an index is searched by its columns, as a large one is."""
    monkeypatch.setattr(lookup, "WHOLE", whole)
    built(folder, [one for one in STATES if one != name])
    found = traced(folder, name)
    whole = built(folder, list(STATES), "whole").lineage.graph
    node = f"{name}.safetensors"
    assert edges_at(found.lineage.graph, node) == edges_at(whole, node)
    assert found.zoo == len(STATES) - 1


@pytest.mark.parametrize(
    ("name", "verdict"), [("c", "child"), ("merge", "merge"), ("alone", "unrelated"), ("copy", "copy")]
)
def test_what_a_model_is(folder, name, verdict):
    built(folder, [one for one in STATES if one != name])
    assert traced(folder, name).verdict == verdict


def test_a_child_comes_with_the_way_up(folder):
    built(folder, [one for one in STATES if one != "d"])
    found = traced(folder, "d")
    assert found.parents == ["a.safetensors"]
    assert found.chain[:2] == ["d.safetensors", "a.safetensors"]
    assert found.unrelated < 0.01


def test_a_stranger_is_surely_one(folder):
    built(folder, [one for one in STATES if one != "alone"])
    found = traced(folder, "alone")
    assert (found.parents, found.children, found.verdict) == ([], [], "unrelated")
    assert found.unrelated > 0.9
    assert found.unlike == 0


def test_nothing_is_written_without_add(folder):
    built(folder, [one for one in STATES if one != "g"])
    before = {path.name: (path.read_bytes(), path.stat().st_mtime_ns) for path in (folder / "out").iterdir()}
    traced(folder, "g")
    assert {path.name: (path.read_bytes(), path.stat().st_mtime_ns) for path in (folder / "out").iterdir()} == before


@pytest.mark.parametrize("name", ["a", "merge", "alone", "copy", "r1"])
def test_adding_equals_a_build_that_had_it_from_the_start(folder, name):
    built(folder, list(STATES))
    expected = {one: (folder / "out" / one).read_bytes() for one in WRITTEN}
    built(folder, [one for one in STATES if one != name])
    traced(folder, name, add=True)
    assert {one: (folder / "out" / one).read_bytes() for one in WRITTEN} == expected


def test_weights_are_read_only_where_the_new_model_takes_part(folder, monkeypatch):
    """Everything else was measured by the build."""
    disk.save(disk.child(STATES["e"], 99), folder / "zoo" / "new.safetensors")
    built(folder, list(STATES))
    pairs = []
    real = evidence.compare
    monkeypatch.setattr(evidence, "compare", lambda task: pairs.append({task.a.path, task.b.path}) or real(task))
    found = traced(folder, "new")
    assert found.parents == ["e.safetensors"]
    assert 0 < len(pairs) <= 12 + 2 * len(STATES) // 3
    assert all(str(folder / "zoo" / "new.safetensors") in pair for pair in pairs)


def place_anew(folder, name):
    """A trace with an empty cache."""
    families = read_families((folder / "out" / "lineage.json").read_text())
    given = TraceSettings(jobs=1, cache=folder / f"fresh-{time.monotonic_ns()}")
    return place(folder / "zoo" / f"{name}.safetensors", name, folder / "out", families, given)


def test_a_candidate_that_is_gone_is_named_with_what_its_fingerprint_says(folder):
    built(folder, [one for one in STATES if one != "g"])
    file = folder / "zoo" / "e.safetensors"
    data = file.read_bytes()
    file.unlink()
    try:
        found = place_anew(folder, "g")
        with pytest.raises(LineageGraphError, match=r"e\.safetensors.*nothing was added"):
            traced(folder, "g", add=True)
    finally:
        file.write_bytes(data)
    (gone,) = found.gone
    assert (gone.id, gone.similarity > 0.9) == ("e.safetensors", True)
    assert str(folder) not in gone.reason


def test_a_candidate_that_changed_is_not_compared_under_its_old_digest(folder):
    built(folder, [one for one in STATES if one != "g"])
    file = folder / "zoo" / "e.safetensors"
    data = file.read_bytes()
    disk.save(disk.root(77), file)
    try:
        found = place_anew(folder, "g")
    finally:
        file.write_bytes(data)
    assert [(one.id, one.reason) for one in found.gone] == [
        ("e.safetensors", "its weights have changed since the zoo was built")
    ]


def test_a_copy_that_changed_stands_for_nobody(folder):
    built(folder, list(STATES))
    file = folder / "zoo" / "c.safetensors"
    data = file.read_bytes()
    disk.save(STATES["c"], folder / "zoo" / "x.safetensors")
    disk.save(disk.root(78), file)
    try:
        found = traced(folder, "x")
    finally:
        file.write_bytes(data)
        (folder / "zoo" / "x.safetensors").unlink()
    assert "c.safetensors" not in found.lineage.graph
    assert found.parents == ["a.safetensors"]


def test_nothing_is_kept_of_weights_that_changed_anywhere_in_the_zoo(folder, tmp_path):
    """Neither of the model's family nor of others, under the digests of the old ones."""
    built(folder, [one for one in STATES if one != "d"])
    families = read_families((folder / "out" / "lineage.json").read_text())
    cache = tmp_path / "cache"
    kept = {name: (folder / "zoo" / f"{name}.safetensors").read_bytes() for name in ("g", "b")}
    before = (folder / "out" / "lineage.json").read_bytes()
    try:
        for name in kept:
            disk.save(disk.child(STATES[name], 99), folder / "zoo" / f"{name}.safetensors")
        given = TraceSettings(jobs=1, cache=cache, add=True)
        held._held.clear()
        with pytest.raises(LineageGraphError, match=r"safetensors: its weights have changed.*nothing was added"):
            place(folder / "zoo" / "d.safetensors", "d.safetensors", folder / "out", families, given)
    finally:
        for name, data in kept.items():
            (folder / "zoo" / f"{name}.safetensors").write_bytes(data)
        held._held.clear()
    assert (folder / "out" / "lineage.json").read_bytes() == before
    found = built(folder, list(STATES), "whole", cache=cache)
    new = built(folder, list(STATES), "new", cache=tmp_path / "new")
    assert to_json(found.lineage) == to_json(new.lineage)


def test_what_cannot_be_read_is_one_error(folder):
    built(folder, ["r0", "a"])
    bad = folder / "zoo" / "bad.safetensors"
    bad.write_bytes(b"no weights")
    try:
        with pytest.raises(ModelError, match=r"bad\.safetensors"):
            traced(folder, "bad")
    finally:
        bad.unlink()


def test_a_zoo_without_an_index_is_built_again(folder):
    built(folder, ["r0", "a"], "old")
    (folder / "old" / "index.arrow").unlink()
    with pytest.raises(IndexFileError, match="build the zoo again"):
        traced(folder, "b", "old")


def test_only_models_of_a_like_shape_are_decoded(folder):
    built(folder, ["r0", "a"], "small")
    with Index(folder / "small") as kept:
        model = kept.models([0])[0]
        assert comparable(kept, model).tolist() == [0, 1]


def test_an_unreadable_model_of_the_zoo_stays_in_it(folder):
    (folder / "zoo" / "empty.safetensors").write_bytes(b"")
    try:
        built(folder, ["empty", "r0", "a"], "failed")
        found = traced(folder, "b", "failed", add=True)
    finally:
        (folder / "zoo" / "empty.safetensors").unlink()
    assert found.failed == 1
    after = from_json((folder / "failed" / "lineage.json").read_text())
    assert [one.id for one in after.failures] == ["empty.safetensors"]
    assert after.graph.has_edge("r0.safetensors", "b.safetensors") or after.graph.has_edge(
        "b.safetensors", "r0.safetensors"
    )
