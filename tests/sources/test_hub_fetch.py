"""From manifest entries to checked files, with the real client, on a hub over loopback that can fail."""

from __future__ import annotations

import signal
import subprocess
import sys
import time
from dataclasses import replace

import pytest

from hub.faults import Fault, Kind, OneIn
from hub.repositories import Repository
from lineage_graph import crawl
from lineage_graph.manifest import load
from lineage_graph.sources.hub_client import HubClient
from lineage_graph.sources.hub_settings import from_environment
from lineage_graph.store import Store
from lineage_graph.types import silent

WEIGHTS = "model.safetensors"


@pytest.fixture
def settings(hub):
    return replace(from_environment(), attempts=4, wait=0.01, patience=5.0, timeout=5.0)


def zoo(folder, *names):
    path = folder / "zoo.yaml"
    path.write_text("name: far\nmodels:\n" + "".join(f"  - hub: lab/{name}\n" for name in names), encoding="utf-8")
    return load(path).entries


def fetched(entries, settings, folder):
    client = HubClient(settings)
    store = Store(folder / "store")
    return {one.planned.id: one for one in crawl.fetch(crawl.plan(entries, client, silent), client, store, silent)}


def bytes_of(number, size=200_000):
    return bytes([number]) * size


def test_files_come_as_they_are_and_only_once(hub, settings, tmp_path):
    files = {"config.json": b"{}", WEIGHTS: bytes_of(1), "pytorch_model.bin": bytes_of(2)}
    hub.add(Repository("lab/one", files=files, card={"license": "mit"}))
    (first,) = fetched(zoo(tmp_path, "one"), settings, tmp_path).values()
    assert (first.outcome, first.planned.model.weights[0].path) == ("fetched", WEIGHTS)
    folder = first.located.path
    assert (folder / WEIGHTS).read_bytes() == files[WEIGHTS]
    assert sorted(path.name for path in folder.iterdir()) == ["README.md", "config.json", WEIGHTS]
    (again,) = fetched(zoo(tmp_path, "one"), settings, tmp_path).values()
    assert (again.outcome, again.bytes) == ("cached", 0)
    assert hub.sent(WEIGHTS) == len(files[WEIGHTS])


@pytest.mark.parametrize(
    ("fault", "error"),
    [
        (Fault(Kind.CORRUPT, f"*/{WEIGHTS}", times=-1), "HashMismatchError"),
        (Fault(Kind.RATE, "/api/models/lab/two", times=-1, retry_after=60), "RateLimitedError"),
        (Fault(Kind.ERROR, "/api/models/lab/two", times=-1), "NetworkError"),
        (Fault(Kind.LOOP, f"*/{WEIGHTS}", times=-1), "NetworkError"),
    ],
    ids=lambda one: one if isinstance(one, str) else str(one.kind),
)
def test_what_fails_is_one_model_and_the_rest_goes_on(hub, settings, tmp_path, fault, error):
    hub.add(Repository("lab/one", files={WEIGHTS: bytes_of(1)}), Repository("lab/two", files={WEIGHTS: bytes_of(2)}))
    hub.fail(replace(fault, path=fault.path.replace("*/", "*/lab/two/*", 1) if "api" not in fault.path else fault.path))
    found = fetched(zoo(tmp_path, "one", "two"), settings, tmp_path)
    assert found["lab/one"].outcome == "fetched"
    failure = found["lab/two"].failure
    assert (failure.error, failure.id) == (error, "lab/two")
    assert "lab/two" in failure.message
    assert "\n" not in failure.message


@pytest.mark.parametrize("kind", [Kind.CORRUPT, Kind.RATE, Kind.ERROR, Kind.DROP, Kind.LENGTH], ids=str)
def test_what_fails_once_is_asked_again_without_a_word(hub, settings, tmp_path, capfd, kind):
    hub.add(Repository("lab/one", files={WEIGHTS: bytes_of(1)}))
    hub.fail(Fault(kind, f"*/{WEIGHTS}", method="GET"))
    (one,) = fetched(zoo(tmp_path, "one"), settings, tmp_path).values()
    assert one.outcome == "fetched", one.failure
    assert one.located.path.read_bytes() == bytes_of(1)
    assert capfd.readouterr().err == "", "the client's warnings show the signed addresses of files"


def test_with_faults_on_one_request_in_five_all_is_there_or_named(hub, settings, tmp_path):
    names = [f"m{number}" for number in range(12)]
    hub.add(*(Repository(f"lab/{name}", files={WEIGHTS: bytes_of(n)}) for n, name in enumerate(names)))
    hub.fail(one_in=OneIn(5, seed=3))
    found = fetched(zoo(tmp_path, *names), replace(settings, attempts=6), tmp_path)
    assert list(found) == [f"lab/{name}" for name in names]
    for number, one in enumerate(found.values()):
        if one.failure is None:
            assert one.located.path.read_bytes() == bytes_of(number)
        else:
            assert one.failure.id == one.planned.id
    assert sum(one.failure is None for one in found.values()) >= 10


def test_offline_what_was_fetched_is_found_again(hub, settings, tmp_path):
    hub.add(Repository("lab/one", files={WEIGHTS: bytes_of(1)}))
    entries = zoo(tmp_path, "one", "other")
    fetched(entries, settings, tmp_path)
    found = fetched(entries, replace(settings, offline=True), tmp_path)
    assert found["lab/one"].outcome == "cached"
    assert found["lab/other"].failure.error == "OfflineError"


def complete(cache, names):
    """The models whose weights lie complete in the client's cache."""
    return [name for name in names if any((cache / f"models--lab--{name}").glob(f"snapshots/*/{WEIGHTS}"))]


SPEEDS = {"[02468]": 0.008, "[13579]": 0.016}
"""Seconds between two pieces of a file, by the numbers of the models."""

CRAWL = """
import sys
from dataclasses import replace
from pathlib import Path
from lineage_graph import crawl
from lineage_graph.manifest import load
from lineage_graph.sources.hub_client import HubClient
from lineage_graph.sources.hub_settings import from_environment
from lineage_graph.store import Store
from lineage_graph.types import silent

folder = Path(sys.argv[1])
client = HubClient(replace(from_environment(), connections=2))
crawl.fetch(crawl.plan(load(folder / "zoo.yaml").entries, client, silent), client, Store(folder / "store"), silent)
"""


def test_a_crawl_that_is_killed_goes_on_and_fetches_no_complete_file_twice(hub, settings, tmp_path):
    names = [f"m{number}" for number in range(10)]
    hub.add(*(Repository(f"lab/{name}", files={WEIGHTS: bytes_of(n, 60_000)}) for n, name in enumerate(names)))
    # At two speeds, so that one file is under way when another is complete.
    hub.fail(*(Fault(Kind.SLOW, f"*/m{two}/*/{WEIGHTS}", times=-1, seconds=s) for two, s in SPEEDS.items()))
    entries = zoo(tmp_path, *names)
    whole = {}
    for least in (1, 3, 5):
        with subprocess.Popen([sys.executable, "-c", CRAWL, tmp_path], stderr=subprocess.DEVNULL) as running:
            while len(complete(settings.cache, names)) < least and running.poll() is None:
                time.sleep(0.01)
            running.send_signal(signal.SIGKILL)
        whole |= {name: hub.sent(WEIGHTS, f"lab/{name}") for name in complete(settings.cache, names)}
    assert 5 <= len(whole) < len(names)
    assert sum(one.sent > 0 for one in hub.asked("GET", WEIGHTS)) > len(whole), "no file was under way"
    hub.fail()
    found = fetched(entries, settings, tmp_path)
    assert {one.planned.id.removeprefix("lab/") for one in found.values() if one.outcome == "cached"} == set(whole)
    assert [one.located.path.read_bytes() for one in found.values()] == [bytes_of(n, 60_000) for n in range(10)]
    assert whole == {name: hub.sent(WEIGHTS, f"lab/{name}") for name in whole}
    before = hub.sent(WEIGHTS)
    assert {one.outcome for one in fetched(entries, settings, tmp_path).values()} == {"cached"}
    assert hub.sent(WEIGHTS) == before
