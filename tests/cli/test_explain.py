"""``lgraph explain`` on a built zoo."""

import json

import pytest

from lineage_graph import manifest
from lineage_graph.build import BuildSettings, build


@pytest.fixture(scope="module")
def folder(tiny_zoo, tmp_path_factory):
    """The tiny zoo, built; its cache beside the outputs."""
    place = tmp_path_factory.mktemp("explain")
    (place / "zoo.yaml").write_text(f"name: z\nmodels: [{{path: '{tiny_zoo.folder}/*.safetensors'}}]\n")
    settings = BuildSettings(metadata=False, features=False, jobs=1, cache=place / "cache")
    result = build(manifest.load(place / "zoo.yaml"), place / "out", settings)
    names = {node.rpartition("/")[2].removesuffix(".safetensors"): node for node in result.lineage.graph}
    return place, names


@pytest.fixture
def explain(folder, call):
    """Run the command on two models of the tiny zoo."""
    place, names = folder

    def run(parent, child, *options, cache=place / "cache"):
        ends = [names.get(parent, parent), names.get(child, child)]
        return call("explain", *ends, "--in", place / "out", "--cache", cache, *options)

    return run


def test_an_edge_is_explained_signal_by_signal_and_layer_by_layer(explain):
    result = explain("m4", "m7")
    assert result.exit_code == 0
    assert "(finetune)" in result.stdout
    assert "cosine_z" in result.stdout
    assert "counter.num_batches_tracked" in result.stdout
    assert "ln of this training counter" in result.stdout
    assert "3.weight" in result.stdout


def test_the_wrong_direction_is_said_and_the_signs_turn(explain):
    right = json.loads(explain("m4", "m7", "--json").stdout)
    wrong = explain("m7", "m4")
    assert "drawn the other way" in wrong.stdout
    assert right["edge"]["evidence"]["direction.counter.num_batches_tracked"] > 0
    assert not right["reversed"]
    lines = [line.split() for line in wrong.stdout.splitlines() if line.startswith("counter.num_batches_tracked")]
    assert len(lines) == 2
    assert all(float(line[1]) < 0 for line in lines)


def test_descent_through_others_is_told(explain):
    result = explain("m4", "m5")
    assert "descent through others" in result.stdout
    assert "m7" in result.stdout


def test_strangers_have_no_edge_and_a_reason(explain):
    result = explain("m4", "m6")
    assert result.exit_code == 0
    assert result.stdout.startswith("no edge between")


@pytest.mark.parametrize(("parent", "child"), [("m4", "nobody"), ("m4", "m4")])
def test_names_that_cannot_be_explained_are_one_sentence(explain, parent, child):
    result = explain(parent, child)
    assert result.exit_code != 0
    assert len(result.stderr.strip().splitlines()) == 1


def test_without_the_cache_the_layers_are_missed(explain, tmp_path):
    result = explain("m4", "m7", cache=tmp_path)
    assert "build the zoo again" in result.stdout
