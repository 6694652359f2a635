"""A portrait shows the same positions of the same weights, whatever a model is called and however it is stored."""

import dataclasses

import numpy as np
import pytest
from safetensors.numpy import save_file

from lineage_graph.detector import portrait
from lineage_graph.detector.images import gather
from lineage_graph.detector.portrait import DEPTHS, LAYERS, SIDE, PortraitTask, compute, from_bytes, to_bytes
from lineage_graph.errors import NonFiniteWeightsError
from lineage_graph.features.settings import ProbeSettings
from lineage_graph.types import TensorSpec


def of(path, architecture=None):
    return compute(PortraitTask(str(path), architecture, ProbeSettings(count=2)))


@pytest.fixture
def state():
    generator = np.random.default_rng(0)
    return {
        "stem.weight": generator.standard_normal((32, 3, 3, 3)).astype(np.float32),
        "norm.weight": generator.standard_normal(32).astype(np.float32),
        "norm.running_mean": generator.standard_normal((32, 32)).astype(np.float32),
        "layer.2.weight": generator.standard_normal((64, 288)).astype(np.float32),
        "layer.10.weight": generator.standard_normal((1500, 1100)).astype(np.float32),
        "head.weight": generator.standard_normal((10, 64)).astype(np.float32),
    }


def test_the_bodys_matrices_are_thinned_out_evenly(state, tmp_path):
    save_file(state, tmp_path / "a.safetensors")
    found = of(tmp_path / "a.safetensors", "test_vit")
    assert [t.name for t in found.weights] == ["layer.2.weight", "layer.10.weight", "stem.weight"]
    assert [t.values.shape for t in found.weights] == [(32, 32), (32, 32), (32, 27)]
    assert [t.depth for t in found.weights] == [0, 0.5, 1]
    large, whole = found.weights[1], state["layer.10.weight"]
    rows, columns = np.linspace(0, 1499, 32).round().astype(int), np.linspace(0, 1099, 32).round().astype(int)
    assert np.array_equal(large.values, whole[np.ix_(rows, columns)])
    assert large.rms == pytest.approx(np.sqrt(np.mean(whole.astype(np.float64) ** 2)), rel=1e-6)
    assert large.kurtosis == pytest.approx(3, abs=0.05)
    assert found.features == ()
    assert "test_vit" in found.note
    assert str(tmp_path) not in found.note


def test_which_layers_are_shown_follows_from_names_and_shapes():
    specs = [TensorSpec(f"blocks.{n}.weight", (64, 64), "float32") for n in range(20)]
    small = [TensorSpec("patch.weight", (8, 8), "float32"), TensorSpec("head.weight", (64, 64), "float32")]
    picked = [spec.name for spec, _ in portrait.chosen([*reversed(specs), *small])]
    assert picked == [f"blocks.{n}.weight" for n in (0, 3, 5, 8, 11, 14, 16, 19)]
    assert len(picked) == LAYERS
    assert portrait.chosen([TensorSpec("bias", (64,), "float32")]) == []


def specs(*names):
    return [TensorSpec(name, (8, 8), "float32") for name in names]


@pytest.mark.parametrize(
    ("tensors", "prefix"),
    [
        (["conv1.weight", "layer1.0.conv1.weight", "fc.weight"], ""),
        (["backbone.conv1.weight", "backbone.layer1.0.weight", "neck.0.weight", "bbox_head.weight"], "backbone."),
        (["module.model.stem.weight", "module.model.blocks.0.weight", "module.head.weight"], "module.model."),
        (["backbone.body.conv1.weight", "backbone.fpn.0.weight", "rpn.head.weight"], "backbone.body."),
        ([f"body.{n}.weight" for n in range(LAYERS)] + [f"neck.{n}.weight" for n in range(50)], "body."),
        (["net.proj.weight", *(f"blocks.{n}.weight" for n in range(9))], ""),
        (["model.weight"], "model."),
        (["model"], ""),
        ([], ""),
    ],
)
def test_a_wrapper_is_known_by_its_name_and_its_share(tensors, prefix):
    assert portrait.wrapper(specs(*tensors)) == prefix
    shown = [spec.name for spec, _ in portrait.chosen(specs(*tensors), prefix)]
    assert all(name.startswith(prefix) for name in shown)


def test_a_backbone_in_a_row_has_no_head_of_its_own_beside_one():
    """A plain row of layers ends in its head, by its place; the head of a wrapped row stands beside the wrapper."""
    row = [f"features.{n}.weight" for n in range(4)]
    alone = portrait.chosen(specs(*row, "fc.weight"))
    wrapped = portrait.chosen(specs(*(f"body.{name}" for name in row), "class_head.weight"), "body.")
    assert [spec.name for spec, _ in alone] == row
    assert [(spec.name.removeprefix("body."), depth) for spec, depth in wrapped] == [
        (spec.name, depth) for spec, depth in alone
    ]


def test_a_detector_shows_what_its_backbone_would_show_alone(tmp_path):
    from safetensors.torch import save_file as save_torch

    from lineage_graph.sources.grow.dense.network import DenseNet

    dense = DenseNet("test_resnet", 5)
    plain = {**dense.backbone.state_dict(), "fc.weight": dense.head.out.weight.detach().flatten(1).contiguous()}
    save_torch(plain, tmp_path / "parent.safetensors")
    save_torch(dense.state_dict(), tmp_path / "child.safetensors")
    parent, child = (of(tmp_path / f"{name}.safetensors", "test_resnet") for name in ("parent", "child"))
    assert len(parent.weights) == LAYERS
    assert len(child.features) == len(DEPTHS)
    for ours, theirs in zip([*child.weights, *child.features], [*parent.weights, *parent.features], strict=True):
        assert np.array_equal(ours.values, theirs.values)
        assert dataclasses.replace(ours, values=theirs.values) == theirs
    names = {thumbnail.name for thumbnail in parent.weights}
    assert names <= set(plain)
    shared = gather(child, [parent])
    assert len(shared) == LAYERS + len(DEPTHS)
    assert all(np.array_equal(layer.child, layer.parents[0]) for layer in shared)


def test_damage_within_a_wrapper_is_named_as_in_the_file(state, tmp_path):
    state["layer.2.weight"][3, 3] = np.nan
    wrapped = {f"model.{name}": values for name, values in state.items()} | {"neck.weight": np.ones((3, 5), np.float32)}
    save_file(wrapped, tmp_path / "bad.safetensors")
    with pytest.raises(NonFiniteWeightsError, match=r"'model\.layer\.2\.weight'"):
        of(tmp_path / "bad.safetensors")


def test_masks_and_damage(state, tmp_path):
    state["layer.3.weight"] = np.triu(np.full((64, 64), -np.inf, dtype=np.float32), 1)
    save_file(state, tmp_path / "mask.safetensors")
    assert "layer.3.weight" not in [t.name for t in of(tmp_path / "mask.safetensors", "test_vit").weights]
    state["layer.3.weight"] = np.full((64, 64), np.nan, dtype=np.float32)
    save_file(state, tmp_path / "bad.safetensors")
    with pytest.raises(NonFiniteWeightsError, match=r"layer\.3\.weight"):
        of(tmp_path / "bad.safetensors")


@pytest.fixture(scope="module")
def resnet(tmp_path_factory):
    import torch
    from safetensors.torch import save_file as save_torch

    from lineage_graph.timm_compat import import_timm

    torch.manual_seed(0)
    path = tmp_path_factory.mktemp("resnet") / "a.safetensors"
    save_torch(
        import_timm().create_model("test_resnet", num_classes=3).state_dict(), path, {"architecture": "test_resnet"}
    )
    return path


def test_features_at_several_depths(resnet):
    found = of(resnet)
    assert found.note == ""
    assert len(found.features) == len(DEPTHS)
    assert [t.depth for t in found.features] == list(DEPTHS)
    for thumbnail in found.features:
        assert thumbnail.values.shape[0] == 2
        assert thumbnail.values.shape[1] <= SIDE
        assert thumbnail.name.startswith("test_resnet 3x64x64 ")
    assert len(to_bytes(found)) < 60_000


def test_a_model_that_gives_no_features_of_the_named_architecture(resnet):
    found = of(resnet, "test_vit")
    assert found.features == ()
    assert "test_vit" in found.note
    assert found.weights


def test_features_are_those_that_one_pass_each_gives(resnet):
    import torch

    from lineage_graph.features.anchored import probes_for
    from lineage_graph.features.models import load_network

    network = load_network(resnet)
    inputs = probes_for(network, ProbeSettings(count=2))
    for depth, thumbnail in zip(DEPTHS, of(resnet).features, strict=True):
        with torch.no_grad():
            alone = network.features(network.layer(depth), inputs, pool=True)(network.parameters).numpy()
        columns = np.linspace(0, alone.shape[1] - 1, thumbnail.values.shape[1]).round().astype(int)
        np.testing.assert_allclose(thumbnail.values, alone[:, columns], rtol=1e-6)


def test_without_probes_there_are_only_weights(resnet):
    found = compute(PortraitTask(str(resnet), None, None))
    assert (found.features, found.note) == ((), "no probes")
    assert len(found.weights) == len(of(resnet).weights)
    assert portrait.key("d", None) != portrait.key("d", ProbeSettings())


def test_there_and_back(resnet):
    found = of(resnet)
    again = from_bytes(to_bytes(found))
    assert again.note == found.note
    for ours, theirs in zip([*found.weights, *found.features], [*again.weights, *again.features], strict=True):
        assert np.array_equal(ours.values, theirs.values)
        assert dataclasses.replace(ours, values=theirs.values) == theirs
    for damaged in (b"", b"not a portrait", to_bytes(found)[:-5]):
        with pytest.raises(ValueError, match="no portrait"):
            from_bytes(damaged)
