"""Where the Hub is and how patient we are with it. Read from the variables that ``huggingface_hub`` reads."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

ENDPOINT = "https://huggingface.co"
_TRUE = frozenset(["1", "ON", "YES", "TRUE"])


@dataclass(frozen=True, slots=True)
class HubSettings:
    """``endpoint``: address without a slash at its end. ``cache``: the client's own cache of files. ``offline``:
    nothing is asked. ``connections``: models that are fetched at a time. ``attempts``: how often one request is tried;
    ``patience``: seconds that it may wait in all between them; ``wait``: seconds before the second attempt where the
    Hub names no time; doubled each time. ``timeout``: seconds without an answer.
    """

    endpoint: str
    cache: Path
    offline: bool = False
    connections: int = 4
    attempts: int = 6
    patience: float = 120.0
    wait: float = 1.0
    timeout: float = 20.0


def from_environment(variables: Mapping[str, str] | None = None) -> HubSettings:
    """The settings that the environment asks for, as it is now: the client itself reads it once, when it is imported.

    Variables: https://huggingface.co/docs/huggingface_hub/package_reference/environment_variables
    """
    given = os.environ if variables is None else variables
    home = given.get("HF_HOME") or str(Path(given.get("XDG_CACHE_HOME") or "~/.cache", "huggingface"))
    cache = given.get("HF_HUB_CACHE") or given.get("HUGGINGFACE_HUB_CACHE") or str(Path(home, "hub"))
    offline = given.get("HF_HUB_OFFLINE") or given.get("TRANSFORMERS_OFFLINE") or ""
    return HubSettings(
        endpoint=(given.get("HF_ENDPOINT") or ENDPOINT).rstrip("/"),
        cache=Path(os.path.expandvars(cache)).expanduser().absolute(),
        offline=offline.upper() in _TRUE,
    )
