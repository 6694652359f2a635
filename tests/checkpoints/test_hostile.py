"""Nothing in a pickle is ever run, imported or unfolded without end; tensors beside hostile parts are read."""

import contextlib
import copyreg
import json
import pickle
import subprocess
import sys

import numpy as np
import pytest

from checkpoints.hostile import CONTAINERS, attacks, bombs, in_dict, plain_weights, torch_weights
from lineage_graph.checkpoints import open_checkpoint
from lineage_graph.errors import CheckpointError, NoWeightsError, UnsafePickleError, UnsupportedFormatError

EVIL = """
from pathlib import Path
import codecs
Path({marker!r}).touch()
value = 1
class Evil:
    def __setstate__(self, state): Path({marker!r}).touch()
    def __setitem__(self, key, value): Path({marker!r}).touch()
    def extend(self, items): Path({marker!r}).touch()
    append = extend
"""


@pytest.fixture
def marker(tmp_path, monkeypatch):
    """A file that must never appear; a module that makes it when imported; a registered extension that would."""
    marker = tmp_path / "ran"
    (tmp_path / "evil_module.py").write_text(EVIL.format(marker=str(marker)))
    monkeypatch.syspath_prepend(tmp_path)
    copyreg.add_extension("os", "system", 240)
    yield marker
    copyreg.remove_extension("os", "system", 240)
    assert not marker.exists(), "something ran"
    assert "evil_module" not in sys.modules


NAMES = list(attacks("x"))


@pytest.mark.parametrize("name", NAMES)
def test_the_attacks_are_real(tmp_path, marker, name):
    """Python's own unpickler falls for each, so the tests below can fail."""
    with contextlib.suppress(TypeError, AttributeError, ValueError, IndexError, RuntimeError):
        pickle.loads(b"\x80\x02" + attacks(marker)[name][0] + b".")
    assert marker.exists()
    marker.unlink()
    sys.modules.pop("evil_module", None)


@pytest.mark.parametrize("container", CONTAINERS)
@pytest.mark.parametrize("name", NAMES)
def test_a_hostile_value_alone(tmp_path, marker, container, name):
    opcodes, asked = attacks(marker)[name]
    CONTAINERS[container](tmp_path / "x", b"\x80\x04" + opcodes + b".")
    with pytest.raises(CheckpointError) as caught:
        open_checkpoint(tmp_path / "x")
    assert isinstance(caught.value, UnsafePickleError)
    assert asked in str(caught.value)


@pytest.mark.parametrize("container", CONTAINERS)
@pytest.mark.parametrize("name", NAMES)
def test_a_hostile_value_beside_weights(tmp_path, marker, container, name):
    weights = plain_weights() if container == "plain" else torch_weights()
    CONTAINERS[container](tmp_path / "x", in_dict(attacks(marker)[name][0], weights))
    with open_checkpoint(tmp_path / "x") as reader:
        assert [spec.name for spec in reader.tensors] == ["w"]
        np.testing.assert_array_equal(reader.read("w"), [1, 2, 3])
        np.testing.assert_array_equal(next(iter(reader.chunks("w"))), [1, 2, 3])


@pytest.mark.parametrize("container", ["zip", "legacy"])
def test_a_storage_of_a_hostile_type(tmp_path, marker, container):
    pickled = b"\x80\x02}" + torch_weights().replace(b"ctorch\nFloatStorage\n", b"cos\nsystem\n") + b"s."
    CONTAINERS[container](tmp_path / "x", pickled)
    with pytest.raises(UnsupportedFormatError, match=r"os\.system"):
        open_checkpoint(tmp_path / "x")


def test_the_pickles_inside_an_agents_json_stay_text(tmp_path, marker):
    import base64
    import io
    import zipfile

    from checkpoints.samples import arrays, write_torch

    write_torch(tmp_path / "policy", arrays())
    evil = base64.b64encode(b"\x80\x04" + attacks(marker)["reduce"][0] + b".").decode()
    data = {"num_timesteps": 5, "policy_class": {":type:": "x", ":serialized:": evil}}
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.writestr("data", json.dumps(data))
        archive.writestr("policy.pth", (tmp_path / "policy").read_bytes())
    (tmp_path / "x").write_bytes(buffer.getvalue())
    with open_checkpoint(tmp_path / "x") as reader:
        assert reader.counters == {"num_timesteps": 5.0}


def test_an_array_of_objects_is_not_unpickled(tmp_path, marker):
    from checkpoints.hostile import Reducing

    np.save(tmp_path / "x.npy", np.array([Reducing(f"touch {marker}")], dtype=object), allow_pickle=True)
    with pytest.raises(UnsafePickleError, match="not unpickled"):
        open_checkpoint(tmp_path / "x.npy")
    np.savez(tmp_path / "y.npz", evil=np.array([Reducing(f"touch {marker}")], dtype=object))
    with pytest.raises(NoWeightsError):
        open_checkpoint(tmp_path / "y.npz")


RUN = """
import json, resource, sys, time
from pathlib import Path
from lineage_graph.checkpoints import open_checkpoint
from lineage_graph.errors import ModelError
for path in sys.argv[1:]:
    started = time.process_time()
    try:
        open_checkpoint(Path(path)).close()
        error = "none"
    except ModelError as caught:
        error = type(caught).__name__ + ": " + str(caught)
    try:
        # Of this program alone: getrusage goes on from what the process that started it had.
        peak = int(Path("/proc/self/status").read_text().partition("VmHWM:")[2].split()[0])
    except OSError:
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    print(json.dumps([path, error, time.process_time() - started, peak]), flush=True)
"""


@pytest.fixture(scope="module")
def detonated(tmp_path_factory):
    """Every bomb opened in one process apart: what came of it, its processor time, and the peak memory so far in kB."""
    folder = tmp_path_factory.mktemp("bombs")
    paths = []
    for container in ("plain", "zip"):
        for number, body in enumerate(bombs().values()):
            paths.append(folder / f"{container}-{number}")
            CONTAINERS[container](paths[-1], body)
    done = subprocess.run(
        [sys.executable, "-c", RUN, *map(str, paths)], capture_output=True, text=True, timeout=200, check=False
    )
    results = [json.loads(line) for line in done.stdout.splitlines()]
    return {path.rsplit("/", 1)[-1]: rest for path, *rest in results}, done.stderr


@pytest.mark.parametrize("container", ["plain", "zip"])
@pytest.mark.parametrize("name", list(bombs()))
def test_bombs(detonated, container, name):
    results, stderr = detonated
    key = f"{container}-{list(bombs()).index(name)}"
    assert key in results, f"the process died: {stderr[-500:]}"
    error, seconds, peak = results[key]
    assert error.split(":")[0] in (
        *("TruncatedFileError", "CorruptFileError", "LimitExceededError", "NoWeightsError", "UnsafePickleError"),
        *(("none",) if name == "circle with weights" else ()),
    )
    assert seconds < 5
    assert peak < 700_000
