"""What the documents say is tried: commands, links, names; and every public thing has a docstring."""

from __future__ import annotations

import ast
import inspect
import re
import shlex
from collections.abc import Iterator
from pathlib import Path

import pytest
import typer.main
from typer.testing import CliRunner

from lgraph.__main__ import app
from lineage_graph import errors
from lineage_graph.bench.registry import BENCHES
from lineage_graph.manifest import load
from lineage_graph.render import RENDERERS
from lineage_graph.render.exports import FORMATS

ROOT = Path(__file__).parents[1]
DOCUMENTS = sorted([*ROOT.glob("*.md"), *ROOT.glob("docs/*.md"), ROOT / "outputs" / "README.md"])
SOURCES = sorted([*ROOT.glob("lineage_graph/**/*.py"), *ROOT.glob("cli/lgraph/**/*.py")])


def blocks(text: str, language: str) -> list[str]:
    """The fenced blocks of a language."""
    return re.findall(rf"^```{language}\n(.*?)^```", text, re.MULTILINE | re.DOTALL)


def section(text: str, heading: str) -> str:
    """A section of a document, without its heading."""
    return text.split(f"\n{heading}\n")[1].split("\n## ", maxsplit=1)[0]


def lgraph_lines() -> Iterator[tuple[str, list[str]]]:
    """Every call of ``lgraph`` in a shell block, with the document's name."""
    for document in DOCUMENTS:
        for block in blocks(document.read_text(encoding="utf-8"), "sh"):
            for step in re.split(r"&&|\n", block):
                words = shlex.split(step, comments=True)
                if words and Path(words[0]).name == "lgraph":
                    yield document.name, words[1:]


@pytest.mark.parametrize("heading", ["## Try it", "## Test it"])
def test_the_readme_has_one_command_a_section(heading: str) -> None:
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    (block,) = blocks(section(text, heading), "sh")
    assert len(block.splitlines()) == 1
    assert text.count(f"\n{heading}\n") == 1


@pytest.mark.parametrize(("document", "words"), list(lgraph_lines()), ids=str)
def test_commands_in_the_documents_parse(document: str, words: list[str]) -> None:
    group = typer.main.get_command(app)
    if not words:
        return
    with group.make_context("lgraph", list(words), resilient_parsing=True) as context:
        name, command, rest = group.resolve_command(context, list(words))  # type: ignore[attr-defined]
        with command.make_context(name, rest):
            assert name in group.commands  # type: ignore[attr-defined]


def test_the_documents_show_commands() -> None:
    assert {words[0] for _, words in lgraph_lines() if words} == set(
        "build assemble trace show explain export evaluate audit bench train-detector calibrate".split()
    )


def test_manifests_in_the_documents_load(tmp_path: Path) -> None:
    shown = [block for document in DOCUMENTS for block in blocks(document.read_text(encoding="utf-8"), "yaml")]
    assert shown
    for block in shown:
        path = tmp_path / "zoo.yaml"
        path.write_text(block, encoding="utf-8")
        assert load(path).entries


@pytest.mark.parametrize("path", sorted(ROOT.glob("zoo_manifests/*.yaml")), ids=lambda path: path.name)
def test_manifests_of_the_project_load(path: Path) -> None:
    if path.name.endswith(".truth.yaml"):
        from lineage_graph.evaluate import load_truth

        assert load_truth(path).edges
    else:
        assert load(path).name == path.stem


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: str(path.relative_to(ROOT)))
def test_links_and_paths_lead_somewhere(document: Path) -> None:
    text = document.read_text(encoding="utf-8")
    links = [link for link in re.findall(r"\]\(([^)#]+)\)", text) if not link.startswith("https://")]
    paths = re.findall(r"`((?:lineage_graph|cli|tests|docs|zoo_manifests)/[\w./-]*)`", text)
    assert [link for link in links if not (document.parent / link).exists()] == []
    assert [path for path in paths if not (ROOT / path).exists()] == []


def test_the_outputs_are_listed() -> None:
    text = (ROOT / "outputs" / "README.md").read_text(encoding="utf-8")
    assert re.findall(r"^\| `(.*?)` \|", text, re.MULTILINE) == [renderer.filename for renderer in RENDERERS]


def test_the_exports_are_listed() -> None:
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    table = text.split("| export | for |")[1].split("\n\n")[0]
    assert re.findall(r"^\| `(\w+)` \|", table, re.MULTILINE) == [item.name for item in FORMATS]


def test_the_benches_are_listed() -> None:
    text = (ROOT / "docs" / "benchmarks.md").read_text(encoding="utf-8")
    assert {bench.name for bench in BENCHES} <= set(re.findall(r"`lgraph bench (\w+)`", text))


def test_the_error_tree_is_drawn_whole() -> None:
    classes = {
        name for name, value in vars(errors).items() if inspect.isclass(value) and value.__module__ == errors.__name__
    }
    drawn = set(re.findall(r"\w+Error\b", (errors.__doc__ or "").split("A ``ModelError``")[0]))
    assert drawn == classes


def test_help_names_every_command_of_the_changelog() -> None:
    text = (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")
    shown = CliRunner().invoke(app, ["--help"]).stdout
    assert set(re.findall(r"`lgraph ([\w-]+)`", text)) == set(
        re.findall(r"^  ([\w-]+)  ", shown.split("Commands:")[1], re.MULTILINE)
    )


def undocumented(source: str) -> list[str]:
    """Public modules, classes, functions and methods without a docstring."""
    tree = ast.parse(source)
    found = [] if ast.get_docstring(tree) else ["the module"]

    def walk(node: ast.AST, prefix: str) -> None:
        for child in ast.iter_child_nodes(node):
            if isinstance(child, ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef):
                if child.name.startswith("_"):
                    continue
                if not ast.get_docstring(child):
                    found.append(prefix + child.name)
                if isinstance(child, ast.ClassDef):
                    walk(child, f"{prefix}{child.name}.")

    walk(tree, "")
    return found


def test_what_is_public_has_a_docstring() -> None:
    missing = {str(path.relative_to(ROOT)): undocumented(path.read_text(encoding="utf-8")) for path in SOURCES}
    assert {path: names for path, names in missing.items() if names} == {}


def test_a_missing_docstring_is_found() -> None:
    source = "class A:\n    'yes'\n    def b(self): ...\n    def _c(self): ...\ndef d(): ...\ndef e():\n    'yes'\n"
    assert undocumented(source) == ["the module", "A.b", "d"]
