"""Ten thousand mutated files against every reader: ``lgraph bench fuzz``.

A child reads them one after the other, with little memory and under watch (see ``fuzz_child``). Where one makes it hang
or die, that is noted, and a new child goes on behind it. What may come of an input is that it is read, or that one of
our errors names it in one line.
"""

from __future__ import annotations

import multiprocessing
import os
import platform
import sys
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from multiprocessing.connection import Connection
from multiprocessing.process import BaseProcess
from pathlib import Path

from lineage_graph.bench.fuzz_child import Job, Report, work
from lineage_graph.bench.fuzz_samples import WRITERS
from lineage_graph.bench.markdown import table
from lineage_graph.types import Progress

INPUTS = 10_000
SEED = 0
SECONDS = 5.0
"""Processor time that one input may take."""
PATIENCE = 60.0
"""Seconds on the clock after which a child that does not answer is taken to hang, however busy the machine is."""
MEMORY = 1 << 30
"""Bytes of address space that one input may take beyond what the loaded libraries have."""

BAD = ("crash", "hang", "foreign", "memory", "wrote", "ran")
"""Outcomes that must not be."""


def run(workdir: Path, progress: Progress) -> str:
    """Read ``INPUTS`` mutated files, and count what came of them by reader."""
    if sys.platform != "linux":
        return "The fuzz run limits memory and watches processes as Linux does, and runs there only."
    reports = list(fuzz(workdir, tuple(WRITERS), INPUTS, SEED, progress))
    return summary(reports, tuple(WRITERS), SEED)


def fuzz(workdir: Path, kinds: tuple[str, ...], inputs: int, seed: int, progress: Progress) -> Iterator[Report]:
    """A report on each input, in order. ``workdir`` holds the sandbox, and must hold nothing else afterwards."""
    job = Job(kinds, seed, 0, inputs, str(workdir / "sandbox"), MEMORY)
    (workdir / "sandbox").mkdir()
    while job.start < inputs:
        for report in _child(job):
            if not report.number % 100:
                progress("fuzz", report.number, inputs)
            yield report
            job = replace(job, start=report.number + 1)
    stray = [path.name for path in workdir.iterdir() if path.name != "sandbox"]
    stray += [path.name for path in (workdir / "sandbox").rglob("canary")]
    if stray:
        yield Report(inputs, "wrote", f"{', '.join(stray)} beside the sandbox", 0.0)
    progress("fuzz", inputs, inputs)


def _child(job: Job) -> Iterator[Report]:
    """The reports of one child, the last of them on the input that ended it before its time."""
    context = multiprocessing.get_context("spawn")
    receiver, sender = context.Pipe(duplex=False)
    process = context.Process(target=work, args=(job, sender), daemon=True)
    process.start()
    sender.close()
    number, seconds = job.start, PATIENCE
    try:
        while number < job.stop:
            report = _next(process, receiver, seconds)
            seconds = SECONDS
            if report is None:
                yield Report(number, *_end(process), SECONDS)
                return
            if report.number < 0:
                continue
            number = report.number + 1
            slow = report.seconds > SECONDS
            yield replace(report, outcome="hang", detail=f"{report.seconds:.1f} s") if slow else report
    finally:
        process.kill()
        process.join()
        receiver.close()


def _next(process: BaseProcess, receiver: Connection, seconds: float) -> Report | None:
    """The next report; ``None`` where the child died or hangs: takes ``seconds`` of the processor, or no end."""
    deadline, before = time.monotonic() + PATIENCE, _processor_time(process)
    while time.monotonic() < deadline and _processor_time(process) - before < seconds:
        if receiver.poll(0.5):
            try:
                report: Report = receiver.recv()
            except EOFError:
                return None
            return report
        if not process.is_alive():
            return None
    return None


def _processor_time(process: BaseProcess) -> float:
    """Seconds that the process has had; 0 where it is gone."""
    try:
        fields = Path(f"/proc/{process.pid}/stat").read_text(encoding="ascii").rpartition(")")[2].split()
    except OSError:
        return 0.0
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def _end(process: BaseProcess) -> tuple[str, str]:
    process.join(1.0)
    return ("hang", "no answer") if process.exitcode is None else ("crash", f"exit code {process.exitcode}")


def summary(reports: list[Report], kinds: tuple[str, ...], seed: int) -> str:
    """The figures as Markdown: by reader what came of its inputs, then each outcome that must not be."""
    counts = {kind: Counter[str]() for kind in kinds}
    slowest = dict.fromkeys(kinds, 0.0)
    for report in reports:
        kind = kinds[report.number % len(kinds)]
        counts[kind][report.outcome] += 1
        slowest[kind] = max(slowest[kind], report.seconds)
    rows = [
        [
            *(kind, found.total(), found["read"], found.total() - found["read"] - sum(found[bad] for bad in BAD)),
            *(found[bad] for bad in BAD),
            f"{slowest[kind]:.2f}",
        ]
        for kind, found in counts.items()
    ]
    named = sum(counts.values(), Counter[str]())
    errors = ", ".join(f"{name} {number:,}" for name, number in named.most_common() if name not in (*BAD, "read"))
    bad = [report for report in reports if report.outcome in BAD]
    lines = [f"- input {report.number}: {report.outcome}: `{report.detail!r}`" for report in bad[:50]]
    return (
        f"{len(reports):,} mutated files, seed {seed}, Python {platform.python_version()}, {os.uname().sysname}; "
        f"at most {SECONDS:.0f} s of processor time and {MEMORY >> 20} MiB each. What must not be: {len(bad)}.\n\n"
        + table(["reader", "inputs", "read", "our error", *BAD, "slowest, s"], rows)
        + f"\n\nOur errors: {errors}.\n"
        + "\n".join(["", *lines] if lines else [])
    )
