"""Every family of architectures that is said to work does, at small size, in forward mode."""

from typing import Any

import pytest
import torch
from torch import Tensor, nn

from features.networks import Doubled, model, moved
from lineage_graph.errors import FeaturesUnavailableError
from lineage_graph.features import linearize
from lineage_graph.features.approximate import Child, approximate
from lineage_graph.features.linearize import Parameters
from lineage_graph.features.models import Network
from lineage_graph.features.probes import built_in
from lineage_graph.features.skeleton import Plan, Skeleton, outline
from lineage_graph.timm_compat import import_timm

TINY: dict[str, Any] = {"img_size": 32, "depth": 2, "embed_dim": 24, "num_heads": 2}
SWIN: dict[str, Any] = {"img_size": 64, "embed_dim": 16, "depths": (1, 2), "num_heads": (1, 2), "window_size": 4}

FAMILIES: dict[str, tuple[str, dict[str, Any]]] = {
    "ResNet": ("resnet10t", {}),
    "RegNet": ("regnetx_002", {}),
    "MobileNetV3": ("mobilenetv3_small_050", {}),
    "EfficientNet-lite": ("efficientnet_lite0", {}),
    "EfficientNetV2": ("tf_efficientnetv2_b0", {}),
    "ConvNeXt": ("convnext_atto", {"depths": (1, 1, 2, 1)}),
    "ConvNeXtV2": ("convnextv2_atto", {"depths": (1, 1, 2, 1)}),
    "Swin": ("swin_tiny_patch4_window7_224", SWIN),
    "SwinV2": ("swinv2_tiny_window8_256", SWIN),
    "GhostNet": ("ghostnet_050", {}),
    "RepViT": ("repvit_m0_9", {}),
    "MLP-Mixer": ("mixer_s32_224", {"img_size": 32}),
    "HGNet": ("hgnetv2_b0", {}),
    "TinyViT": ("tiny_vit_5m_224", {"embed_dims": (16, 32, 32, 64), "num_heads": (2, 2, 2, 2)}),
    "InceptionNeXt": ("inception_next_atto", {}),
    "ViT": ("vit_tiny_patch16_224", TINY),
    "DeiT": ("deit_tiny_patch16_224", TINY),
    "DeiT3": ("deit3_small_patch16_224", TINY),
    "BEiT": ("beit_base_patch16_224", TINY),
    "EVA02": ("eva02_tiny_patch14_224", {**TINY, "img_size": 28}),
    "FlexiViT": ("flexivit_small", TINY),
    "CaiT": ("cait_xxs24_224", TINY),
    "XCiT": ("xcit_nano_12_p8_224", {**TINY, "depth": 2}),
    "PVTv2": ("pvt_v2_b0", {"depths": (1, 1, 1, 1)}),
    "MobileViT": ("mobilevit_xxs", {}),
    "MaxViT": ("test_maxvit", {"img_size": 64}),
    "CoAtNet": ("test_coatnet", {"img_size": 64}),
    "Hiera": ("hiera_tiny_224", {"embed_dim": 16}),
    **{
        name: (name, {})
        for name in (
            *("test_byobnet", "test_convnext", "test_convnext2", "test_convnext3", "test_efficientnet"),
            *("test_efficientnet_evos", "test_efficientnet_gn", "test_efficientnet_ln", "test_mambaout"),
            *("test_nfnet", "test_resnet", "test_vit", "test_vit2", "test_vit3", "test_vit4", "test_vit_relpos"),
        )
    },
}


def network(module: Any, size: int) -> Network:
    known = outline(module)
    state = {name: values.double() for name, values in module.state_dict().items() if values.is_floating_point()}
    skeleton = Skeleton(Plan(module.default_cfg["architecture"]), module, known, (3, size, size))
    constants = {name: values for name, values in state.items() if name not in known.body}
    buffers = {name for name, _ in module.named_buffers()}
    constants = {name: values for name, values in constants.items() if name in buffers or name in known.head}
    return Network(skeleton, {name: state[name] for name in known.body}, constants, (), ())


def step(parameters: Parameters) -> Parameters:
    generator = torch.Generator().manual_seed(1)
    return {
        name: 0.01 * torch.randn(values.shape, generator=generator, dtype=values.dtype)
        for name, values in parameters.items()
    }


def of_family(family: str) -> Network:
    architecture, options = FAMILIES[family]
    if not import_timm().is_model(architecture):
        pytest.skip(f"the installed timm has no {architecture}")
    module = model(architecture, **options)
    config = module.default_cfg
    return network(
        module, options.get("img_size") or (config["input_size"][1] if config.get("fixed_input_size") else 32)
    )


@pytest.mark.parametrize("family", FAMILIES)
def test_a_family_runs_in_forward_mode(family: str) -> None:
    net = of_family(family)
    probes = built_in(2, net.input_shape).double()
    features = net.features(net.layer(0.6), probes)
    delta = step(net.parameters)
    primal, tangents = linearize.jvps(features, net.parameters, [delta])
    assert primal.shape[0] == 2
    assert tangents[0].norm() > 0
    # Forward and reverse mode are independent implementations: they are transposes of one another.
    cotangent = torch.randn(primal.shape, dtype=primal.dtype, generator=torch.Generator().manual_seed(2))
    back = linearize.inner(linearize.vjp(features, net.parameters)[1](cotangent), delta)
    assert float((cotangent * tangents[0]).sum()) == pytest.approx(float(back), rel=1e-6)


class Doubling(nn.Module):
    def forward(self, x: Tensor) -> Tensor:
        result: Tensor = Doubled.apply(x)
        return result


def test_a_family_without_forward_mode_falls_back_and_says_so() -> None:
    module = model("test_resnet")
    module.act1 = Doubling()
    net = network(module, 32)
    features = net.features("layer1", built_in(4, (3, 32, 32)).double())
    delta = step(net.parameters)
    other = moved(net.parameters, 1.0, delta)
    with pytest.raises(FeaturesUnavailableError, match="no forward mode"):
        linearize.jvp(features, net.parameters, delta)
    (found,) = approximate(features, net.parameters, [Child(other, features(other))])
    assert found.form == "taylor"
    assert "no forward mode" in found.note
    assert found.linearized["l1"] > found.plain["l1"]


@pytest.mark.skipif(not torch.backends.mkldnn.is_available(), reason="other kernels for recurrent layers differentiate")
def test_sequencer_has_no_forward_mode_in_single_precision() -> None:
    small = {"layers": (1, 1, 1, 1), "embed_dims": (16,) * 4, "hidden_sizes": (4,) * 4, "img_size": 32}
    net = network(model("sequencer2d_s", **small), 32)
    parameters = {name: values.float() for name, values in net.parameters.items()}
    features = net.features(net.layer(0.5), built_in(4, net.input_shape))
    other = moved(parameters, 0.1, step(parameters))
    (found,) = approximate(features, parameters, [Child(other, features(other))])
    assert found.form == "taylor"
    assert "mkldnn_rnn_layer" in found.note
    assert found.linearized["l1"] > found.plain["l1"]
