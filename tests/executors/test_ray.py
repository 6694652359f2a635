"""A real Ray cluster: two nodes on this machine."""

import itertools
import json
import math
import operator
import os
import shutil
import signal
import sys
from functools import partial
from pathlib import Path

import pytest

from lineage_graph.build import BuildSettings, build
from lineage_graph.errors import ClusterError, MissingExtraError
from lineage_graph.executors import Outcome, SerialExecutor, make_executor
from lineage_graph.manifest import load

os.environ.setdefault("RAY_raylet_start_wait_time_s", "300")  # a busy machine takes its time
pytest.importorskip("ray", reason="needs Ray: pip install 'lgraph[ray]'")
pytestmark = pytest.mark.skipif(not Path("/proc").is_dir(), reason="looks for Ray's workers in /proc")

GRAPH = ("lineage.json", "lineage.graphml", "lineage.html")


@pytest.fixture(scope="module")
def cluster():
    """The address of a cluster of two nodes with a core each; one says that it has a GPU."""
    from ray.cluster_utils import Cluster

    cluster = Cluster()
    for gpus in range(2):
        cluster.add_node(num_cpus=1, num_gpus=gpus, object_store_memory=100 * 2**20, include_dashboard=False)
    yield cluster.address
    cluster.shutdown()


@pytest.fixture(scope="module")
def executor(cluster):
    with make_executor(kind="ray", address=cluster) as executor:
        yield executor


def test_outcomes_are_those_of_one_process_in_its_order(executor):
    calls = [partial(math.sqrt, 4.0), partial(math.sqrt, -1.0), partial(json.loads, "{\n"), partial(divmod, 7, 0)]
    calls += [partial(abs, -number) for number in range(20)]
    assert list(executor.map(operator.call, calls)) == list(SerialExecutor().map(operator.call, calls))


def test_items_are_drawn_a_bounded_number_ahead(executor):
    drawn = itertools.count()
    outcomes = executor.map(abs, (next(drawn) for _ in range(100)))
    assert next(outcomes) == Outcome(0)
    assert next(drawn) <= 6
    outcomes.close()


def test_a_task_that_kills_its_workers_is_its_own_failure(executor):
    outcomes = list(executor.map(operator.call, [partial(abs, -1), partial(os._exit, 9), partial(abs, -2)]))
    assert [outcome.error for outcome in outcomes] == ["", "WorkerDiedError", ""]
    assert [outcome.value for outcome in outcomes] == [1, None, 2]


def test_what_does_not_pickle_is_a_failure(executor):
    outcomes = list(executor.map(operator.call, [partial(next, (_ for _ in ())), partial(abs, -1)]))
    assert [outcome.ok for outcome in outcomes] == [False, True]


def test_work_for_a_gpu_goes_where_one_is(executor):
    seen = ["__import__('os').environ.get('CUDA_VISIBLE_DEVICES')"] * 6
    assert {outcome.value for outcome in executor.map(eval, seen, gpu=True)} == {"0"}
    assert "0" not in {outcome.value for outcome in executor.map(eval, seen)}


def test_a_cluster_without_a_gpu_says_so(cluster):
    executor = make_executor(kind="ray", address=cluster)
    with pytest.raises(ClusterError, match=f"--device cuda: the Ray cluster at {cluster} has no GPU"):
        executor._share(2, 0)
    assert executor._share(2, 1) == 0.5
    assert executor._share(2, 4) == 1


def test_workers_keep_to_one_thread(executor):
    (outcome,) = executor.map(eval, ["__import__('os').environ['OMP_NUM_THREADS']"])
    assert outcome == Outcome("1")


def test_a_build_whose_workers_are_killed_gives_the_same_bytes(tiny_zoo, executor, cluster, tmp_path):
    zoo = tmp_path / "zoo"
    shutil.copytree(tiny_zoo.folder, zoo)
    (zoo / "broken.safetensors").write_bytes(b"\x08\0\0\0\0\0\0\0{}")
    (zoo / "zoo.yaml").write_text("name: tiny\nmodels:\n  - path: '*.safetensors'\n")
    plain = BuildSettings(features=False, detector=False, jobs=1, cache=tmp_path / "cache")
    build(load(zoo / "zoo.yaml"), tmp_path / "plain", plain)
    killed = []

    def kill_one(stage, done, total):
        # In the midst of a stage: others of its tasks are under way.
        if 0 < done < total and done % 3 == 1 and len(killed) < 3 and (workers := _workers()):
            os.kill(workers[0], signal.SIGKILL)
            killed.append(stage)

    spread = BuildSettings(
        features=False, detector=False, executor="ray", address=cluster, cache=tmp_path / "other cache"
    )
    build(load(zoo / "zoo.yaml"), tmp_path / "spread", spread, kill_one)
    assert len(killed) == 3
    assert json.loads((tmp_path / "spread" / "lineage.json").read_text())["failures"][0]["id"] == "broken.safetensors"
    for name in GRAPH:
        assert (tmp_path / "spread" / name).read_bytes() == (tmp_path / "plain" / name).read_bytes()


def test_an_address_where_nothing_answers():
    import ray

    if ray.is_initialized():
        ray.shutdown()
    with (
        make_executor(kind="ray", address="127.0.0.1:1") as nowhere,
        pytest.raises(ClusterError, match=r"no Ray cluster at 127.0.0.1:1: "),
    ):
        next(nowhere.map(abs, [1]))


def test_without_ray_the_error_says_how_to_install_it(monkeypatch):
    monkeypatch.setitem(sys.modules, "ray", None)
    with pytest.raises(MissingExtraError, match=r"pip install 'lgraph\[ray\]'"):
        make_executor(kind="ray")


def _workers():
    """Ray's worker processes below this one, those with a task first."""
    parents, workers = {}, []
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                name = (entry / "cmdline").read_bytes()
                parents[int(entry.name)] = int((entry / "stat").read_text().rsplit(")", 1)[1].split()[1])
            except OSError:
                continue
            # Others of its processes are agents, with which a whole node would end.
            if name.startswith((b"ray::IDLE", b"ray::attempt")):
                workers.append((name.startswith(b"ray::IDLE"), int(entry.name)))
    return [pid for _, pid in sorted(workers) if _below(pid, parents)]


def _below(pid, parents):
    while pid in parents:
        if pid == os.getpid():
            return True
        pid = parents[pid]
    return False
