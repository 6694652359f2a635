"""What approximating fine-tuning costs: ``lgraph bench approximation``, Fig. 3 of "Neural Lineage" (CVPR 2024).

Time and peak memory of comparing one parent with one child, without and with approximation, in units of a plain
forward pass and of the explicit Jacobian. Features are read at the output, so that the Jacobian grows with it.
"""

from __future__ import annotations

import hashlib
import json
import os
import platform
from collections.abc import Iterator, Mapping
from dataclasses import asdict, replace
from functools import cache
from importlib.metadata import version
from pathlib import Path

import lineage_graph
from lineage_graph.bench.isolated import isolated
from lineage_graph.bench.markdown import table
from lineage_graph.bench.passes import Case, Task, measure
from lineage_graph.bench.plot import Panel, figure
from lineage_graph.build import default_cache
from lineage_graph.store import Store, artefact_key, write_atomic
from lineage_graph.types import Progress

NETWORKS: Mapping[str, Case] = {
    "ResNet18": Case("resnet18", 10, 16),
    "ResNet34": Case("resnet34", 10, 16),
    "ResNet50": Case("resnet50", 10, 16),
    "ViT-Ti/16": Case("vit_tiny_patch16_224", 10, 16, size=64),
}
"""At 10 outputs, on 16 images of 64×64."""

OUTPUTS = (5, 10, 15, 100)
SIMILARITIES = ("l1", "l2", "lp", "lse", "cka", "cka_unbiased", "dc", "cosine")
SMALL = ("l1",)
"""The similarity of the tables that are not about similarities."""

REFERENCE_BATCH = 4
"""Images against the explicit Jacobian: 3.5 GiB of it for ResNet50 at 10 outputs."""
GROWTH_BATCH = 1
"""The same where its growth with the outputs is shown: 4.2 GiB for ResNet18 at 100."""

KIND = "approximation"
ROUNDS = 5
SIMILARITY_ROUNDS = 3
REFERENCE_ROUNDS = 3
SCORE_ROUNDS = 200

WAYS = {"without": "without", "jvp": "JVP", "taylor": "Taylor"}
APPROXIMATE = ("jvp", "taylor")
ALL_WAYS = {**WAYS, "jacobian": "explicit Jacobian"}

Results = Mapping[Task, Mapping[str, float]]


def run(workdir: Path, progress: Progress) -> str:
    """Measure, draw the figure, and tell the costs as ratios.

    Each finished measurement is kept in the user's cache, since ``workdir`` ends with the process: a run that was
    killed goes on where it was. The figure lies there too. Raises
    :class:`~lineage_graph.errors.WorkerDiedError` where a measurement runs out of memory.
    """
    store = Store(default_cache() / "bench")
    tasks = list(dict.fromkeys(plan()))
    results: dict[Task, dict[str, float]] = {}
    kept = 0
    for number, task in enumerate(tasks):
        progress("approximation", number, len(tasks))
        key = artefact_key(_surroundings(), asdict(task))
        known = store.get(KIND, key)
        if known is None:
            results[task] = isolated(measure, task)
            store.put(KIND, key, json.dumps(results[task]).encode("ascii"))
        else:
            results[task], kept = json.loads(known), kept + 1
    progress("approximation", len(tasks), len(tasks))
    drawing = store.root / "approximation.svg"
    write_atomic(drawing, figure(list(panels(results))).encode("utf-8"))
    return f"{_setting(results)}\n{''.join(sections(results))}\n{_ending(store, drawing, kept, len(tasks))}"


def plan() -> Iterator[Task]:
    """All measurements, each for a process of its own; some occur twice."""
    for case in NETWORKS.values():
        for outputs in OUTPUTS:
            similarities = SIMILARITIES if outputs == case.outputs else SMALL
            rounds = SIMILARITY_ROUNDS if outputs == case.outputs else ROUNDS
            yield from _costs(replace(case, outputs=outputs), tuple(WAYS), similarities, rounds)
    for case in references():
        yield from _costs(case, tuple(ALL_WAYS), SMALL, REFERENCE_ROUNDS)
    yield from (_score_task(outputs) for outputs in OUTPUTS)


def references() -> list[Case]:
    """What the explicit Jacobian is formed for: every network at 10 outputs, then the first one at each number."""
    return [*_by_network(), *_by_outputs()]


def _by_network() -> list[Case]:
    return [replace(case, batch=REFERENCE_BATCH) for case in NETWORKS.values()]


def _by_outputs() -> list[Case]:
    first = next(iter(NETWORKS.values()))
    return [replace(first, outputs=outputs, batch=GROWTH_BATCH) for outputs in OUTPUTS]


def _costs(case: Case, ways: tuple[str, ...], similarities: tuple[str, ...], rounds: int) -> Iterator[Task]:
    yield Task("times", case, ways, similarities, rounds)
    yield from (Task("memory", case, (way,), similarities) for way in ways)


def _score_task(outputs: int) -> Task:
    case = replace(next(iter(NETWORKS.values())), outputs=outputs)
    return Task("scores", case, (), SIMILARITIES, SCORE_ROUNDS)


@cache
def _surroundings() -> list[str]:
    """What a measurement depends on besides its task: the machine, the libraries, and the code that is measured."""
    root = Path(lineage_graph.__file__).parent
    sources = [root / name for name in ("features/linearize.py", "features/similarity.py", "bench/passes.py")]
    code = hashlib.sha256(b"".join(source.read_bytes() for source in sources)).hexdigest()
    return [platform.node(), platform.machine(), version("torch"), version("timm"), code]


class Costs:
    """Looks up what was measured of one case: seconds, and MiB."""

    def __init__(self, results: Results, case: Case) -> None:
        found = {task: row for task, row in results.items() if task.case == case}
        self._times = next(row for task, row in found.items() if task.kind == "times")
        self._memory = {task.ways[0]: row for task, row in found.items() if task.kind == "memory"}

    def seconds(self, way: str, similarity: str = "l1") -> float:
        """The median."""
        return self._times[f"{way} {similarity}"]

    def times_plain(self, way: str, similarity: str = "l1") -> float:
        """Time in units of the comparison without approximation."""
        return self.seconds(way, similarity) / self.seconds("without", similarity)

    def resident(self, way: str) -> float:
        """Peak of the process above the state before."""
        return self._memory[way]["resident"]

    def own(self, way: str, similarity: str = "l1") -> float:
        """Peak of what torch allocates."""
        return self._memory[way][similarity]


def sections(results: Results) -> Iterator[str]:
    """The tables, each under its heading sentence."""
    yield f"Time without approximation, and with it in units of that; 10 outputs, median of {SIMILARITY_ROUNDS}.\n\n"
    yield table(["network", "way", *SIMILARITIES], _similarity_rows(results))
    yield "\nPeak memory in MiB, 10 outputs; what torch allocates, over all similarities.\n\n"
    header = ["network", "way", "of the process, above the state before", "÷ without", "of torch alone", "÷ without"]
    yield table(header, _memory_rows(results))
    yield f"\nAgainst the number of outputs; l1, median of {ROUNDS}.\n\n"
    header = ["network", "outputs", *(f"{WAYS[way]}: time ÷ without" for way in APPROXIMATE)]
    yield table([*header, *(f"{WAYS[way]}: torch's MiB" for way in APPROXIMATE)], _output_rows(results))
    yield f"\nAgainst the explicit Jacobian; l1, median of {REFERENCE_ROUNDS}.\n\n"
    header = ["network", "outputs", "images", "Jacobian: time ÷ without", "MiB of the process"]
    costs = ("time", "memory of the process", "memory of torch alone")
    header += [f"{WAYS[way]} ÷ Jacobian: {cost}" for way in APPROXIMATE for cost in costs]
    yield table(header, _reference_rows(results))
    yield "\nThe similarity alone in µs, for 16 images: its value / with its slope.\n\n"
    yield table(["similarity", *(f"{outputs} outputs" for outputs in OUTPUTS)], _score_rows(results))


def _similarity_rows(results: Results) -> Iterator[list[object]]:
    for label, case in NETWORKS.items():
        costs = Costs(results, case)
        yield [label, "without, ms", *(1000 * costs.seconds("without", name) for name in SIMILARITIES)]
        for way in APPROXIMATE:
            yield [label, WAYS[way], *(costs.times_plain(way, name) for name in SIMILARITIES)]


def _memory_rows(results: Results) -> Iterator[list[object]]:
    for label, case in NETWORKS.items():
        costs = Costs(results, case)
        for way, name in WAYS.items():
            own = [costs.own(way, similarity) for similarity in SIMILARITIES]
            low, high = f"{min(own):.1f}", f"{max(own):.1f}"
            times_resident, times_own = costs.resident(way) / costs.resident("without"), max(own) / costs.own("without")
            yield [
                label,
                name,
                costs.resident(way),
                times_resident,
                low if low == high else f"{low} to {high}",
                times_own,
            ]


def _output_rows(results: Results) -> Iterator[list[object]]:
    for label, case in NETWORKS.items():
        for outputs in OUTPUTS:
            costs = Costs(results, replace(case, outputs=outputs))
            yield [
                label,
                outputs,
                *(costs.times_plain(way) for way in APPROXIMATE),
                *(costs.own(way) for way in APPROXIMATE),
            ]


def _reference_rows(results: Results) -> Iterator[list[object]]:
    labels = {case.architecture: label for label, case in NETWORKS.items()}
    for case in references():
        costs = Costs(results, case)
        row: list[object] = [labels[case.architecture], case.outputs, case.batch, costs.times_plain("jacobian")]
        row.append(round(costs.resident("jacobian")))
        for way in APPROXIMATE:
            row.append(costs.seconds(way) / costs.seconds("jacobian"))
            row.append(f"1/{costs.resident('jacobian') / costs.resident(way):.0f}")
            row.append(f"1/{costs.own('jacobian') / costs.own(way):.0f}")
        yield row


def _score_rows(results: Results) -> Iterator[list[object]]:
    rows = [results[_score_task(outputs)] for outputs in OUTPUTS]
    for name in SIMILARITIES:
        yield [name, *(f"{1e6 * row[f'value {name}']:.0f} / {1e6 * row[f'slope {name}']:.0f}" for row in rows)]


def panels(results: Results) -> Iterator[Panel]:
    """Memory and time, by network and by number of outputs."""
    first = next(iter(NETWORKS))
    views = [
        ("by network, 10 outputs", list(NETWORKS), _by_network(), False),
        (f"{first} by outputs", [str(outputs) for outputs in OUTPUTS], _by_outputs(), True),
    ]
    for quantity in ("peak memory, MiB", "time ÷ without"):
        for title, ticks, cases, joined in views:
            found = [Costs(results, case) for case in cases]
            series = {
                label: [costs.resident(way) if "MiB" in quantity else costs.times_plain(way) for costs in found]
                for way, label in ALL_WAYS.items()
            }
            yield Panel(f"{quantity}; {title}", ticks, series, joined)


def _setting(results: Results) -> str:
    loads = sorted(row["load"] for row in results.values())
    return (
        "Random weights, features at the output, images of 64×64, 16 of them where nothing else is said; one thread, "
        "processor time, median; each figure from a process of its own, what is compared in turns within one process. "
        "Without approximation: one "
        f"plain forward pass and the similarity. Load average while measuring: {loads[0]:.1f} to {loads[-1]:.1f} on "
        f"{os.cpu_count()} cores.\n"
    )


def _ending(store: Store, drawing: Path, kept: int, total: int) -> str:
    return (
        f"The figure: {drawing}\n"
        f"{kept} of {total} measurements were kept from an earlier run; remove {store.root / KIND} to measure again.\n"
    )
