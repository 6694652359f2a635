"""Growing a zoo: the plan alone, then real trainings of a few models."""

import signal
import subprocess
import sys
import textwrap
import time
from collections import Counter
from pathlib import Path

import numpy as np
import pytest
import yaml
from safetensors import safe_open

from lineage_graph.errors import ManifestError, MissingExtraError, SourceError
from lineage_graph.executors import ProcessExecutor, SerialExecutor
from lineage_graph.sources.grow import grow
from lineage_graph.sources.grow import plan as planning
from lineage_graph.sources.grow.plan import TASKS, plan, truth
from lineage_graph.sources.grow.recipes import RECIPES

MANIFESTS = Path(__file__).parents[2] / "zoo_manifests"


@pytest.mark.parametrize("name", ["demo", "lineage300"])
def test_the_truth_beside_a_manifest_is_the_plans(name):
    (entry,) = yaml.safe_load((MANIFESTS / f"{name}.yaml").read_text())["models"]
    recipe, models, seed = entry["grow"]["recipe"], entry["grow"]["models"], entry["grow"]["seed"]
    chosen = RECIPES[recipe]
    known = chosen.truth(chosen.plan(models, seed), f"{recipe}-{seed}")
    told = yaml.safe_load((MANIFESTS / f"{name}.truth.yaml").read_text())
    assert told == {key: items for key, items in known.items() if items}


@pytest.mark.parametrize("models", [2, 3, 4, 5, 8, 13, 36, 150])
@pytest.mark.parametrize("seed", [0, 1])
def test_a_plan_is_a_forest_of_four_generations(models, seed):
    zoo = plan(models, seed)
    assert sorted(model.name for model in zoo) == [f"m{n:0{max(2, len(str(models)))}}" for n in range(1, models + 1)]
    seen = {}
    for model in zoo:
        if model.parent is None:
            assert model.generation == 1
        else:
            parent = seen[model.parent]
            assert model.generation == parent.generation + 1
            assert model.architecture == parent.architecture
            assert model.task != parent.task
        seen[model.name] = model
    assert {model.generation for model in zoo} == set(range(1, min(models, 4) + 1))
    assert len({model.seed for model in zoo}) == models


def test_the_demos_plan_is_varied():
    zoo = plan(36, 0)
    roots = [model for model in zoo if model.parent is None]
    assert all(count >= 2 for count in Counter(root.architecture for root in roots).values())
    assert len({root.architecture for root in roots}) == 3
    assert roots[-1].name not in {model.parent for model in zoo}
    assert {model.optimizer for model in zoo if model.parent} == {"sgd", "adamw"}
    assert len({max(TASKS[model.task]) for model in zoo}) >= 4


def test_names_say_nothing_of_the_generation():
    generations = [[m.generation for m in sorted(plan(36, seed), key=lambda m: m.name)] for seed in range(200)]
    correlations = [np.corrcoef(range(36), row)[0, 1] for row in generations]
    assert abs(np.mean(correlations)) < 4 / np.sqrt(36 * 200)


def test_the_seed_and_the_count_alone_make_the_plan():
    assert plan(36, 0) == plan(36, 0)
    edges = {tuple((m.parent, m.name) for m in plan(36, seed)) for seed in range(5)}
    assert len(edges) == 5


@pytest.mark.parametrize("models", [-1, 0, 1, 1001])
def test_impossible_numbers_of_models(models):
    with pytest.raises(ManifestError, match=rf"models: {models} is not between 2 and 1000"):
        plan(models, 0)


def test_an_unknown_recipe_lists_the_known_ones(tmp_path):
    with pytest.raises(ManifestError, match="there is no 'rhubarb'; the recipes are: digits"):
        grow("rhubarb", 3, 0, tmp_path, SerialExecutor())
    assert list(tmp_path.iterdir()) == []


def test_a_missing_extra_says_the_line_that_installs_it(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "sklearn", None)
    with pytest.raises(MissingExtraError, match=r"pip install 'lgraph\[demo\]'"):
        grow("digits", 3, 0, tmp_path, SerialExecutor())


@pytest.fixture(scope="module")
def grown(tmp_path_factory):
    """A root, its child and its grandchild, trained in this process, with what was reported on the way."""
    reports = []
    zoo = grow(
        "digits", 3, 0, tmp_path_factory.mktemp("cache"), SerialExecutor(), lambda *report: reports.append(report)
    )
    return zoo, reports


def test_what_is_reported_and_returned(grown):
    zoo, reports = grown
    assert reports == [("grow", done, 3) for done in range(4)]
    assert [model.id for model in zoo.models] == ["digits-0/m01", "digits-0/m02", "digits-0/m03"]
    assert all(model.path.is_absolute() and model.path.is_file() for model in zoo.models)
    assert {(model.source, model.arch) for model in zoo.models} == {("grow:digits", "test_resnet")}
    assert yaml.safe_load(zoo.truth.read_text()) == truth(plan(3, 0), "digits-0")


def test_the_files_say_nothing_of_the_lineage(grown):
    for model in grown[0].models:
        with safe_open(model.path, framework="np") as file:
            assert file.metadata() == {"architecture": model.arch}


def test_every_generation_has_learned_its_task(grown):
    import torch
    from safetensors.torch import load_file

    from lineage_graph.sources.grow.digits import task_data
    from lineage_graph.timm_compat import import_timm

    for model, file in zip(sorted(plan(3, 0), key=lambda model: model.name), grown[0].models, strict=True):
        images, labels = task_data(model.architecture, model.task, training=False)
        network = import_timm().create_model(model.architecture, num_classes=max(TASKS[model.task]) + 1).eval()
        network.load_state_dict(load_file(file.path))
        with torch.no_grad():
            accuracy = (network(images).argmax(1) == labels).float().mean()
        assert accuracy > 0.85, model


@pytest.fixture
def quick(monkeypatch):
    """Trainings too short to learn, long enough to compare bytes."""
    monkeypatch.setattr(planning, "_ROOT_STEPS", 6)
    monkeypatch.setattr(planning, "_CHILD_STEPS", (3,))


def contents(zoo):
    return {model.id: model.path.read_bytes() for model in zoo.models}


def test_processes_and_a_second_start_give_the_same_bytes(quick, tmp_path):
    zoo = grow("digits", 6, 0, tmp_path / "serial", SerialExecutor())
    first = contents(zoo)
    assert len(set(first.values())) == 6
    with ProcessExecutor(2) as executor:
        assert contents(grow("digits", 6, 0, tmp_path / "processes", executor)) == first
    lost = plan(6, 0)[1].name
    zoo.truth.with_name(f"{lost}.safetensors").unlink()
    kept = {model.path: model.path.stat().st_mtime_ns for model in zoo.models if model.path.stem != lost}
    reports = []
    again = grow("digits", 6, 0, tmp_path / "serial", SerialExecutor(), lambda *report: reports.append(report[1]))
    assert contents(again) == first
    assert reports == [5, 6]
    assert {path: path.stat().st_mtime_ns for path in kept} == kept


def test_a_finished_zoo_needs_neither_torch_nor_the_extra(quick, tmp_path, monkeypatch):
    first = grow("digits", 2, 0, tmp_path, SerialExecutor())
    monkeypatch.setitem(sys.modules, "torch", None)
    monkeypatch.setitem(sys.modules, "sklearn", None)
    assert grow("digits", 2, 0, tmp_path, SerialExecutor()) == first


def test_a_training_that_fails_is_named(quick, tmp_path, monkeypatch):
    monkeypatch.setitem(TASKS, plan(2, 0)[1].task, ())
    with pytest.raises(SourceError, match=f"{plan(2, 0)[1].name} failed: ValueError"):
        grow("digits", 2, 0, tmp_path, SerialExecutor())


def test_a_killed_run_is_finished_by_the_next_with_the_same_bytes(quick, tmp_path):
    program = """
        import sys
        from pathlib import Path
        from lineage_graph.executors import SerialExecutor
        from lineage_graph.sources.grow import grow, plan
        plan._ROOT_STEPS, plan._CHILD_STEPS = 6, (3,)
        grow("digits", 6, 0, Path(sys.argv[1]), SerialExecutor(), lambda stage, done, total: print(done, flush=True))
    """
    run = subprocess.Popen(
        [sys.executable, "-c", textwrap.dedent(program), str(tmp_path / "killed")], stdout=subprocess.PIPE, text=True
    )
    assert [run.stdout.readline() for _ in range(3)] == ["0\n", "1\n", "2\n"]
    time.sleep(0.02)
    run.send_signal(signal.SIGKILL)
    run.wait()
    run.stdout.close()
    there = len(list((tmp_path / "killed").glob("grown/*/m*.safetensors")))
    assert 2 <= there < 6
    reports = []
    zoo = grow("digits", 6, 0, tmp_path / "killed", SerialExecutor(), lambda *report: reports.append(report[1]))
    assert reports[0] == there
    assert contents(zoo) == contents(grow("digits", 6, 0, tmp_path / "whole", SerialExecutor()))
