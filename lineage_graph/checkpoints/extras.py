"""Optional libraries: imported when a file or an export needs one, with a message that says how to get it."""

from __future__ import annotations

import importlib
from typing import Any

from lineage_graph.errors import MissingExtraError


def require(module: str, extra: str, label: str, doing: str = "reading") -> Any:
    """The imported module. Raises MissingExtraError whose message holds the line that installs it."""
    try:
        return importlib.import_module(module)
    except ImportError as error:
        raise MissingExtraError(f"{label}: {doing} it needs {module}; run: pip install 'lgraph[{extra}]'") from error
