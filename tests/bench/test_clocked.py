"""The clocked executor does what the one inside does, and counts the processor's time."""

import pytest

from lineage_graph.bench.clocked import Clocked, Spent
from lineage_graph.executors.process import ProcessExecutor
from lineage_graph.executors.serial import SerialExecutor


def busy(rounds):
    if rounds < 0:
        raise ValueError("no such work")
    return sum(index * index for index in range(rounds))


def test_results_and_failures_come_through_in_order():
    with Clocked(ProcessExecutor(1)) as executor:
        found = list(executor.map(busy, [3, -1, 4]))
    assert [one.value for one in found] == [5, None, 14]
    assert [(one.error, one.message) for one in found] == [("", ""), ("ValueError", "no such work"), ("", "")]


@pytest.mark.parametrize("inside", [ProcessExecutor(1), SerialExecutor()])
def test_the_workers_time_counts_once(inside):
    with Clocked(inside) as executor:
        list(executor.map(busy, [1]))
        start = executor.spent()
        list(executor.map(busy, [3_000_000]))
        took = executor.spent() - start
    assert 0.03 < took.processor < took.clock + 0.05


def test_differences():
    assert Spent(5.0, 3.0) - Spent(1.0, 0.5) == Spent(pytest.approx(4.0), pytest.approx(2.5))
