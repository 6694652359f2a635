"""What a worker process is told before its first item. Imports nothing heavy, so that it can run first."""

from __future__ import annotations

import multiprocessing
import os
import signal
import sys
import threading

THREAD_VARIABLES = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "VECLIB_MAXIMUM_THREADS")


def pin_threads() -> None:
    """One thread a process, so that processes and the libraries' own threads do not fight for the cores.

    The libraries read these variables when they load: this must run before NumPy and torch are imported.
    """
    for variable in THREAD_VARIABLES:
        os.environ[variable] = "1"


def start() -> None:
    """Initialise a worker process."""
    pin_threads()
    if "torch" in sys.modules:
        sys.modules["torch"].set_num_threads(1)
    # On Ctrl-C the driver reports; the workers just end.
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    threading.Thread(target=_end_with_parent, daemon=True).start()


def _end_with_parent() -> None:
    """A driver that is killed cannot end its workers, and the pool's queue would keep them waiting for ever."""
    parent = multiprocessing.parent_process()
    if parent is not None:
        parent.join()
        os._exit(1)
