"""Opens each hostile file under the limits that the readers are to keep, and says what came of it.

``python child.py FOLDER``: one JSON line for each ``FOLDER/*/x``: its number, the error's name, its message, seconds of
processor time, and what was opened for writing, run or fetched meanwhile.
"""

import importlib
import json
import os
import resource
import sys
import time
from pathlib import Path

from lineage_graph.checkpoints import open_checkpoint
from lineage_graph.errors import ModelError

MEMORY = 1 << 30
WRITING = os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_APPEND
noted: list[str] = []


def hook(event: str, arguments: tuple[object, ...]) -> None:
    wrote = event == "open" and isinstance(arguments[2], int) and arguments[2] & WRITING
    if wrote or event.startswith(("os.system", "os.exec", "os.posix_spawn", "subprocess", "socket.", "os.rename")):
        noted.append(f"{event} {arguments!r}"[:200])


def outcome(path: Path) -> tuple[str, str]:
    try:
        with open_checkpoint(path) as reader:
            for spec in reader.tensors:
                for _ in reader.chunks(spec.name):
                    pass
    except ModelError as error:
        return type(error).__name__, str(error)
    except Exception as error:  # noqa: BLE001
        return "foreign", f"{type(error).__name__}: {error}"
    return "read", ""


for library in ("torch", "h5py", "onnx", "gguf"):  # their address space is not the file's
    importlib.import_module(library)
pages = int(Path("/proc/self/statm").read_text().split()[0])
limit = pages * resource.getpagesize() + MEMORY
resource.setrlimit(resource.RLIMIT_AS, (limit, limit))
sys.addaudithook(hook)
for folder in sorted(Path(sys.argv[1]).iterdir()):
    noted.clear()
    started = time.process_time()
    error, message = outcome(folder / "x")
    sys.stdout.write(json.dumps([folder.name, error, message, time.process_time() - started, noted]) + "\n")
