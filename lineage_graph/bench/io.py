"""What a fingerprint costs, in units of reading: ``lgraph bench io``.

Each way to read the file runs in a process of its own, several times in turn, on a warm page cache; the best time of
each counts, since other work on the machine only ever adds.
"""

from __future__ import annotations

import json
import multiprocessing
import resource
import time
from collections.abc import Callable
from multiprocessing.connection import Connection
from pathlib import Path

import numpy as np

from lineage_graph.bench.markdown import table
from lineage_graph.types import Progress

SIZE = 4 << 30
LARGEST_TENSOR = 1 << 28
"""Elements of the file's largest tensor: 1 GiB, so that reading tensor by tensor would not be enough."""
ROUNDS = 3


def run(workdir: Path, progress: Progress) -> str:
    """Write a synthetic safetensors file of 4 GiB, read it in each way, and tell times as ratios and peak memory."""
    path = workdir / "synthetic.safetensors"
    write_synthetic(path, SIZE)
    ways = {
        "read into one buffer": read_bytes,
        "SHA-256 of the file": sha256,
        "read tensors with the safetensors library": read_library,
        "read tensors in pieces with our reader": read_pieces,
        "fingerprint": fingerprint_file,
    }
    best: dict[str, tuple[float, float]] = {}
    for step in range(ROUNDS * len(ways)):
        name = list(ways)[step % len(ways)]
        seconds, peak = _in_subprocess(ways[name], path)
        best[name] = (min(seconds, best.get(name, (seconds, 0))[0]), max(peak, best.get(name, (0, 0))[1]))
        progress("io", step + 1, ROUNDS * len(ways))
    path.unlink()
    pieces, library = (best[name][0] for name in ("read tensors in pieces with our reader", list(ways)[2]))
    rows = [[name, seconds, seconds / pieces, seconds / library, round(peak)] for name, (seconds, peak) in best.items()]
    title = f"A safetensors file of {SIZE >> 20} MiB, warm cache, best of {ROUNDS}.\n\n"
    header = ["what", "seconds", "÷ our plain read", "÷ the library's plain read", "peak memory, MiB"]
    return title + table(header, rows)


def write_synthetic(path: Path, size: int) -> None:
    """A safetensors file of about ``size`` bytes of float32 noise: one large matrix, then matrices of 16 MiB."""
    elements = size // 4
    shapes = [(LARGEST_TENSOR // 4096, 4096)] if elements > 2 * LARGEST_TENSOR else []
    shapes += [(1024, 4096)] * ((elements - sum(a * b for a, b in shapes)) // (1024 * 4096))
    header: dict[str, object] = {}
    start = 0
    for number, shape in enumerate(shapes):
        end = start + 4 * shape[0] * shape[1]
        header[f"layers.{number}.weight"] = {"dtype": "F32", "shape": shape, "data_offsets": [start, end]}
        start = end
    text = json.dumps(header).encode()
    noise = np.random.default_rng(0).standard_normal(1 << 22, dtype=np.float32)
    with path.open("wb") as file:
        file.write(len(text).to_bytes(8, "little") + text)
        for written in range(0, start, noise.nbytes):
            file.write(np.roll(noise, written // 997)[: (start - written) // 4].tobytes())


def read_bytes(path: Path) -> None:
    """The bytes alone, into a buffer that stays in cache."""
    buffer = memoryview(bytearray(1 << 22))
    with path.open("rb", buffering=0) as file:
        while file.readinto(buffer):
            pass


def sha256(path: Path) -> None:
    """What the source stage does once for a file that is new."""
    from lineage_graph.sources.digest import DigestTask, compute

    compute(DigestTask((str(path),), str(path.parent)))


def read_library(path: Path) -> None:
    """Each tensor as the safetensors library hands it out."""
    from safetensors import safe_open

    with safe_open(path, framework="np") as file:
        for name in file.keys():  # noqa: SIM118 - the handle is no mapping
            file.get_tensor(name)


def read_pieces(path: Path) -> None:
    """Each tensor as our reader streams it."""
    from lineage_graph.checkpoints import open_checkpoint

    with open_checkpoint(path) as reader:
        for spec in reader.tensors:
            for _ in reader.chunks(spec.name):
                pass


def fingerprint_file(path: Path) -> None:
    """The fingerprint stage."""
    from lineage_graph.fingerprint import FingerprintTask, compute

    compute(FingerprintTask(str(path), ""))


def _in_subprocess(function: Callable[[Path], None], path: Path) -> tuple[float, float]:
    """Seconds, and peak resident memory in MiB, of ``function`` in a process of its own, imports not counted."""
    context = multiprocessing.get_context("spawn")
    receiver, sender = context.Pipe(duplex=False)
    process = context.Process(target=_timed, args=(function, path, sender))
    process.start()
    sender.close()
    try:
        seconds, peak = receiver.recv()
    finally:
        process.join()
    return seconds, peak


def _timed(function: Callable[[Path], None], path: Path, sender: Connection) -> None:
    small = path.with_name("warm-up.safetensors")
    write_synthetic(small, 1 << 25)
    function(small)
    start = time.perf_counter()
    function(path)
    seconds = time.perf_counter() - start
    sender.send((seconds, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024))
