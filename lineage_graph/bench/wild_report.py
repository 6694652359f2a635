"""The tables of ``lgraph bench wild``."""

from __future__ import annotations

import statistics
from collections.abc import Callable, Iterator, Mapping, Sequence

from lineage_graph.bench.judging import COMMITTED, Tally, pooled
from lineage_graph.bench.markdown import table
from lineage_graph.bench.reliability import BINS, Bin, Equal, brier, calibration_error, reliability

ByRegime = Mapping[str, Mapping[str, Tally]]
"""By regime (or family of published checkpoints) and method."""

Figure = Callable[[Tally], float | None]

FIGURES: Mapping[str, Figure] = {
    "directed F1": lambda tally: tally.directed.f1,
    "undirected F1": lambda tally: tally.undirected.f1,
    "direction": lambda tally: tally.direction,
    "abstained": lambda tally: tally.abstained,
    "reachability F1": lambda tally: tally.reachability.f1,
    "distinct F1": lambda tally: tally.distinct.f1,
    "kinds": lambda tally: tally.named,
    "ECE": lambda tally: calibration_error(bins(tally)),
}
COUNTS: Mapping[str, Callable[[Tally], tuple[int, int]]] = {
    "false links": lambda tally: (tally.false_links, tally.stranger_pairs),
    "merges complete": lambda tally: (tally.complete, tally.merges),
}
HEADER = (*FIGURES, *COUNTS)
EXPLAINED = (
    f"Direction: right among the linked true edges whose direction confidence is {COMMITTED} or more (references have "
    "none: all count); abstained: the share of linked edges below. Kinds: right among the linked true edges; a "
    "reference that names none says finetune. Distinct F1: directed, copies taken for one model. False links: pairs of "
    "strangers that are joined by an edge. ECE: "
    f"expected calibration error of the edges' confidence, {BINS} bins of equal width. All: micro-average, all zoos as "
    "one; macro: mean over the rows where the figure is defined. A dash: not defined. The references are told the true "
    "number of families, lgraph is told nothing; + and −: whether kurtosis, or effective rank, grows from parent to "
    "child, or shrinks.\n"
)


def number(value: float | None) -> str:
    """A share with three decimals; a dash where it is not defined."""
    return "–" if value is None else f"{value:.3f}"


def cells(tally: Tally) -> list[str]:
    """All figures and counts, under :data:`HEADER`."""
    figures = [number(figure(tally)) for figure in FIGURES.values()]
    return [*figures, *(_of(*count(tally)) for count in COUNTS.values())]


def _of(part: int, whole: int) -> str:
    return f"{part} of {whole}" if whole else "–"


def regimes(found: ByRegime, own: str, informed: str) -> Iterator[str]:
    """The tables on grown zoos. ``own``: the method whose details are shown; ``informed``: the same with metadata,
    shown where it differs, and not held against the references.
    """
    yield EXPLAINED
    yield f"{own} by regime.\n"
    body = [[regime, *cells(methods[own])] for regime, methods in found.items()]
    macro = [number(_macro(found, own, figure)) for figure in FIGURES.values()]
    totals = [["all", *cells(_pooled(found)[own])], ["macro", *macro, *[""] * len(COUNTS)]]
    yield table(["regime", *HEADER], [*body, *totals])
    yield (
        f"{own} by kind of edge: shares of the true edges that are linked, that are linked where copies count as one "
        "model, that are drawn in the right direction, and, of the linked ones, that bear the right kind.\n"
    )
    yield _kinds(found, own)
    changed = {regime: methods for regime, methods in found.items() if methods[informed].kinds != methods[own].kinds}
    if changed:
        yield f"{informed}, where that changes anything.\n"
        yield _kinds(changed, informed)
    yield from _beside(found)
    yield _beaten(found, own, informed)


def _beside(found: ByRegime) -> Iterator[str]:
    """All zoos together by method, then one table a figure."""
    yield "Every method, all as one.\n"
    yield table(["method", *HEADER], [[name, *cells(tally)] for name, tally in _pooled(found).items()])
    for name in ("directed F1", "undirected F1", "direction", "reachability F1", "kinds"):
        yield f"{name[0].upper()}{name[1:]} by method.\n"
        yield _compared(found, FIGURES[name])
    for name, count in COUNTS.items():
        yield f"{name[0].upper()}{name[1:]} by method.\n"
        yield _counted(found, count)


def bins(tally: Tally, equal: Equal = "width") -> tuple[Bin, ...]:
    """The reliability of the edges' confidences."""
    confidences = [confidence for confidence, _ in tally.confidences]
    return reliability(confidences, [right for _, right in tally.confidences], equal=equal)


def calibration(tally: Tally) -> str:
    """Calibration error over both kinds of bins, Brier score, and the bins of equal width."""
    score = brier([confidence for confidence, _ in tally.confidences], [right for _, right in tally.confidences])
    title = (
        f"Confidence of {len(tally.confidences)} edges that are right (a true edge, as drawn) or wrong: expected "
        f"calibration error {number(calibration_error(bins(tally)))} over {BINS} bins of equal width, "
        f"{number(calibration_error(bins(tally, 'mass')))} over {BINS} of equal mass; Brier score {number(score)}.\n\n"
    )
    rows = [
        [f"{one.low:.1f} to {one.high:.1f}", one.count, number(one.confidence), number(one.right)]
        for one in bins(tally)
    ]
    return title + table(["confidence", "edges", "mean", "right"], rows)


def published(found: ByRegime, own: Sequence[str]) -> str:
    """The tables on published checkpoints, the details for each method of ``own``."""
    parts = ["Published checkpoints.\n", *_beside(found)]
    for name in own:
        parts += [f"{name} by family and kind of edge.\n", _kinds(found, name), calibration(_pooled(found)[name])]
    return "\n".join(parts)


def _compared(found: ByRegime, figure: Figure) -> str:
    """One column a method, with micro- and macro-average."""
    body = [[regime, *(number(figure(tally)) for tally in methods.values())] for regime, methods in found.items()]
    micro = [number(figure(tally)) for tally in _pooled(found).values()]
    macro = [number(_macro(found, name, figure)) for name in _methods(found)]
    return table(["", *_methods(found)], [*body, ["all", *micro], ["macro", *macro]])


def _macro(found: ByRegime, method: str, figure: Figure) -> float | None:
    known = [value for methods in found.values() if (value := figure(methods[method])) is not None]
    return statistics.mean(known) if known else None


def _counted(found: ByRegime, count: Callable[[Tally], tuple[int, int]]) -> str:
    body = [[regime, *(_of(*count(tally)) for tally in methods.values())] for regime, methods in found.items()]
    return table(["", *_methods(found)], [*body, ["all", *(_of(*count(tally)) for tally in _pooled(found).values())]])


def _beaten(found: ByRegime, own: str, informed: str) -> str:
    """Where a reference method is at least as good."""
    matched = []
    for regime, methods in found.items():
        mine = methods[own].directed.f1
        others = {name: tally.directed.f1 for name, tally in methods.items() if name not in (own, informed)}
        better = [name for name, value in others.items() if value is not None and mine is not None and value >= mine]
        matched += [f"{regime}: {', '.join(better)}"] if better else []
    if not matched:
        return f"{own} is better than every reference method in every regime.\n"
    return f"Reference methods whose directed F1 is at least that of {own}: {'; '.join(matched)}.\n"


def _kinds(found: ByRegime, own: str) -> str:
    rows = []
    for regime, methods in found.items():
        for kind in methods[own].kinds.values():
            rows.append([regime, kind.kind, kind.edges, number(kind.linked / kind.edges)])
            rows[-1] += [number(kind.alike / kind.edges), number(kind.recall), number(kind.kind_accuracy)]
    return table(["", "kind", "edges", "linked", "copies alike", "directed", "named"], rows)


def _pooled(found: ByRegime) -> dict[str, Tally]:
    return {name: pooled(methods[name] for methods in found.values()) for name in _methods(found)}


def _methods(found: ByRegime) -> list[str]:
    return list(next(iter(found.values())))
