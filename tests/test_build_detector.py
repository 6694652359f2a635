"""The learned detector as evidence in the build."""

import numpy as np
import pytest
import yaml
from safetensors.numpy import save_file

from lineage_graph import manifest
from lineage_graph.build import BuildSettings, build
from lineage_graph.detector import score, stage
from lineage_graph.types import Detection


def built(files, folder, cache, **settings):
    models = [{"path": str(path), "id": name} for name, path in files.items()]
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "z.yaml").write_text(yaml.safe_dump({"name": "z", "models": models}))
    settings = {"metadata": False, "features": False, "jobs": 1, "cache": cache, **settings}
    return build(manifest.load(folder / "z.yaml"), folder / "out", BuildSettings(**settings)).lineage.graph


def said(graph):
    """By edge, what the detector said."""
    found = {}
    for parent, child, edge in graph.edges(data=True):
        found[parent, child] = {k: v for k, v in edge["evidence"].items() if k.startswith("detector.")}
    return found


@pytest.fixture(scope="module")
def cache(tmp_path_factory):
    return tmp_path_factory.mktemp("cache")


def test_edges_carry_what_the_detector_says(tiny_zoo, tmp_path, cache):
    found = said(built(tiny_zoo.paths, tmp_path, cache))
    assert any(found.values())
    for signals in filter(None, found.values()):
        assert signals.keys() == {"detector.parent", "detector.direction"}
        assert 0 <= signals["detector.parent"] <= 1


def test_it_can_be_left_out(tiny_zoo, tmp_path, cache, monkeypatch):
    monkeypatch.setattr(stage, "ask", lambda _: pytest.fail("the detector was asked"))
    assert not any(said(built(tiny_zoo.paths, tmp_path, cache, detector=False)).values())


def test_what_was_asked_is_not_asked_again(tiny_zoo, tmp_path, cache, monkeypatch):
    first = said(built(tiny_zoo.paths, tmp_path / "first", cache))
    monkeypatch.setattr(stage, "ask", lambda _: pytest.fail("the detector was asked"))
    assert said(built(tiny_zoo.paths, tmp_path / "second", cache)) == first


def test_one_more_stranger_changes_no_answer(tiny_zoo, tmp_path, cache):
    one = next(iter(tiny_zoo.paths.values()))
    from safetensors.numpy import load_file

    dice = np.random.default_rng(0)
    stranger = {
        k: (v.std() * dice.standard_normal(v.shape)).astype(v.dtype) if v.ndim else v for k, v in load_file(one).items()
    }
    save_file(stranger, tmp_path / "stranger.safetensors")
    without = said(built(tiny_zoo.paths, tmp_path / "without", cache))
    files = {**tiny_zoo.paths, "stranger": tmp_path / "stranger.safetensors"}
    assert said(built(files, tmp_path / "with", cache)) == without


def test_a_model_that_gives_no_portrait_is_left_out(tiny_zoo, tmp_path, monkeypatch):
    def fail(task):
        raise ValueError(task.path)

    monkeypatch.setattr(stage.portrait, "compute", fail)
    graph = built(tiny_zoo.paths, tmp_path, tmp_path / "cache")
    assert graph.number_of_edges() == len(tiny_zoo.edges)
    assert not any(said(graph).values())


def test_answers_survive_being_kept():
    found = score.Answer(np.array([0.25, 0.5], dtype=np.float32), 0.25)
    again = stage.from_bytes(stage.to_bytes(found))
    assert (again.probabilities.tolist(), again.none, again.abstained) == ([0.25, 0.5], 0.25, "")
    for damaged in (b"1", b"[[], 0]"):
        with pytest.raises(ValueError, match=r"answer|unpack"):
            stage.from_bytes(damaged)


def test_direction_is_the_ratio_of_both_ways():
    from lineage_graph.signals import learned

    assert learned.measure(Detection(0.8, 0.1)) == {
        "detector.parent": 0.8,
        "detector.direction": pytest.approx(np.log(8)),
    }
    turned = learned.measure(Detection(0.1, 0.8))
    assert turned["detector.direction"] == pytest.approx(-np.log(8))
    assert learned.measure(Detection(0.0, 0.0)) == {"detector.parent": 0.0, "detector.direction": 0.0}
