"""Importing timm where torchvision's compiled operators do not load.

timm imports torchvision. Where a torchvision that was built for CUDA lies beside a CPU build of torch, its compiled
operators are skipped, and its import then fails with ``operator torchvision::nms does not exist``: it registers
shape-only ("fake") versions of two operators that nobody defined. The models need neither. Defining the two schemas,
without any implementation, lets the import pass.
"""

from __future__ import annotations

import importlib
import sys
from functools import cache
from typing import Any

_MISSING_SCHEMAS = (
    "nms(Tensor dets, Tensor scores, float iou_threshold) -> Tensor",
    "qnms(Tensor dets, Tensor scores, float iou_threshold) -> Tensor",
)


def import_timm() -> Any:
    """The module ``timm``; imports torch and torchvision with it, so call it only where a model is built.

    Where torchvision imports as it is, nothing but the import happens. Raises what the import raises, unless it is
    the error described above.
    """
    if "timm" not in sys.modules:
        _import_torchvision()
    return importlib.import_module("timm")


def _import_torchvision() -> None:
    try:
        importlib.import_module("torchvision")
    except RuntimeError as error:
        if "operator torchvision::" not in str(error):
            raise
        _define_missing_operators()
        for name in [name for name in sys.modules if name.split(".")[0] == "torchvision"]:
            del sys.modules[name]
        importlib.import_module("torchvision")


@cache
def _define_missing_operators() -> Any:
    """The schemas last as long as the library object: the cache keeps it."""
    library = importlib.import_module("torch.library").Library("torchvision", "FRAGMENT")
    for schema in _MISSING_SCHEMAS:
        library.define(schema)
    return library
