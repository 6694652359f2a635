"""PyTorch files: containers, wrappings, whole modules, layouts."""

import io
import pickle
import zipfile

import numpy as np
import pytest
import torch

from checkpoints.samples import arrays, torch_state
from checkpoints.torch_files import REFUSED, agree, names, save
from lineage_graph.checkpoints import open_checkpoint
from lineage_graph.errors import NoWeightsError, UnsupportedFormatError

STATE = {"a.weight": torch.randn(3, 4), "a.bias": torch.randn(3)}
OTHER = {"a.weight": torch.randn(3, 4), "a.bias": torch.randn(3)}
BIG = {"x": torch.randn(50, 50)}


@pytest.mark.parametrize("extra", [{}, {"args": REFUSED}], ids=["accepted", "refused"])
@pytest.mark.parametrize(
    "wrapped",
    [
        STATE,
        {"state_dict": STATE, "epoch": 3},
        {"model": STATE, "note": "x", "history": [1.0, {"loss": 2.0}]},
        {"model_state_dict": STATE, "optimizer_state_dict": {"state": {0: BIG}, "param_groups": []}},
        {"params_ema": STATE, "params": OTHER},
        {"params": OTHER, "params_ema": STATE},
        {"state_dict": {"model": STATE, "criterion": {}}},
        {"unusual": STATE, "smaller": {"a.bias": torch.randn(3)}, "epoch": 3},
        {"my_weights": STATE, "optimizer": {"state": {0: BIG}, "param_groups": [{"lr": 0.1}]}, "optim_extra": BIG},
        {"generator": STATE, "discriminator": BIG},
        {"net": {f"module.{name}": tensor for name, tensor in STATE.items()}},
        {"state_dict": {f"_orig_mod.module.{name}": tensor for name, tensor in STATE.items()}},
        {"model": {"a": {"weight": STATE["a.weight"], "bias": STATE["a.bias"]}}, "epoch": 1},
        {**STATE, "optimizer": {"state": {0: BIG}, "param_groups": []}},
    ],
)
def test_wrappings(tmp_path, wrapped, extra):
    agree(save(tmp_path / "zip", {**wrapped, **extra}), STATE)
    agree(save(tmp_path / "legacy", {**wrapped, **extra}, legacy=True), STATE)


def test_a_prefix_stays_where_not_all_names_have_it(tmp_path):
    state = {"module.a": torch.randn(2), "b": torch.randn(2)}
    agree(save(tmp_path / "x", state), state)


def test_parts_made_of_tensors_alone_stay_together(tmp_path):
    state = {"backbone": {"w": torch.randn(9)}, "head": {"w": torch.randn(2)}}
    agree(save(tmp_path / "x", state), {"backbone.w": state["backbone"]["w"], "head.w": state["head"]["w"]})


def test_a_list_of_arrays(tmp_path):
    values = [np.ones((2, 2), np.float32), np.zeros(3, np.float32)]
    (tmp_path / "x").write_bytes(pickle.dumps(values))
    assert names(tmp_path / "x") == ["0", "1"]


def test_an_optimizer_alone_is_no_model(tmp_path):
    model = torch.nn.Linear(3, 3)
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1, momentum=0.9)
    model(torch.ones(1, 3)).sum().backward()
    optimizer.step()
    with pytest.raises(NoWeightsError):
        open_checkpoint(save(tmp_path / "x", optimizer.state_dict()))


class Net(torch.nn.Module):
    """Submodules, a shared weight, a persistent and a passing buffer, and things that are no weights."""

    def __init__(self):
        super().__init__()
        self.body = torch.nn.Sequential(torch.nn.Conv2d(2, 3, 3), torch.nn.BatchNorm2d(3), torch.nn.ReLU())
        self.head = torch.nn.Linear(3, 3, bias=False)
        self.tied = torch.nn.Linear(3, 3, bias=False)
        self.tied.weight = self.head.weight
        self.register_buffer("anchors", torch.arange(6.0))
        self.register_buffer("passing", torch.ones(5), persistent=False)
        self.names = {"a": 1}
        self.parent = [self]


@pytest.mark.parametrize("legacy", [False, True])
@pytest.mark.parametrize("wrap", [lambda net: net, lambda net: {"model": net, "ema": None, "epoch": 5}])
def test_whole_modules(tmp_path, legacy, wrap):
    net = Net()
    path = save(tmp_path / "x", wrap(net), legacy)
    agree(path, net.state_dict())
    with open_checkpoint(path) as reader:
        assert reader.architecture.endswith("Net")


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_torchscript(tmp_path):
    net = torch.nn.Sequential(torch.nn.Linear(3, 4), torch.nn.Linear(4, 2))
    torch.jit.trace(net, torch.ones(1, 3)).save(tmp_path / "x")
    agree(tmp_path / "x", net.state_dict())


@pytest.mark.parametrize("protocol", [1, 2, 3, 4])
@pytest.mark.parametrize("legacy", [False, True])
def test_every_protocol(tmp_path, protocol, legacy):
    buffer = io.BytesIO()
    value = {"state_dict": STATE, "epoch": 7, "big": 1 << 70, "text": "ü\n'", "none": None, "flags": (True, False)}
    torch.save(value, buffer, pickle_protocol=protocol, _use_new_zipfile_serialization=not legacy)
    (tmp_path / "x").write_bytes(buffer.getvalue())
    agree(tmp_path / "x", STATE)


@pytest.mark.parametrize("protocol", [0, 1, 2, 3, 4, 5])
def test_plain_pickles_of_arrays_and_tensors(tmp_path, protocol):
    rng = np.random.default_rng(0)
    fortran, big_endian = np.asfortranarray(rng.standard_normal((3, 4))), np.arange(3, dtype=">f4")
    truth = {**arrays(), "fortran": fortran, "big-endian": big_endian}
    (tmp_path / "x").write_bytes(pickle.dumps({"params": truth, "rng": {1, 2}}, protocol))
    agree(tmp_path / "x", torch_state({**truth, "big-endian": big_endian.astype("f4")}))
    (tmp_path / "y").write_bytes(pickle.dumps({"params": torch_state(arrays())}, protocol))
    agree(tmp_path / "y", torch_state(arrays()))


@pytest.mark.parametrize("order", ["C", "F"])
def test_joblib(tmp_path, order):
    joblib = pytest.importorskip("joblib")
    matrix = np.asarray(np.random.default_rng(0).standard_normal((30, 4)), order=order)
    truth = {"w": matrix, "b": np.ones(3, np.float32)}
    joblib.dump({"params": truth, "epoch": 4}, tmp_path / "x")
    agree(tmp_path / "x", torch_state(truth))
    joblib.dump({"params": truth, "text": np.array(["a", {}], dtype=object)}, tmp_path / "y")
    with pytest.raises(UnsupportedFormatError, match="joblib file with an array of Python objects"):
        open_checkpoint(tmp_path / "y")


def test_big_endian_files(tmp_path):
    """Swap a file's bytes by hand, as a big-endian machine would have written it."""
    save(tmp_path / "little", {"w": torch.arange(6.0).reshape(2, 3)})
    with zipfile.ZipFile(tmp_path / "little") as old, zipfile.ZipFile(tmp_path / "big", "w") as new:
        for name in old.namelist():
            data = old.read(name)
            data = b"big" if name.endswith("byteorder") else data
            data = np.frombuffer(data, "<f4").astype(">f4").tobytes() if name.endswith("data/0") else data
            new.writestr(name, data)
    agree(tmp_path / "big", {"w": torch.arange(6.0).reshape(2, 3)})


def test_counters(tmp_path):
    model = torch.nn.Linear(3, 3)
    optimizer = torch.optim.Adam(model.parameters())
    for _ in range(4):
        model(torch.ones(1, 3)).sum().backward()
        optimizer.step()
    value = {
        "state_dict": model.state_dict(),
        "optimizer": optimizer.state_dict(),
        "Epoch": 12,
        "global_step": 900.0,
        "iter": True,
        "best": 0.3,
        "step": -1,
        "arch": "resnet18",
    }
    for path in (save(tmp_path / "x", value), save(tmp_path / "y", {**value, "args": REFUSED})):
        with open_checkpoint(path) as reader:
            assert reader.counters == {"epoch": 12.0, "global_step": 900.0, "optimizer_step": 4.0}
            assert reader.architecture == "resnet18"


def test_an_optimizer_object(tmp_path):
    """Some tool chains pickle the optimizer itself beside the state dict."""
    model = torch.nn.Linear(3, 3)
    optimizer = torch.optim.Adam(model.parameters())
    model(torch.ones(1, 3)).sum().backward()
    optimizer.step()
    path = save(tmp_path / "x", {"state_dict": model.state_dict(), "trainer": optimizer})
    agree(path, model.state_dict())
    with open_checkpoint(path) as reader:
        assert reader.counters == {"optimizer_step": 1.0}
