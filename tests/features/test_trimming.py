"""What a stage does not depend on is constant."""

import pytest
import torch

from features.networks import model, save
from lineage_graph.features.anchored import probes_for
from lineage_graph.features.linearize import jvp
from lineage_graph.features.models import load_network
from lineage_graph.features.settings import ProbeSettings
from lineage_graph.features.trimming import trimmed


@pytest.mark.parametrize(("architecture", "behind"), [("test_resnet", "layer3"), ("test_vit", "blocks.5")])
def test_features_and_derivatives_are_the_same(architecture, behind, tmp_path):
    network = load_network(save(model(architecture).state_dict(), tmp_path / "a.safetensors"), architecture)
    probes = probes_for(network, ProbeSettings(count=2))
    layer = network.layer(0.5)
    early = trimmed(network, layer, probes[:1])
    assert any(name.startswith(behind) for name in network.parameters)
    assert not any(name.startswith(behind) for name in early.parameters)
    assert {**early.constants, **early.parameters}.keys() == {**network.constants, **network.parameters}.keys()

    step = {name: 0.1 * torch.randn(values.shape) for name, values in network.parameters.items()}
    whole = jvp(network.features(layer, probes, pool=True), network.parameters, step)
    part = jvp(
        early.features(layer, probes, pool=True), early.parameters, {name: step[name] for name in early.parameters}
    )
    torch.testing.assert_close(part, whole)
