import json
import math
import operator
import os
import signal
import subprocess
import sys
import textwrap
import time
from functools import partial
from pathlib import Path

import pytest

from lineage_graph.executors import Outcome, ProcessExecutor, SerialExecutor, default_jobs, make_executor

# Items that are calls: `operator.call` is a module-level function that every worker can import.
CALLS = [
    partial(math.sqrt, 4.0),
    partial(math.sqrt, -1.0),
    partial(json.loads, '{"a": [1, 2]}'),
    partial(json.loads, "{\n"),
    partial(divmod, 7, 0),
]


@pytest.fixture(scope="module")
def processes():
    with ProcessExecutor(2) as executor:
        yield executor


def test_outcomes_come_in_input_order_and_errors_become_records():
    outcomes = list(SerialExecutor().map(operator.call, CALLS))
    assert [outcome.ok for outcome in outcomes] == [True, False, True, False, False]
    assert outcomes[0] == Outcome(2.0)
    assert outcomes[2] == Outcome({"a": [1, 2]})
    assert [outcome.error for outcome in outcomes] == ["", "ValueError", "", "JSONDecodeError", "ZeroDivisionError"]
    assert all("\n" not in outcome.message for outcome in outcomes)


def test_serial_and_processes_agree(processes):
    assert list(processes.map(operator.call, CALLS)) == list(SerialExecutor().map(operator.call, CALLS))


def test_order_holds_when_the_first_is_slowest(processes):
    naps = [partial(time.sleep, 0.2), *[partial(abs, -number) for number in range(20)]]
    assert [outcome.value for outcome in processes.map(operator.call, naps)] == [None, *range(20)]


def test_items_are_drawn_a_bounded_number_ahead(processes):
    drawn = []

    def items():
        for number in range(100):
            drawn.append(number)
            yield number

    outcomes = processes.map(abs, items())
    assert drawn == []
    assert next(outcomes).value == 0
    assert len(drawn) <= 5
    outcomes.close()


def test_a_worker_that_dies_is_its_own_items_failure(processes):
    calls = [partial(abs, -1), partial(os._exit, 9), partial(time.sleep, 0.05), partial(abs, -2), partial(abs, -3)]
    outcomes = list(processes.map(operator.call, [*calls, *calls]))
    assert [outcome.error for outcome in outcomes] == ["", "WorkerDiedError", "", "", ""] * 2
    assert [outcome.value for outcome in outcomes] == [1, None, None, 2, 3] * 2


def test_what_does_not_pickle_is_a_failure(processes):
    outcomes = list(processes.map(operator.call, [lambda: 1, partial(abs, -1), partial(memoryview, b"")]))
    assert [outcome.ok for outcome in outcomes] == [False, True, False]


@pytest.mark.skipif(sys.platform != "linux", reason="the fork server preloads on Linux only")
def test_workers_have_torch_loaded_and_one_thread(processes):
    threads = "__import__('sys').modules['torch'].get_num_threads()"
    variable = "__import__('os').environ['OMP_NUM_THREADS']"
    assert [outcome.value for outcome in processes.map(eval, [threads, variable])] == [1, "1"]


def test_driver_stays_without_torch():
    program = """
        import sys
        from lineage_graph.executors import ProcessExecutor
        with ProcessExecutor(2) as executor:
            assert [outcome.value for outcome in executor.map(abs, [-1, -2])] == [1, 2]
        assert "torch" not in sys.modules and "numpy" not in sys.modules
    """
    subprocess.run([sys.executable, "-c", textwrap.dedent(program)], check=True, timeout=60)


@pytest.mark.skipif(not Path("/proc").is_dir(), reason="looks for processes in /proc")
def test_workers_end_when_the_driver_is_killed():
    program = """
        import os, time
        from lineage_graph.executors import ProcessExecutor
        executor = ProcessExecutor(2)
        print(next(executor.map(eval, ["__import__('os').getpid()", "__import__('time').sleep(60)"])).value, flush=True)
        time.sleep(60)
    """
    driver = subprocess.Popen([sys.executable, "-c", textwrap.dedent(program)], stdout=subprocess.PIPE, text=True)
    worker = int(driver.stdout.readline())
    assert Path(f"/proc/{worker}").exists()
    driver.send_signal(signal.SIGKILL)
    driver.wait()
    driver.stdout.close()
    deadline = time.monotonic() + 10
    while _runs(worker) and time.monotonic() < deadline:
        time.sleep(0.02)
    assert not _runs(worker)


def _runs(pid):
    try:
        return Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0] != "Z"
    except OSError:
        return False


def test_make_executor():
    assert isinstance(make_executor(1), SerialExecutor)
    assert isinstance(make_executor(3), ProcessExecutor)
    assert 1 <= default_jobs() <= (os.cpu_count() or 1)
