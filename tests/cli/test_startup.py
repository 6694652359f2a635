"""Help answers at once: nothing heavy is imported for it."""

from __future__ import annotations

import subprocess
import sys

import pytest

# Typer itself takes pydantic to read the arguments of a command, but not for the help of the whole.
PYDANTIC = ["pydantic"]
HEAVY = "torch torchvision timm faiss pyvis IPython networkx numpy scipy yaml rich jinja2 safetensors".split()

ASK = """
import sys
from lgraph.__main__ import main
sys.argv = ["lgraph", *{arguments!r}]
try:
    main()
except SystemExit as end:
    assert not end.code, end.code
print("\\nLOADED", *sys.modules)
"""


@pytest.mark.parametrize(
    "arguments",
    [["--help"], ["--version"], ["build", "--help"], ["evaluate", "--help"], ["bench", "--help"]],
    ids=" ".join,
)
def test_help_imports_nothing_heavy(arguments: list[str]) -> None:
    asked = subprocess.run(
        [sys.executable, "-c", ASK.format(arguments=arguments)], capture_output=True, text=True, check=True
    )
    shown, _, loaded = asked.stdout.partition("\nLOADED ")
    assert "lgraph" in shown
    assert "lgraph.__main__" in loaded.split()
    heavy = HEAVY + PYDANTIC if len(arguments) == 1 else HEAVY
    assert [name for name in heavy if name in loaded.split()] == []


def test_help_loads_of_the_library_only_its_errors() -> None:
    asked = subprocess.run(
        [sys.executable, "-c", ASK.format(arguments=["--help"])], capture_output=True, text=True, check=True
    )
    loaded = asked.stdout.partition("\nLOADED ")[2].split()
    assert {name for name in loaded if name.startswith("lineage_graph.")} == {
        "lineage_graph.errors",
        "lineage_graph.visible",
    }


def test_it_runs_as_a_module() -> None:
    asked = subprocess.run([sys.executable, "-m", "lgraph", "--version"], capture_output=True, text=True, check=True)
    assert asked.stdout.startswith("lgraph ")
