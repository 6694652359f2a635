"""Features on another device than the cores. Here is no GPU: torch's meta device, which refuses to mix with others."""

from dataclasses import replace
from pathlib import Path

import pytest
import torch

from features.networks import model, save
from features.test_families import FAMILIES, of_family
from lineage_graph.errors import DeviceError
from lineage_graph.features import anchored, held
from lineage_graph.features.device import placed, require_gpu
from lineage_graph.features.linearize import difference, jvp, jvps, taylor
from lineage_graph.features.models import Network
from lineage_graph.features.pairwise import FeaturePairTask
from lineage_graph.features.pairwise import compare as compared
from lineage_graph.features.settings import ProbeSettings
from lineage_graph.features.similarity import SIMILARITIES

META = torch.device("meta")


@pytest.fixture
def unseen(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without the look ahead whether features are finite: values on the meta device cannot be looked at."""
    monkeypatch.setattr(Network, "_probe", lambda *_: None)


@pytest.mark.usefixtures("unseen")
@pytest.mark.parametrize("family", FAMILIES)
def test_a_pass_leaves_nothing_on_the_cores(family: str) -> None:
    there = placed(of_family(family), "meta")
    probes = torch.empty(2, *there.input_shape, dtype=torch.float64, device=META)
    features = there.features(there.layer(0.5), probes, pool=True)
    primal, tangents = jvps(features, there.parameters, [difference(there.parameters, there.parameters)])
    assert primal.device == tangents.device == META
    assert len(primal) == 2


@pytest.mark.usefixtures("unseen")
@pytest.mark.parametrize("name", SIMILARITIES)
def test_similarities_and_their_slopes_stay_there_too(name: str) -> None:
    there = placed(of_family("test_resnet"), "meta")
    probes = torch.empty(5, *there.input_shape, dtype=torch.float64, device=META)
    features = there.features(there.layer(0.5), probes, pool=True)
    own = features(there.parameters)
    found = taylor(SIMILARITIES[name], features, there.parameters, own, there.parameters)
    assert [value.device for value in found] == [META, META]


@pytest.mark.usefixtures("unseen")
def test_the_anchor_goes_where_the_network_is() -> None:
    there = placed(of_family("test_vit"), "meta")
    there = replace(there, parameters={name: values.float() for name, values in there.parameters.items()})
    found, why_not_forward = anchored.at_anchor(there, torch.empty(2, *there.input_shape, device=META), 0.5)
    assert found.device == META
    assert not why_not_forward


def test_what_is_computed_elsewhere_has_a_key_of_its_own() -> None:
    here, there = ProbeSettings(), ProbeSettings(device="cuda")
    assert here.key != there.key
    assert (here.on_gpu, there.on_gpu) == (False, True)


@pytest.mark.skipif(torch.cuda.is_available(), reason="there is a GPU")
def test_without_a_gpu_the_error_says_so() -> None:
    with pytest.raises(DeviceError, match="--device cuda: torch sees no GPU on this machine"):
        require_gpu()


def test_a_full_gpu_is_no_network_without_forward_mode() -> None:
    def features(_: dict[str, torch.Tensor]) -> torch.Tensor:
        raise torch.OutOfMemoryError("CUDA out of memory")

    one = {"w": torch.ones(1)}
    with pytest.raises(MemoryError, match="the GPU is out of memory"):
        jvp(features, one, one)


@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a GPU")
def test_a_gpu_says_what_the_cores_say(tmp_path: Path) -> None:
    paths = [tmp_path / f"{seed}.safetensors" for seed in range(2)]
    for seed, path in enumerate(paths):
        torch.manual_seed(seed)
        save(model("test_resnet", num_classes=2).state_dict(), path)
    sides = [held.Side(str(path), path.stem, "test_resnet") for path in paths]
    here, there = (
        compared(FeaturePairTask(sides[0], sides[1], ProbeSettings(device=device))) for device in ("cpu", "cuda")
    )
    for name in ("plain", "forward", "backward", "cka_plain", "cka_forward", "cka_backward"):
        assert getattr(there, name) == pytest.approx(getattr(here, name), rel=1e-3, abs=1e-4)
    one, other = (
        anchored.compute(anchored.FeatureTask(str(paths[0]), "test_resnet", ProbeSettings(device=device)))
        for device in ("cpu", "cuda")
    )
    assert float(one.anchored @ other.anchored) > 1 - 1e-4
    assert float(one.plain @ other.plain) > 1 - 1e-4
