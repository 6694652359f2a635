"""Features as evidence in the build, on small timm networks."""

import numpy as np
import pytest
import yaml
from safetensors.torch import save_file

from lineage_graph import manifest
from lineage_graph.build import BuildSettings, build
from lineage_graph.errors import FeaturesUnavailableError
from lineage_graph.features import anchored, held, pairwise
from lineage_graph.features.models import load_network
from lineage_graph.features.settings import ProbeSettings, images_digest
from lineage_graph.timm_compat import import_timm

PROBES = {"count": 4, "seed": 3}


@pytest.fixture(scope="module")
def networks(tmp_path_factory):
    """A root, its child with another head, and a stranger, all of one architecture; and weights that are no network."""
    import torch

    folder = tmp_path_factory.mktemp("networks")
    timm = import_timm()
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        root, other = (timm.create_model("test_resnet", num_classes=10).state_dict() for _ in range(2))
        moved = {k: v + 0.05 * v.std() * torch.randn_like(v) if v.ndim > 1 else v for k, v in root.items()}
        moved |= {"fc.weight": torch.randn(3, root["fc.weight"].shape[1]), "fc.bias": torch.zeros(3)}
        for name, state in (("root", root), ("child", moved), ("stranger", other)):
            save_file({k: v.contiguous() for k, v in state.items()}, folder / f"{name}.safetensors")
        save_file({"w": torch.randn(20, 20)}, folder / "plain.safetensors")
    return folder


def built(networks, tmp_path, arch="test_resnet", probes=None, **settings):
    models = [{"path": str(networks / f"{name}.safetensors"), "id": name} for name in ("root", "child", "stranger")]
    models = [{**model, "arch": arch} for model in models]
    models.append({"path": str(networks / "plain.safetensors"), "id": "plain"})
    document = {"name": "z", "models": models, "probes": probes or PROBES}
    (tmp_path / "z.yaml").write_text(yaml.safe_dump(document))
    settings = {"metadata": False, "jobs": 1, "cache": tmp_path / "cache", **settings}
    return build(manifest.load(tmp_path / "z.yaml"), tmp_path / "out", BuildSettings(**settings))


def test_a_pair_of_networks_that_failed_is_tried_again(networks, tmp_path, monkeypatch):
    """Memory that ran out says that there are no features, as an architecture that timm does not know does."""

    def short(_):
        raise FeaturesUnavailableError("can't allocate memory")

    def edge():
        ((_, _, data),) = built(networks, tmp_path, detector=False).lineage.graph.edges(data=True)
        return data["evidence"]

    monkeypatch.setattr(pairwise, "compare", short)
    assert "linearized.l1" not in edge()
    monkeypatch.undo()
    assert "linearized.l1" in edge()


def test_relatives_carry_linearized_evidence_and_strangers_stay_apart(networks, tmp_path):
    result = built(networks, tmp_path)
    ((_, _, edge),) = result.lineage.graph.edges(data=True)
    assert edge["evidence"]["linearized.l1"] < edge["evidence"]["features.l1"]
    assert edge["evidence"]["linearized.l1"] < 0.5
    nodes = result.lineage.graph.nodes
    assert nodes["root"]["features"].startswith("test_resnet")
    assert "head left out" in nodes["child"]["features"]
    assert nodes["plain"]["features"].startswith("none: no timm architecture")
    assert nodes["stranger"]["role"] == "isolated"


def test_without_features_no_network_is_built(networks, tmp_path, monkeypatch):
    monkeypatch.setattr(anchored, "load_network", lambda *_: pytest.fail("a network was built"))
    result = built(networks, tmp_path, features=False)
    ((_, _, edge),) = result.lineage.graph.edges(data=True)
    assert not [name for name in edge["evidence"] if name.startswith(("features", "linearized"))]
    assert result.lineage.graph.nodes["root"]["features"] == ""


def test_a_second_build_builds_no_network_not_even_to_fail(networks, tmp_path, monkeypatch):
    built(networks, tmp_path)
    first = (tmp_path / "out" / "lineage.json").read_bytes()
    for module in (anchored, held):
        monkeypatch.setattr(module, "load_network", lambda *_: pytest.fail("a network was built"))
    built(networks, tmp_path)
    assert (tmp_path / "out" / "lineage.json").read_bytes() == first


def test_a_wrong_architecture_costs_the_features_and_nothing_else(networks, tmp_path):
    result = built(networks, tmp_path, arch="resnet_of_mine")
    assert result.lineage.graph.nodes["root"]["features"] == "none: timm has no architecture 'resnet_of_mine'"
    assert result.lineage.graph.number_of_edges() == 1


def test_other_probes_give_other_features(networks, tmp_path):
    edges = []
    for seed in (0, 1):
        result = built(networks, tmp_path, probes={"count": 4, "seed": seed})
        edges += [data["evidence"]["features.l1"] for *_, data in result.lineage.graph.edges(data=True)]
    assert edges[0] != edges[1]


def test_images_count_by_their_content(networks, tmp_path):
    from PIL import Image

    folder = tmp_path / "images"
    folder.mkdir()
    for index in range(4):
        pixels = np.random.default_rng(index).integers(0, 255, (20, 20, 3), dtype=np.uint8)
        Image.fromarray(pixels).save(folder / f"{index}.png")
    before = images_digest(folder)
    result = built(networks, tmp_path, probes={"folder": "images", "count": 4})
    assert result.lineage.graph.number_of_edges() == 1
    Image.fromarray(pixels // 2).save(folder / "3.png")
    assert images_digest(folder) != before


def test_distances_at_the_anchor_are_linear_in_the_weights(networks):
    """J(θ0)·θ: what is planted half way between two models lies half way between their features."""
    from dataclasses import replace

    root, child = (load_network(networks / f"{name}.safetensors", "test_resnet") for name in ("root", "child"))
    settings = ProbeSettings(count=2)
    probes = anchored.probes_for(root, settings)
    middle = {name: (values + child.parameters[name]) / 2 for name, values in root.parameters.items()}
    one, two, between = (
        anchored.at_anchor(network, probes, 0.5)[0] for network in (root, child, replace(root, parameters=middle))
    )
    assert ((one + two) / 2 - between).norm() < 1e-4 * one.norm()
