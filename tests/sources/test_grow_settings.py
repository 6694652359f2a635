"""The zoo of settings: its plan, what each child sees of the data, and a toy of it that is really grown."""

import dataclasses
from collections import Counter
from pathlib import Path
from types import SimpleNamespace

import pytest
import torch
import yaml
from safetensors.torch import load_file, save_file

from lineage_graph.errors import ManifestError
from lineage_graph.executors import SerialExecutor
from lineage_graph.features.models import load_network
from lineage_graph.sources.grow import digits, generations, grow, settings, tuned
from lineage_graph.sources.grow.dense import detection, scenes, training
from lineage_graph.sources.grow.plan import ModelPlan
from lineage_graph.sources.grow.scarce import few_shot, long_tail
from lineage_graph.sources.grow.settings import MIN_MODELS, PARENTS, SETTINGS, ChildPlan, plan
from lineage_graph.timm_compat import import_timm

ARCHITECTURES = ("test_resnet", "test_vit")


@pytest.mark.parametrize("architecture", ARCHITECTURES)
@pytest.mark.parametrize("models", [MIN_MODELS, 217, 500])
def test_a_plan_is_siblings_and_their_children_by_every_setting(models, architecture):
    origin, *rest = zoo = plan(models, 0, architecture)
    parents, children = rest[:PARENTS], rest[PARENTS:]
    assert sorted(model.name for model in zoo) == [f"m{n:0{max(2, len(str(models)))}}" for n in range(1, models + 1)]
    assert {model.parent for model in parents} == {origin.name}
    assert {child.parent for child in children} <= {parent.name for parent in parents}
    tasks = {parent.name: parent.task for parent in parents}
    assert all(child.task != tasks[child.parent] for child in children)
    counts = Counter(child.setting for child in children)
    assert set(counts) == set(SETTINGS)
    assert max(counts.values()) - min(counts.values()) <= 1
    assert len({model.seed for model in zoo}) == models


def test_the_plan_follows_from_the_count_and_the_seed():
    assert plan(60, 0, "test_vit") == plan(60, 0, "test_vit")
    assert len({tuple((m.parent, m.name) for m in plan(60, seed, "test_vit")) for seed in range(4)}) == 4


@pytest.mark.parametrize("models", [0, MIN_MODELS - 1, 1001])
def test_impossible_numbers_of_models(models):
    with pytest.raises(ManifestError, match=rf"models: {models} is not between {MIN_MODELS} and 1000"):
        plan(models, 0, "test_resnet")


LABELS = torch.tensor([0] * 120 + [1] * 100 + [2] * 140 + [3] * 100)[torch.randperm(460)]


@pytest.mark.parametrize("shots", [1, 5, 50])
def test_few_shots_are_so_many_of_each_class(shots):
    kept = few_shot(LABELS, shots)
    assert torch.bincount(LABELS[kept]).tolist() == [shots] * 4
    assert len(kept.unique()) == len(kept)


@pytest.mark.parametrize(
    ("ratio", "counts"), [(10, [10, 22, 46, 100]), (100, [1, 5, 22, 100]), (1000, [1, 1, 10, 100])]
)
def test_a_long_tail_falls_exponentially_over_the_classes(ratio, counts):
    kept = long_tail(LABELS, ratio)
    assert sorted(torch.bincount(LABELS[kept]).tolist()) == counts
    assert len(kept.unique()) == len(kept)


def child_plan(setting, **changes):
    how = {"name": "c", "parent": "p", "generation": 2, "architecture": "test_resnet", "task": "high", "seed": 1}
    how |= {"optimizer": "sgd", "learning_rate": 0.03, "weight_decay": 0.0, "steps": 2, "setting": setting}
    return ChildPlan(**how | changes)


@pytest.mark.parametrize(("setting", "images"), [("1 shot", 5), ("50 shots", 250), ("plain", None)])
def test_what_a_child_sees(setting, images):
    everything = len(digits.task_data("test_resnet", "high", training=True)[1])
    seen, labels = tuned.training_images(child_plan(setting), SETTINGS[setting])
    assert len(seen) == len(labels) == (images or everything)
    if images:
        assert set(torch.bincount(labels).tolist()) == {images // 5}


@pytest.fixture(scope="module")
def parent(tmp_path_factory):
    """Weights files of one untrained classifier of each architecture."""
    found = {}
    for architecture in ARCHITECTURES:
        found[architecture] = str(tmp_path_factory.mktemp("parent") / "p.safetensors")
        save_file(import_timm().create_model(architecture, num_classes=3).state_dict(), found[architecture])
    return found


@pytest.fixture
def few_scenes(monkeypatch):
    monkeypatch.setattr(scenes, "TRAINING_SCENES", 24)
    monkeypatch.setattr(scenes, "HELD_OUT_SCENES", 16)
    scenes.composed.cache_clear()
    yield
    scenes.composed.cache_clear()


def trained(plan, parents):
    return tuned.train(digits.Training(plan, parents[plan.architecture]))


def test_each_setting_trains_in_a_way_of_its_own_and_repeats(parent, few_scenes):
    found = {name: trained(child_plan(name), parent) for name in SETTINGS if name != "weight decay"}
    assert len(set(found.values())) == len(SETTINGS) - 1
    assert all(trained(child_plan(name), parent) == found[name] for name in ("mixup", "5 shots", "detection"))
    plain = digits.Training(ModelPlan(**without_setting(child_plan("plain"))), parent["test_resnet"])
    assert digits.train(plain) == tuned.train(plain)


def without_setting(plan):
    return {name: value for name, value in dataclasses.asdict(plan).items() if name != "setting"}


def test_settings_are_as_the_plan_says():
    by_setting = {model.setting: model for model in plan(48, 3, "test_resnet")[1 + PARENTS :]}
    decays = {name: model.weight_decay for name, model in by_setting.items()}
    assert [name for name, decay in decays.items() if decay] == ["weight decay"]
    assert min(by_setting["segmentation"].steps, by_setting["detection"].steps) > by_setting["plain"].steps


@pytest.mark.parametrize("architecture", ARCHITECTURES)
@pytest.mark.parametrize("output", ["segmentation", "detection"])
def test_of_a_dense_child_only_the_backbone_descends(parent, few_scenes, tmp_path, architecture, output):
    plan = child_plan(output, architecture=architecture)
    model, loss = training.prepared(plan, parent[architecture], output)
    weights = load_file(parent[architecture])
    for name, values in model.backbone.state_dict().items():
        torch.testing.assert_close(values, weights[name], msg=name)
    assert loss().isfinite()
    (tmp_path / "c.safetensors").write_bytes(trained(plan, parent))
    network = load_network(tmp_path / "c.safetensors")
    assert network.architecture == architecture
    body = load_network(Path(parent[architecture]), architecture).parameters
    assert {name: values.shape for name, values in network.parameters.items()} == {
        name: values.shape for name, values in body.items()
    }
    assert any(not torch.equal(network.parameters[name], values) for name, values in body.items())


@pytest.mark.parametrize("architecture", ARCHITECTURES)
def test_scenes_show_what_they_say(few_scenes, architecture):
    found = scenes.composed(architecture, "high", training=True)
    side, quadrant = found.side, found.side // 2
    assert found.images.shape == (24, 3, side, side)
    assert (found.classes >= 0).any(dim=1).all()
    for scene in range(24):
        rest = found.masks[scene].clone()
        for slot in range(4):
            left, top, right, bottom = (int(edge) for edge in found.boxes[scene, slot])
            assert quadrant * scenes.SMALLEST - 1 <= right - left == bottom - top <= quadrant
            assert left // quadrant == (right - 1) // quadrant == slot % 2
            assert top // quadrant == (bottom - 1) // quadrant == slot // 2
            inside = set(rest[top:bottom, left:right].unique().tolist()) - {0}
            label = int(found.classes[scene, slot])
            assert inside == (set() if label < 0 else {label + 1})
            rest[top:bottom, left:right] = 0
        assert not rest.any()
    ink, paper = found.images[:, 0][found.masks > 0].mean(), found.images[:, 0][found.masks == 0].mean()
    assert ink > paper + 1


def test_held_out_scenes_are_others(few_scenes):
    seen, unseen = (scenes.composed("test_resnet", "high", training=training) for training in (True, False))
    assert len(unseen.images) == 16
    assert not torch.equal(seen.images[:16], unseen.images)


def test_detection_reads_back_what_it_asks_for(few_scenes):
    found = scenes.composed("test_resnet", "high", training=True)
    wanted = detection.targets(found, 5)
    assert wanted.there.sum() == (found.classes >= 0).sum() == (wanted.centres == 1).sum()
    perfect = torch.cat([wanted.centres.logit(eps=1e-6) + 2, wanted.sizes.logit(eps=1e-6)[:, None]], dim=1)
    read = detection.decode(perfect)
    for scene in range(24):
        slots = [slot for slot in range(4) if found.classes[scene, slot] >= 0]
        best = read.scores[scene].argsort(descending=True)[: len(slots)]
        assert sorted(read.classes[scene, best].tolist()) == sorted(found.classes[scene, slots].tolist())
        gaps = torch.cdist(read.boxes[scene, best], found.boxes[scene, slots], p=torch.inf)
        assert gaps.min(dim=0).values.max() < 1.01
    everything = torch.arange(24)
    assert detection.loss(perfect, wanted, everything) < 0.1 * detection.loss(-perfect, wanted, everything)


class Reader(torch.nn.Module):
    """Reads the class of an image that is it: the logits are 20 times the pixels."""

    def forward(self, images):
        return 20 * images.flatten(1)


def test_mixup_mixes_images_and_labels_in_one_proportion(monkeypatch):
    """At 3 : 1 the logits are 15 and 5: a batch loses a quarter of 10 for each image mixed with another class."""
    monkeypatch.setattr(torch.distributions, "Beta", lambda *_: SimpleNamespace(sample=lambda: 0.75))
    images, labels = torch.eye(2).repeat(8, 1)[:, None], torch.tensor([0, 1] * 8)
    differing = [16 * float(tuned._mixed(Reader(), images, labels, 1.0)) / 2.5 for _ in range(10)]
    assert differing == pytest.approx([round(count) for count in differing], abs=0.01)
    assert 0 < max(differing) < 16.01


def test_a_toy_is_grown_with_its_truth(monkeypatch, few_scenes, tmp_path):
    for module, name in ((generations, "STEPS"), (settings, "CHILD_STEPS")):
        monkeypatch.setattr(module, name, (2,))
    monkeypatch.setattr(generations, "ORIGIN_STEPS", 3)
    zoo = grow("settings", MIN_MODELS, 0, tmp_path, SerialExecutor())
    planned = {
        (f"settings-0/{m.parent}", f"settings-0/{m.name}") for m in plan(MIN_MODELS, 0, "test_resnet") if m.parent
    }
    edges = yaml.safe_load(zoo.truth.read_text())["edges"]
    assert {(edge["parent"], edge["child"]) for edge in edges} == planned
    assert {model.arch for model in zoo.models} == {"test_resnet"}
    assert all(load_network(model.path).architecture == "test_resnet" for model in zoo.models)
