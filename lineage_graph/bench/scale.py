"""From stored fingerprints to the graph, for a thousand to a million models: ``lgraph bench scale``.

Each size is a population of synthetic fingerprints with a known lineage (:mod:`lineage_graph.bench.populations`),
written as ``index.arrow`` and assembled in a process of its own on one thread: time of each stage by the clock and of
the processor, peak memory, and the edges against the truth. The measurements are kept in the user's cache, so that a
run that was ended goes on where it was. ``LGRAPH_SCALE_MODELS`` names other sizes, as in ``"1000 10000"``.
"""

from __future__ import annotations

import json
import math
import os
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from lineage_graph import fingerprint, index_schema
from lineage_graph.bench import measured_scale
from lineage_graph.bench.isolated import isolated
from lineage_graph.bench.markdown import table
from lineage_graph.bench.measured_scale import Task
from lineage_graph.build import default_cache
from lineage_graph.scale.neighbours import SearchSettings
from lineage_graph.store import Store, artefact_key
from lineage_graph.types import Progress

SIZES = (1_000, 10_000, 100_000, 1_000_000)

VARIABLE = "LGRAPH_SCALE_MODELS"

LARGEST_BRUTE = 10_000
"""Models up to which all pairs are judged, too."""

STAGES = ("open", "evidence", "forest", "roots", "margins", "edges", "write")

KIND = "scale"

NEIGHBOURS = SearchSettings().neighbours


def run(workdir: Path, progress: Progress) -> str:
    """All tables. ``workdir`` needs 5 KiB of room for each model of the largest population."""
    sizes = [int(size) for size in os.environ.get(VARIABLE, "").split()] or list(SIZES)
    store = Store(default_cache() / "bench")
    found: dict[int, Mapping[str, Any]] = {}
    for done, size in enumerate(sizes):
        progress("scale", done, len(sizes))
        key = artefact_key(measured_scale.SCHEMA, fingerprint.SCHEMA, index_schema.VERSION, size)
        known = store.get(KIND, key)
        if known is None:
            with tempfile.TemporaryDirectory(dir=workdir) as folder:
                known = json.dumps(_measured(Task(folder, size))).encode()
            store.put(KIND, key, known)
        found[size] = json.loads(known)
    progress("scale", len(sizes), len(sizes))
    return report(found)


def _measured(task: Task) -> dict[str, Any]:
    isolated(measured_scale.prepare, task)
    found = {"usual": isolated(measured_scale.measure, task), "search": isolated(measured_scale.search, task)}
    found["one more"] = isolated(measured_scale.one_more, task)
    if task.models <= LARGEST_BRUTE:
        found["all pairs"] = isolated(measured_scale.all_pairs, task)
    return found


def report(found: Mapping[int, Mapping[str, Any]]) -> str:
    """The tables, by number of models."""
    usual = {size: one["usual"] for size, one in found.items()}
    load = ", ".join(f"{one['load']:.1f}" for one in usual.values())
    parts = [
        "From the index to `lineage.json`; one thread, seconds of the processor, by the clock in brackets. "
        f"Load average while measuring: {load}.\n",
        table(["models", *STAGES, "in all", "ms a model", "peak memory, MiB"], [_costs(*one) for one in usual.items()]),
        _exponent(usual),
        "Edges against the planted truth, copies taken for one model.\n",
        table(
            ["models", "edges drawn", "precision", "recall", "F1", "F1, directed", "F1 of merges", "judging all pairs"],
            [_edges(size, one) for size, one in found.items()],
        ),
        "Approximate search of the largest signature against exact search, on a sample of its models.\n",
        table(
            [
                "models",
                "of one signature",
                "cells",
                "probed",
                "nearest found",
                f"of {NEIGHBOURS} found",
                "time ÷ exact",
            ],
            _searches(found),
        ),
        "One more model, whose fingerprint is at hand: the index is opened, its signature searched, and its relatives "
        "decoded.\n",
        table(["models", "seconds", "of which opening the index"], _additions(found)),
    ]
    return "\n".join(parts)


def _costs(size: int, one: Mapping[str, Any]) -> list[object]:
    cells = [f"{one['processor'][stage]:.3g} ({one['clock'][stage]:.3g})" for stage in STAGES]
    processor, clock = sum(one["processor"].values()), sum(one["clock"].values())
    return [size, *cells, f"{processor:.3g} ({clock:.3g})", 1000 * processor / size, round(one["peak"])]


def _exponent(usual: Mapping[int, Mapping[str, Any]]) -> str:
    sizes: Sequence[int] = sorted(usual)
    if len(sizes) < 2:
        return ""
    first, last = sizes[0], sizes[-1]
    ratio = sum(usual[last]["processor"].values()) / sum(usual[first]["processor"].values())
    return f"Growth exponent of the processor's time from {first} to {last}: {math.log(ratio, last / first):.2f}.\n"


def _edges(size: int, one: Mapping[str, Any]) -> list[object]:
    usual, brute = one["usual"], one.get("all pairs")
    rates = [usual[name] for name in ("precision", "recall", "F1", "F1 directed", "F1 merges")]
    beside = f"{brute['F1']:.4f}, {brute['F1 directed']:.4f} directed" if brute else ""
    return [size, usual["edges"], *(f"{rate:.4f}" for rate in rates), beside]


def _searches(found: Mapping[int, Mapping[str, Any]]) -> list[list[object]]:
    searches = [(size, one["search"]) for size, one in found.items()]
    return [
        [size, *(one[name] for name in ("models", "cells", "probed")), *_shares(one), one["time"]]
        for size, one in searches
    ]


def _shares(one: Mapping[str, Any]) -> list[str]:
    return [f"{one[name]:.4f}" for name in ("nearest", "recall")]


def _additions(found: Mapping[int, Mapping[str, Any]]) -> list[list[object]]:
    return [[size, one["one more"]["clock"], one["one more"]["open"]] for size, one in found.items()]
