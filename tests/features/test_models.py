import json
import socket
from pathlib import Path
from typing import Any

import pytest
import torch

from features.networks import model, save
from lineage_graph.errors import FeaturesUnavailableError, TruncatedFileError
from lineage_graph.features import skeleton
from lineage_graph.features.models import load_network
from lineage_graph.features.probes import built_in


@pytest.fixture(autouse=True)
def no_network(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object) -> None:
        raise AssertionError("a connection was tried")

    monkeypatch.setattr(socket.socket, "connect", refuse)


def trained(architecture: str, **options: Any) -> Any:
    """With running statistics and weights that no fresh network has."""
    module = model(architecture, **options)
    with torch.no_grad(), torch.random.fork_rng(devices=[]):
        torch.manual_seed(1)
        for values in module.state_dict().values():
            if values.is_floating_point():
                values.add_(0.05 * torch.rand_like(values))
    return module


def logits(module: Any, probes: torch.Tensor) -> torch.Tensor:
    with torch.no_grad():
        output: torch.Tensor = module(probes)
    return output


def refused(path: Path, architecture: str | None = None) -> str:
    with pytest.raises(FeaturesUnavailableError) as caught:
        load_network(path, architecture)
    assert str(path) in str(caught.value)
    assert "\n" not in str(caught.value)
    return str(caught.value)


CHANGES: list[tuple[str, dict[str, Any]]] = [
    ("test_resnet", {}),
    ("test_resnet", {"num_classes": 3}),
    ("test_resnet", {"in_chans": 1, "num_classes": 4}),
    ("test_resnet", {"num_classes": 0}),
    ("test_convnext", {"in_chans": 5}),
    ("test_vit", {"num_classes": 2}),
    ("test_vit", {"img_size": 64, "in_chans": 1}),
    ("test_byobnet", {"num_classes": 2}),
]


@pytest.mark.parametrize("named", [True, False], ids=["named", "searched"])
@pytest.mark.parametrize(("architecture", "options"), CHANGES)
def test_the_network_is_the_checkpoints(
    tmp_path: Path, architecture: str, options: dict[str, Any], named: bool
) -> None:
    module = trained(architecture, **options)
    path = save(module.state_dict(), tmp_path / "m.safetensors")
    network = load_network(path, architecture if named else None)
    assert network.architecture == architecture
    assert network.input_shape[0] == options.get("in_chans", 3)
    assert network.input_shape[1] == options.get("img_size", network.input_shape[1])
    assert not network.unplaced
    probes = built_in(2, network.input_shape)
    found = network.features("", probes)(network.parameters)
    assert torch.allclose(found, logits(module, probes), atol=1e-5)


def test_features_of_a_layer_are_what_the_model_computes_there(tmp_path: Path) -> None:
    module = trained("test_resnet")
    network = load_network(save(module.state_dict(), tmp_path / "m.safetensors"))
    probes = built_in(3, network.input_shape)
    seen: list[torch.Tensor] = []
    module.layer2.register_forward_hook(lambda _, __, output: seen.append(output))
    logits(module, probes)
    found = network.features("layer2", probes)(network.parameters)
    assert torch.allclose(found, seen[0].flatten(1), atol=1e-5)
    pooled = network.features("layer2", probes, pool=True)(network.parameters)
    assert torch.allclose(pooled, seen[0].mean(dim=(2, 3)), atol=1e-5)


def test_pooling_knows_where_the_channels_are(tmp_path: Path) -> None:
    last = load_network(save(trained("test_mambaout").state_dict(), tmp_path / "m.safetensors"), "test_mambaout")
    tokens = load_network(save(trained("test_vit").state_dict(), tmp_path / "v.safetensors"), "test_vit")
    for network in (last, tokens):
        layer = network.layer(0)
        width = {info["module"]: info["num_chs"] for info in network.skeleton.module.feature_info}[layer]
        probes = built_in(2, network.input_shape)
        assert network.features(layer, probes, pool=True)(network.parameters).shape == (2, width)


def test_the_pass_stops_at_the_layer(tmp_path: Path) -> None:
    network = load_network(save(trained("test_resnet").state_dict(), tmp_path / "m.safetensors"))
    later: list[object] = []
    handle = network.skeleton.module.get_submodule("layer3").register_forward_hook(lambda *_: later.append(1))
    network.features("layer1", built_in(1, network.input_shape))(network.parameters)
    handle.remove()
    assert not later


def test_layers_by_name_and_by_depth(tmp_path: Path) -> None:
    network = load_network(save(trained("test_resnet").state_dict(), tmp_path / "m.safetensors"))
    assert network.layers == ("act1", "layer1", "layer2", "layer3", "layer4")
    assert [network.layer(depth) for depth in (0, 0.5, 1)] == ["act1", "layer2", "layer4"]
    with pytest.raises(ValueError, match="depth"):
        network.layer(1.5)
    with pytest.raises(FeaturesUnavailableError, match=r"no layer 'layer9'; its stages are: act1"):
        network.features("layer9", built_in(1, network.input_shape))


def test_the_head_is_left_out_and_reported(tmp_path: Path) -> None:
    state = trained("test_resnet", num_classes=7).state_dict()
    network = load_network(save(state, tmp_path / "m.safetensors"))
    assert network.head == ("fc.bias", "fc.weight")
    assert not {"fc.weight", "fc.bias"} & set(network.parameters)
    assert "2 head left out (fc.bias, fc.weight)" in network.note
    assert network.group == load_network(save(trained("test_resnet").state_dict(), tmp_path / "n.safetensors")).group


def test_a_new_head_of_another_make_is_left_out(tmp_path: Path) -> None:
    state = {name: values for name, values in trained("test_resnet").state_dict().items() if not name.startswith("fc")}
    state |= {"fc.0.weight": torch.ones(9, 9), "fc.2.weight": torch.ones(2, 9), "projector.weight": torch.ones(3, 3)}
    network = load_network(save(state, tmp_path / "m.safetensors"))
    assert network.architecture == "test_resnet"
    assert network.unplaced == ("fc.0.weight", "fc.2.weight", "projector.weight")
    network.features("layer4", built_in(2, network.input_shape))
    inside = save({**state, "layer4.9.conv.weight": torch.ones(2, 2)}, tmp_path / "n.safetensors")
    assert "the first of them layer4.9.conv.weight" in refused(inside, "test_resnet")
    assert "no timm architecture" in refused(inside)


@pytest.mark.parametrize("prefix", ["backbone.", "model.encoder."])
def test_a_backbone_inside_a_larger_model(tmp_path: Path, prefix: str) -> None:
    module = trained("test_convnext", num_classes=0)
    state = {prefix + name: values for name, values in module.state_dict().items()} | {"neck.weight": torch.ones(2, 2)}
    network = load_network(save(state, tmp_path / "m.safetensors"))
    assert network.architecture == "test_convnext"
    assert network.unplaced == ("neck.weight",)
    probes = built_in(1, network.input_shape)
    assert torch.allclose(network.features("", probes)(network.parameters), logits(module, probes), atol=1e-5)


def test_what_the_checkpoint_says_of_itself_is_tried_first(tmp_path: Path) -> None:
    state = trained("tf_efficientnet_lite0", num_classes=2).state_dict()
    searched = load_network(save(state, tmp_path / "a.safetensors"))
    told = load_network(save(state, tmp_path / "b.safetensors", architecture="timm/tf_efficientnet_lite0.in1k"))
    assert searched.architecture == "efficientnet_lite0"  # the same names and shapes, under a shorter name
    assert told.architecture == "tf_efficientnet_lite0"


def test_a_config_beside_the_weights_names_the_architecture(tmp_path: Path) -> None:
    save(trained("tf_efficientnet_lite0", num_classes=2).state_dict(), tmp_path / "model.safetensors")
    (tmp_path / "config.json").write_text(json.dumps({"architecture": "tf_efficientnet_lite0", "num_classes": 1000}))
    assert load_network(tmp_path).architecture == "tf_efficientnet_lite0"


def test_what_the_checkpoint_says_wrongly_does_not_bind(tmp_path: Path) -> None:
    state = trained("test_vit").state_dict()
    network = load_network(save(state, tmp_path / "m.safetensors", architecture="resnet18"))
    assert network.architecture == "test_vit"


def test_resnet18_without_a_name(tmp_path: Path) -> None:
    network = load_network(save(model("resnet18", num_classes=5).state_dict(), tmp_path / "m.safetensors"))
    assert network.architecture == "resnet18"
    assert network.skeleton.plan.classes == 5


def test_a_checkpoint_without_a_network_says_why(tmp_path: Path) -> None:
    odd = save({"layer.weight": torch.ones(3, 3)}, tmp_path / "odd.safetensors")
    assert "no timm architecture has tensors of these names and shapes" in refused(odd)
    assert "timm has no architecture 'renset18'" in refused(odd, "renset18")
    assert "timm has no architecture 'hf-hub:someone/model'" in refused(odd, "hf-hub:someone/model")
    assert "missing or have another shape" in refused(odd, "test_resnet")
    lying = save({"layer.weight": torch.ones(3, 3)}, tmp_path / "lying.safetensors", architecture="test_resnet")
    assert "it says that it is test_resnet, but" in refused(lying)


def test_more_blocks_are_another_network(tmp_path: Path) -> None:
    state = trained("test_vit").state_dict()
    state |= {name.replace("blocks.5", "blocks.6"): values for name, values in state.items() if "blocks.5" in name}
    assert "has no place for" in refused(save(state, tmp_path / "m.safetensors"), "test_vit")


def test_a_missing_tensor_of_the_body_is_named(tmp_path: Path) -> None:
    state = trained("test_resnet").state_dict()
    for name in ("layer2.0.conv1.weight", "layer3.0.bn1.running_mean"):
        path = save({key: values for key, values in state.items() if key != name}, tmp_path / "m.safetensors")
        assert name in refused(path, "test_resnet")


def test_a_broken_file_is_the_readers_error(tmp_path: Path) -> None:
    path = save(trained("test_resnet").state_dict(), tmp_path / "m.safetensors")
    path.write_bytes(path.read_bytes()[:-1000])
    with pytest.raises(TruncatedFileError):
        load_network(path)


def test_probes_of_the_wrong_shape_or_features_beyond_numbers(tmp_path: Path) -> None:
    state = trained("test_resnet").state_dict()
    network = load_network(save(state, tmp_path / "m.safetensors"))
    with pytest.raises(FeaturesUnavailableError, match="does not take probes of 1×32×32"):
        network.features("layer1", built_in(1, (1, 32, 32)))
    state["layer3.0.conv1.weight"] = state["layer3.0.conv1.weight"] * 1e38
    huge = load_network(save(state, tmp_path / "h.safetensors"))
    with pytest.raises(FeaturesUnavailableError, match="not finite"):
        huge.features("layer4", built_in(1, huge.input_shape))


def test_parameters_of_one_network_stand_in_for_anothers(tmp_path: Path) -> None:
    one = load_network(save(trained("test_convnext", num_classes=2).state_dict(), tmp_path / "a.safetensors"))
    other = load_network(save(model("test_convnext", num_classes=9).state_dict(), tmp_path / "b.safetensors"))
    assert one.group == other.group
    probes = built_in(2, one.input_shape)
    features = one.features("stages.1", probes)
    expected = other.features("stages.1", probes)(other.parameters)
    assert torch.allclose(features(other.parameters), expected, atol=1e-5)
    assert not torch.allclose(features(one.parameters), expected, atol=1e-2)


def test_building_leaves_no_trace(tmp_path: Path) -> None:
    skeleton.build.cache_clear()
    path = save(trained("test_vit").state_dict(), tmp_path / "m.safetensors")
    torch.manual_seed(5)
    before = torch.get_rng_state()
    network = load_network(path, "test_vit")
    assert torch.equal(torch.get_rng_state(), before)
    assert all(values.is_meta for values in network.skeleton.module.parameters())
