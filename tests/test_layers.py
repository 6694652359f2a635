"""The flow is one-way: the imports of ``lineage_graph`` are read, not run, and held to the order of its stages."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import lineage_graph

PACKAGE = Path(lineage_graph.__file__).parent

LAYERS: tuple[tuple[str, ...], ...] = (
    ("declarations", "visible"),
    ("names",),
    ("types", "kinship", "errors", "timm_compat"),
    ("strict_yaml", "store", "executors", "sketch", "difference", "locality"),
    ("grain", "unchanged"),
    ("validation", "cached", "moments", "layouts", "comparison"),
    ("manifest",),
    ("sources",),
    ("checkpoints",),
    ("held",),
    ("cards",),
    ("alignment", "declared"),
    ("blocks", "invariants", "narrowed"),
    ("features",),
    ("fingerprint", "detector", "index_schema"),
    ("index_rows",),
    ("index",),
    ("candidates",),
    ("slices", "lookup"),
    ("signals",),
    ("relayout", "channels", "units"),
    ("rescale",),
    ("unscramble",),
    ("evidence", "second_look"),
    ("survey", "recognition"),
    ("origins", "by_block"),
    ("clans",),
    ("splices",),
    ("kinds", "adapters"),
    ("calibration", "stability", "strangers", "orders", "bases"),
    ("scoring", "blending"),
    ("claims",),
    ("sums",),
    ("merges", "recurrence", "cutoff"),
    ("trimmed",),
    ("retuned",),
    ("rooting", "families", "gromov", "angles"),
    ("latent",),
    ("descent",),
    ("links",),
    ("lineage", "kin", "licences"),
    ("leads", "joining"),
    ("parts",),
    ("render", "evaluate"),
    ("audit",),
    ("crawl",),
    ("sampling",),
    ("zoo",),
    ("examination", "judgement"),
    ("auditing", "pieces"),
    ("conclusion",),
    ("build", "explain", "scale"),
    ("traced",),
    ("trace",),
    ("fitting",),
    ("bench",),
)
"""Modules and folders of the package in the order of flow: each may import what stands in an earlier line."""

HEAVY = frozenset(
    "huggingface_hub pyarrow torch torchvision timm faiss pyvis IPython onnx h5py gguf sklearn transformers ray".split()
)
"""Libraries that no module imports when it is itself imported …"""

HEAVY_ALLOWED = {
    "features": {"torch", "timm"},
    "detector.neural": {"torch"},
    "sources.grow.dense": {"torch"},
    "sources.grow.making": {"torch"},
    "render.page": {"pyvis"},
}
"""… but these modules and folders, which the rest of the package imports only inside functions."""

LIGHT = frozenset(f"lineage_graph.features.{name}" for name in ("settings", "race", "sketched"))
"""Modules of heavy folders that import nothing heavy themselves."""

CONFINED = {
    "pyvis": {"render"},
    "networkx": {"families", "lineage", "joining", "parts", "kin", "render", "evaluate", "bench", "fitting"},
    "huggingface_hub": {"sources"},
    "tenacity": {"sources"},
    "typer": set[str](),
    "rich": set[str](),
    "lgraph": set[str](),
}
"""Libraries that only some parts may use (imports for type checkers aside)."""

MANIFEST_RECORDS = frozenset("AnyEntry GrowEntry Growth HubEntry PathEntry Probes Search SearchEntry TimmEntry".split())
"""What a stage may know of the manifest: its own settings, never the whole."""


@dataclass(frozen=True)
class Import:
    """``module`` and ``name``: ``from module import name``. ``lazy``: inside a function. ``typing``: never run."""

    module: str
    name: str
    lazy: bool
    typing: bool
    line: int


def imports_of(source: str, package: str) -> Iterator[Import]:
    """Every import statement of a module that lies in ``package`` (dotted)."""
    yield from _walk(ast.parse(source), package, False, False)


def _walk(node: ast.AST, package: str, lazy: bool, typing: bool) -> Iterator[Import]:
    if isinstance(node, ast.Import):
        for alias in node.names:
            yield Import(alias.name, "", lazy, typing, node.lineno)
    elif isinstance(node, ast.ImportFrom):
        base = package.split(".")[: len(package.split(".")) + 1 - node.level] if node.level else []
        module = ".".join([*base, node.module] if node.module else base)
        for alias in node.names:
            yield Import(module, alias.name, lazy, typing, node.lineno)
    elif isinstance(node, ast.If) and "TYPE_CHECKING" in ast.unparse(node.test):
        for child in node.body:
            yield from _walk(child, package, lazy, True)
        for child in node.orelse:
            yield from _walk(child, package, lazy, typing)
    else:
        inside = isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda)
        for child in ast.iter_child_nodes(node):
            yield from _walk(child, package, lazy or inside, typing)


def part_of(item: Import, name: str, parts: set[str]) -> str:
    """The part of package ``name`` that an import reaches; ``""`` for anything outside, and for the package itself."""
    path = f"{item.module}.{item.name}".strip(".").split(".")
    return path[1] if path[0] == name and len(path) > 1 and path[1] in parts else ""


def heavy_place(module: str) -> str:
    """The entry of ``HEAVY_ALLOWED`` that covers a module (dotted, without the package); ``""`` where none does."""
    return next((place for place in HEAVY_ALLOWED if f"{module}.".startswith(f"{place}.")), "")


def violations(root: Path, layers: tuple[tuple[str, ...], ...] = LAYERS) -> list[str]:
    """What breaks the rules in the package at ``root``, one line each."""
    rank = {part: index for index, layer in enumerate(layers) for part in layer}
    parts = {path.stem for path in root.iterdir() if path.suffix == ".py" or (path / "__init__.py").exists()}
    found = [f"{part}: has no place in the order of layers" for part in sorted(parts - {"__init__"} - set(rank))]
    for path in sorted(root.rglob("*.py")):
        module = ".".join(path.relative_to(root).with_suffix("").parts).removesuffix(".__init__")
        own = module.split(".")[0]
        package = ".".join([root.name, *path.relative_to(root).parts[:-1]])
        for item in imports_of(path.read_text(encoding="utf-8"), package):
            reason = _reason(item, module, own, root.name, rank)
            found += [f"{module}:{item.line}: {reason}"] if reason else []
    return found


def _reason(item: Import, module: str, own: str, name: str, rank: dict[str, int]) -> str:
    """Why the import is not allowed; empty where it is."""
    target = part_of(item, name, set(rank))
    if target and own in rank and target != own and rank[target] >= rank[own]:
        return f"imports {target}, which comes no earlier"
    if target == "manifest" and own not in ("build", "bench") and item.name not in MANIFEST_RECORDS:
        return f"knows {item.name or 'all'} of the manifest"
    if target == "evaluate" and own not in ("bench", "fitting"):
        return "reads truth"
    library = item.module.split(".")[0]
    at_once = not item.lazy and not item.typing
    place = "" if f"{name}.{module}" in LIGHT else heavy_place(module)
    if at_once and library in HEAVY - HEAVY_ALLOWED.get(place, set()):
        return f"imports {library} at import time"
    inside = f"{item.module}.{item.name}".strip(".").removeprefix(f"{name}.")
    if at_once and library == name and heavy_place(inside) not in ("", place) and item.module not in LIGHT:
        return f"imports {heavy_place(inside)}, which is heavy, at import time"
    if library in CONFINED and not item.typing and own not in CONFINED[library]:
        return f"uses {library}"
    return ""


def test_the_flow_is_one_way() -> None:
    assert violations(PACKAGE) == []


def make(root: Path, **modules: str) -> Path:
    """A package of the given modules (``a__b``: module ``b`` of the folder ``a``)."""
    for name, source in {"__init__": "", **modules}.items():
        path = root / "zoo" / (name.replace("__", "/") if name != "__init__" else name)
        path.parent.mkdir(parents=True, exist_ok=True)
        if path.parent.name != "zoo":
            (path.parent / "__init__.py").touch()
        path.with_suffix(".py").write_text(source, encoding="utf-8")
    return root / "zoo"


ORDER = (("errors",), ("manifest",), ("sources",), ("features",), ("lineage",), ("evaluate",), ("build",))


def test_what_is_allowed(tmp_path: Path) -> None:
    package = make(
        tmp_path,
        errors="",
        manifest="from zoo.errors import Base\nimport pydantic",
        sources__base="",
        sources__local="from zoo.manifest import PathEntry\nfrom .base import Model\nfrom . import base",
        features__jvp="import torch\nfrom zoo.features import probes\nfrom . import probes",
        features__probes="",
        lineage="import networkx\nfrom zoo import errors, __version__\ndef f():\n    from zoo.features import jvp",
        evaluate="from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    import torch",
        build="from zoo import lineage, manifest\nfrom zoo.sources import local",
    )
    assert violations(package, ORDER) == []


def test_what_is_not(tmp_path: Path) -> None:
    package = make(
        tmp_path,
        errors="def late():\n    from zoo.build import build",
        manifest="",
        sources__local="from ..manifest import Manifest\nfrom zoo import lineage\nimport zoo.evaluate",
        lineage="if True:\n    import torch.nn\nfrom pyvis.network import Network\nimport typer",
        evaluate="",
        build="from zoo.evaluate import load_truth\nfrom .features.jvp import jvp\nimport zoo.features",
        features__jvp="import faiss",
        stray="",
    )
    assert violations(package, ORDER) == [
        "stray: has no place in the order of layers",
        "build:1: reads truth",
        "build:2: imports features, which is heavy, at import time",
        "build:3: imports features, which is heavy, at import time",
        "errors:2: imports build, which comes no earlier",
        "features.jvp:1: imports faiss at import time",
        "lineage:2: imports torch at import time",
        "lineage:3: imports pyvis at import time",
        "lineage:4: uses typer",
        "sources.local:1: knows Manifest of the manifest",
        "sources.local:2: imports lineage, which comes no earlier",
        "sources.local:3: imports evaluate, which comes no earlier",
    ]
