"""One pair of checkpoints, with and without forward mode."""

from pathlib import Path

import pytest
import torch

from features.networks import model, moved, save
from lineage_graph.features import held, linearize, pairwise
from lineage_graph.features.anchored import FeatureTask, compute
from lineage_graph.features.held import Side, ready
from lineage_graph.features.reverse import double_vjp
from lineage_graph.features.settings import ProbeSettings
from lineage_graph.signals import linearized

PROBES = ProbeSettings(count=4)


@pytest.fixture(autouse=True)
def empty_handed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(held, "_held", type(held._held)())


def sides(folder: Path, architecture: str, by: float = 0.05) -> tuple[Side, Side]:
    state = model(architecture, num_classes=2).state_dict()
    generator = torch.Generator().manual_seed(1)
    step = {
        name: values.std() * torch.randn(values.shape, generator=generator) if values.ndim > 1 else 0 * values
        for name, values in state.items()
    }
    for name, values in (("a", state), ("b", moved(state, by, step))):
        save(values, folder / f"{name}.safetensors")
    a, b = (Side(str(folder / f"{name}.safetensors"), name, architecture) for name in "ab")
    return a, b


def refuse_forward_mode(monkeypatch: pytest.MonkeyPatch) -> None:
    def refused(*_: object, **__: object) -> None:
        raise RuntimeError("no rule for this operation")

    monkeypatch.setattr(torch.func, "jvp", refused)


def test_the_taylor_form_is_a_lower_bound_and_says_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for by in (0.02, 0.2, 1.0):
        task = pairwise.FeaturePairTask(*sides(tmp_path, "test_resnet", by), PROBES)
        held._held.clear()
        exact = pairwise.compare(task)
        with monkeypatch.context() as patch:
            refuse_forward_mode(patch)
            found = pairwise.compare(task)
        assert (exact.form, exact.note) == ("exact", "")
        assert found.form == "taylor"
        assert "no rule for this operation" in found.note
        assert found.plain == pytest.approx(exact.plain)
        assert 0 <= found.forward <= exact.forward * (1 + 1e-5)
        assert 0 <= found.backward <= exact.backward * (1 + 1e-5)
        assert 0 <= found.cka_forward <= 1
        assert pairwise.from_bytes(pairwise.to_bytes(found)) == found
        assert linearized.measure(found)["linearized.taylor"] == 1
        assert "linearized.taylor" not in linearized.measure(exact)


@pytest.mark.parametrize("architecture", ["cpubone_nano"])
def test_a_family_without_forward_mode_has_pairs_and_an_anchor(tmp_path: Path, architecture: str) -> None:
    a, b = sides(tmp_path, architecture)
    features = compute(FeatureTask(a.path, architecture, PROBES))
    found = pairwise.compare(pairwise.FeaturePairTask(a, b, PROBES))
    assert features.group.startswith(architecture)
    assert features.anchored.any()
    assert ("no forward mode" in features.note) == (found.form == "taylor")


def test_reverse_mode_twice_is_forward_mode(tmp_path: Path) -> None:
    a, b = (ready(side, PROBES) for side in sides(tmp_path, "test_resnet"))
    delta = linearize.difference(b.network.parameters, a.network.parameters)
    _, expected = linearize.jvp(a.features, a.network.parameters, delta)
    assert torch.allclose(double_vjp(a.features, a.network.parameters, delta), expected, atol=1e-5)


def test_a_network_that_cannot_be_linearized_keeps_its_group(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    a, _ = sides(tmp_path, "test_resnet")
    refuse_forward_mode(monkeypatch)
    monkeypatch.setattr(torch.autograd, "grad", lambda *_, **__: (_ for _ in ()).throw(RuntimeError("nor backwards")))
    features = compute(FeatureTask(a.path, "test_resnet", PROBES))
    assert features.group == "test_resnet 3x64x64"
    assert "not linearized at the anchor" in features.note
    assert not features.anchored.any()
    assert features.plain.any()


def test_a_network_is_held_by_the_content_of_its_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    a, b = sides(tmp_path, "test_resnet")
    first = ready(a, PROBES)
    assert ready(a, PROBES) is first
    assert ready(Side(b.path, "another", a.architecture), PROBES).network is not first.network
    monkeypatch.setattr(held, "HELD_BYTES", first.size * 3 // 2)
    ready(b, PROBES)
    assert list(held._held) == [("b", "test_resnet", PROBES)]
    monkeypatch.setattr(held, "HELD_BYTES", first.size - 1)
    ready(a, PROBES)
    assert not held._held


@pytest.mark.parametrize("architecture", ["efficientvim_m1", "coat_tiny"])
def test_norms_that_run_between_stages_belong_to_the_body(tmp_path: Path, architecture: str) -> None:
    a, _ = sides(tmp_path, architecture)
    features = compute(FeatureTask(a.path, architecture, ProbeSettings(count=2, depth=1.0)))
    assert features.group.startswith(architecture)
    assert "not linearized" not in features.note
    assert features.anchored.any()
