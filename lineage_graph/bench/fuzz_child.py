"""The process in which mutated files are read: little memory, and every step that no reader may take is noted.

Python tells its audit hooks (https://docs.python.org/3/library/audit_events.html) of each file that is opened for
writing, each program, socket and library; a hook cannot be taken off again.
"""

from __future__ import annotations

import os
import random
import resource
import sys
import time
import warnings
from dataclasses import dataclass
from multiprocessing.connection import Connection
from pathlib import Path

from lineage_graph.bench.fuzz_mutations import mutate
from lineage_graph.bench.fuzz_samples import write
from lineage_graph.checkpoints import open_checkpoint
from lineage_graph.errors import ModelError

FORBIDDEN = (
    "os.system",
    "os.exec",
    "os.posix_spawn",
    "os.fork",
    "os.spawn",
    "subprocess.Popen",
    "socket.",
    "pty.spawn",
)
"""Beginnings of the events that mean: something of the file was run, or something was fetched."""

_WRITING = os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC | os.O_APPEND
_CHANGING = ("os.rename", "os.remove", "os.mkdir", "os.rmdir", "os.link", "os.symlink", "os.truncate", "os.chmod")


@dataclass(frozen=True, slots=True)
class Job:
    """Inputs ``start`` to ``stop`` of ``kinds`` in turn; ``folder`` is the sandbox; ``memory``: bytes beyond the
    libraries' own.
    """

    kinds: tuple[str, ...]
    seed: int
    start: int
    stop: int
    folder: str
    memory: int


@dataclass(frozen=True, slots=True)
class Report:
    """What became of input ``number``: ``read``, an error's name, or what must not be: ``foreign``, ``memory``,
    ``wrote``, ``ran``. ``seconds`` of processor time.
    """

    number: int
    outcome: str
    detail: str
    seconds: float


def work(job: Job, sender: Connection) -> None:
    """Read each input, and send a :class:`Report` of it; before the first, one of number -1."""
    warnings.simplefilter("ignore")
    folder = Path(job.folder)
    (folder / "tmp").mkdir(parents=True, exist_ok=True)
    os.chdir(folder)
    os.environ["TMPDIR"] = str(folder / "tmp")
    samples = {kind: _sample(kind, folder) for kind in job.kinds}
    for kind in job.kinds:  # the libraries are loaded, and their code run once, before memory is counted
        _read(folder / kind / "x")
    noted = _watch(str(folder))
    _, hard = resource.getrlimit(resource.RLIMIT_AS)
    resource.setrlimit(resource.RLIMIT_AS, (_address_space() + job.memory, hard))
    sender.send(Report(-1, "ready", "", 0.0))
    for number in range(job.start, job.stop):
        kind = job.kinds[number % len(job.kinds)]
        # Not of the kind's number alone: each input has a generator of its own, so any can be made again.
        data = mutate(kind, samples[kind], random.Random(f"{job.seed} {number}"))  # noqa: S311 - no secret
        path = folder / kind / "x"
        path.write_bytes(data)
        noted.clear()
        started = time.process_time()
        outcome, detail = _read(path)
        seconds = time.process_time() - started
        if noted:
            outcome, detail = noted[0]
        sender.send(Report(number, outcome, detail, seconds))


def _sample(kind: str, folder: Path) -> bytes:
    (folder / kind).mkdir(exist_ok=True)
    return write(kind, folder / kind)


def _read(path: Path) -> tuple[str, str]:
    """Open the file and read every tensor, whole and in pieces."""
    try:
        with open_checkpoint(path) as reader:
            for spec in reader.tensors:
                reader.read(spec.name)
                for _ in reader.chunks(spec.name):
                    pass
    except ModelError as error:
        return _judged(path, error)
    except Exception as error:  # noqa: BLE001 - to find these is what this is for
        return "foreign", f"{type(error).__name__}: {error}"[:300]
    return "read", ""


def _judged(path: Path, error: ModelError) -> tuple[str, str]:
    """A named error, unless it hides a want of memory, does not name the file, or is not one line that can be shown."""
    text = str(error)
    if "needs more memory than there is" in text:
        return "memory", text[:300]
    if str(path) not in text or "\n" in text or "\x1b" in text or len(text) > 2000:
        return "foreign", f"a bad message: {text[:300]!r}"
    return type(error).__name__, text[:300]


def _watch(folder: str) -> list[tuple[str, str]]:
    """A list that fills with what must not happen outside ``folder``."""
    noted: list[tuple[str, str]] = []

    def hook(event: str, arguments: tuple[object, ...]) -> None:
        if event == "open":
            path, _, flags = arguments
            inside = not isinstance(path, str | bytes) or os.path.abspath(os.fsdecode(path)).startswith(folder)  # noqa: PTH100
            if isinstance(flags, int) and flags & _WRITING and not inside:
                noted.append(("wrote", f"{event} {path!r}"))
        elif event.startswith(FORBIDDEN):
            noted.append(("ran", f"{event} {arguments!r}"[:300]))
        elif event in _CHANGING and not os.path.abspath(os.fsdecode(str(arguments[0]))).startswith(folder):  # noqa: PTH100
            noted.append(("wrote", f"{event} {arguments!r}"[:300]))

    sys.addaudithook(hook)
    return noted


def _address_space() -> int:
    pages = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[0])
    return pages * resource.getpagesize()
