"""Each bench runs at a small size; its figures are printed, not tested: machines differ."""

import pytest

import lineages_on_disk
from lineage_graph.bench import candidates, io, pruning, rebuild, registry, sketch
from lineage_graph.bench.markdown import table
from lineage_graph.types import silent


@pytest.fixture(autouse=True)
def own_cache(monkeypatch, tmp_path_factory):
    monkeypatch.setattr("lineage_graph.bench.zoo.default_cache", lambda: tmp_path_factory.getbasetemp() / "cache")


def rows(text):
    return [line for line in text.splitlines() if line.startswith("| ") and "---" not in line]


def test_tables():
    assert table(["a", "b"], [[1, 0.12345]]) == "| a | b |\n| --- | --- |\n| 1 | 0.123 |\n"


def test_io(monkeypatch, tmp_path):
    monkeypatch.setattr(io, "SIZE", 1 << 25)
    monkeypatch.setattr(io, "ROUNDS", 1)
    text = io.run(tmp_path, silent)
    assert len(rows(text)) == 1 + 5
    assert not (tmp_path / "synthetic.safetensors").exists()


def test_sketch(monkeypatch, tmp_path):
    monkeypatch.setattr(sketch, "MODELS", 4)
    assert len(rows(sketch.run(tmp_path, silent))) == 1 + 3


def test_candidates(monkeypatch, tmp_path):
    monkeypatch.setattr(candidates, "ZOOS", (("digits", 4, 0),))
    monkeypatch.setattr(candidates, "POPULATIONS", (500,))
    text = candidates.run(tmp_path, silent)
    assert len(rows(text)) == 1 + len(candidates.NEIGHBOURS) + 1 + 1


def test_pruning(monkeypatch, tmp_path):
    monkeypatch.setattr(pruning, "MODELS", 5)
    text = pruning.run(tmp_path, silent)
    assert len(rows(text)) == 1 + 5
    assert "| pruned |" in text


def test_rebuild(tmp_path):
    states = {name: state for name, state in lineages_on_disk.states().items() if name != "copy"}
    for name, state in states.items():
        lineages_on_disk.save(state, tmp_path / f"{name}.safetensors")
    files = tuple((name, str(tmp_path / f"{name}.safetensors")) for name in states)
    found = rebuild.rebuild(rebuild.Task(str(tmp_path / "builds"), files))
    assert found.equal
    assert found.after["fingerprint"] == found.before["fingerprint"] + 1 == len(states)
    assert found.before["comparison"] < found.after["comparison"]
    assert len(rows(rebuild.report({len(files): found}))) == 2 + 2


def test_synthetic_files_are_what_they_say(tmp_path):
    from lineage_graph.checkpoints import open_checkpoint

    io.write_synthetic(tmp_path / "a.safetensors", 1 << 25)
    with open_checkpoint(tmp_path / "a.safetensors") as reader:
        assert [spec.shape for spec in reader.tensors] == [(1024, 4096)] * 2
        assert 0.9 < reader.read("layers.1.weight").std() < 1.1


def test_the_registry_names_modules_that_run():
    import importlib

    for bench in registry.BENCHES:
        assert callable(importlib.import_module(bench.module).run)
