"""Folders: which files are the weights, and that no name leads out."""

import json

import numpy as np
import pytest
import torch

from checkpoints.samples import arrays, write_onnx, write_safetensors, write_torch
from lineage_graph.checkpoints import open_checkpoint, weight_files
from lineage_graph.errors import (
    CorruptFileError,
    LimitExceededError,
    NoWeightsError,
    UnreadableFileError,
    UnsupportedFormatError,
)


def write_shards(folder, write, stem, ending, index_ending):
    """Two shards and their index, as transformers writes them."""
    values = list(arrays().items())
    places = {}
    for number, part in enumerate((values[:2], values[2:]), start=1):
        name = f"{stem}-{number:05}-of-00002.{ending}"
        write(folder / name, dict(part))
        places |= dict.fromkeys(dict(part), name)
    index = {"metadata": {"total_size": 1}, "weight_map": places}
    (folder / f"{stem}.{index_ending}").write_text(json.dumps(index))


def names(files):
    return [file.name for file in files]


@pytest.mark.parametrize(
    ("write", "stem", "ending"),
    [(write_safetensors, "model", "safetensors"), (write_torch, "pytorch_model", "bin")],
)
def test_shards(tmp_path, write, stem, ending):
    write_shards(tmp_path, write, stem, ending, f"{ending}.index.json")
    (tmp_path / "config.json").write_text('{"architectures": ["GPT2LMHeadModel"], "model_type": "gpt2"}')
    shards = [f"{stem}-00001-of-00002.{ending}", f"{stem}-00002-of-00002.{ending}"]
    for path in (tmp_path, tmp_path / f"{stem}.{ending}.index.json"):
        assert names(weight_files(path)) == shards
        with open_checkpoint(path) as reader:
            assert reader.architecture == "GPT2LMHeadModel"
            assert {spec.name for spec in reader.tensors} == set(arrays())
            for name, array in arrays().items():
                np.testing.assert_array_equal(reader.read(name), array)


def test_safetensors_come_before_anything_pickled(tmp_path):
    write_safetensors(tmp_path / "model.safetensors", arrays(1))
    write_torch(tmp_path / "pytorch_model.bin", arrays(2))
    write_torch(tmp_path / "optimizer.pt", arrays(3))
    write_torch(tmp_path / "training_args.bin", arrays(3))
    assert names(weight_files(tmp_path)) == ["model.safetensors"]
    (tmp_path / "model.safetensors").unlink()
    assert names(weight_files(tmp_path)) == ["pytorch_model.bin"]
    (tmp_path / "pytorch_model.bin").unlink()
    with pytest.raises(NoWeightsError, match="no weights file"):
        weight_files(tmp_path)


def test_an_adapter_folder(tmp_path):
    write_safetensors(tmp_path / "adapter_model.safetensors", arrays())
    (tmp_path / "adapter_config.json").write_text("{}")
    (tmp_path / "README.md").write_text("# adapter")
    assert names(weight_files(tmp_path)) == ["adapter_model.safetensors"]
    write_safetensors(tmp_path / "other.safetensors", arrays())
    assert names(weight_files(tmp_path)) == ["adapter_model.safetensors"]


def test_the_one_file_is_found_by_content(tmp_path):
    write_onnx(tmp_path / "thing.weights", arrays())
    (tmp_path / "model.pth").write_text("this is no checkpoint")
    assert names(weight_files(tmp_path)) == ["thing.weights"]


def test_several_candidates_are_refused(tmp_path):
    write_torch(tmp_path / "epoch1.pt", arrays())
    write_torch(tmp_path / "epoch2.pt", arrays())
    with pytest.raises(UnsupportedFormatError, match=r"several files could be the weights.*epoch1\.pt"):
        open_checkpoint(tmp_path)


def test_a_lone_shard_without_its_index_is_refused(tmp_path):
    write_safetensors(tmp_path / "model-00001-of-00003.safetensors", arrays())
    with pytest.raises(UnsupportedFormatError, match="no index"):
        open_checkpoint(tmp_path)


@pytest.mark.parametrize(
    ("config", "architecture"),
    [
        ({"architecture": "resnet18", "model_type": "x"}, "resnet18"),
        ({"architectures": ["A", "B"]}, "A"),
        ({"model_type": "bert"}, "bert"),
        ({"architectures": []}, ""),
        ({"architecture": 3}, ""),
    ],
)
def test_architecture_from_the_config(tmp_path, config, architecture):
    write_safetensors(tmp_path / "model.safetensors", arrays())
    (tmp_path / "config.json").write_text(json.dumps(config))
    with open_checkpoint(tmp_path) as reader:
        assert reader.architecture == architecture


def test_counters_of_the_trainer(tmp_path):
    write_safetensors(tmp_path / "model.safetensors", arrays())
    (tmp_path / "trainer_state.json").write_text('{"epoch": 2.5, "global_step": 500, "log_history": [{"step": 9}]}')
    with open_checkpoint(tmp_path) as reader:
        assert reader.counters == {"epoch": 2.5, "global_step": 500.0}


@pytest.mark.parametrize(
    "name",
    ["../secret", "/etc/hostname", "a/../../secret", "link", "sub/link", "..\\secret", "C:\\secret", "", ".", "\0"],
)
def test_an_index_must_not_lead_out_of_its_folder(tmp_path, name):
    folder = tmp_path / "model"
    (folder / "sub").mkdir(parents=True)
    write_safetensors(tmp_path / "secret", arrays())
    (folder / "link").symlink_to(tmp_path / "secret")
    (folder / "sub" / "link").symlink_to(tmp_path)
    (folder / "model.safetensors.index.json").write_text(json.dumps({"weight_map": {"conv.weight": name}}))
    with pytest.raises((CorruptFileError, UnreadableFileError)):
        open_checkpoint(folder)


def test_the_links_of_a_hub_cache_count_as_inside(tmp_path):
    snapshot, blobs = tmp_path / "snapshots" / "abc", tmp_path / "blobs"
    snapshot.mkdir(parents=True)
    blobs.mkdir()
    write_safetensors(blobs / "0123", arrays())
    (snapshot / "model-00001-of-00001.safetensors").symlink_to("../../blobs/0123")
    index = {"weight_map": dict.fromkeys(arrays(), "model-00001-of-00001.safetensors")}
    (snapshot / "model.safetensors.index.json").write_text(json.dumps(index))
    with open_checkpoint(snapshot) as reader:
        assert len(reader.tensors) == len(arrays())


@pytest.mark.parametrize(
    ("index", "error", "words"),
    [
        ({"weight_map": {"a": "absent.safetensors"}}, UnreadableFileError, "absent.safetensors"),
        ({"weight_map": {"promised": "model.safetensors"}}, CorruptFileError, "promised"),
        ({"weight_map": {}}, CorruptFileError, "weight_map"),
        ({"weight_map": {"a": 1}}, CorruptFileError, "weight_map"),
        ({"weight_map": ["a"]}, CorruptFileError, "weight_map"),
        ({"other": 1}, UnsupportedFormatError, "no index of weights"),
        ({"weight_map": {"a": "model.safetensors", "b": "again.safetensors"}}, CorruptFileError, "two shards"),
    ],
)
def test_a_wrong_index(tmp_path, index, error, words):
    write_safetensors(tmp_path / "model.safetensors", arrays())
    write_safetensors(tmp_path / "again.safetensors", arrays())
    (tmp_path / "model.safetensors.index.json").write_text(json.dumps(index))
    with pytest.raises(error, match=words):
        open_checkpoint(tmp_path)


def test_a_json_file_beyond_the_limit(tmp_path, monkeypatch):
    monkeypatch.setattr("lineage_graph.checkpoints.folder.MAX_JSON_BYTES", 10)
    write_safetensors(tmp_path / "model.safetensors", arrays())
    (tmp_path / "config.json").write_text('{"architecture": "resnet18"}')
    with pytest.raises(LimitExceededError, match=r"config\.json"):
        open_checkpoint(tmp_path)


def test_an_empty_folder(tmp_path):
    with pytest.raises(NoWeightsError, match="no weights file"):
        open_checkpoint(tmp_path)


def test_a_single_file_is_its_own_weights(tmp_path):
    torch.save({"w": torch.ones(2)}, tmp_path / "x.pt")
    assert weight_files(tmp_path / "x.pt") == (tmp_path / "x.pt",)
