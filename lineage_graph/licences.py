"""What licences ask of descendants, as far as a tag tells: a table, and a comparison of two entries.

The result points a person at two licences that should be read side by side. It is no legal advice: whether weights are
protected at all, and whether a fine-tune derives from them in the sense of a licence, is for lawyers.

Tags: Hugging Face Hub documentation, "Licenses", https://huggingface.co/docs/hub/repositories-licenses (November 2026).
Other SPDX ids, by their category: ScanCode LicenseDB, which the library ``license-expression`` carries.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import lru_cache
from typing import Any

MAX_EXPRESSION = 200
"""Longest expression that is parsed, in characters."""

Terms = frozenset[str]
"""What a licence asks of those who pass a descendant on; each a key of ``WORDS``, or ``use:`` with a family."""

WORDS: Mapping[str, str] = {
    "file": "changed files stay under its terms (weak copyleft)",
    "share": "descendants carry the same terms (copyleft)",
    "network": "users over a network get the source (network copyleft)",
    "commercial": "no commercial use",
    "derivatives": "no derivatives",
}
"""What each restriction asks, in words; :func:`words` knows those of use, too."""

_WEAK, _STRONG = frozenset(["file"]), frozenset(["file", "share"])
_NETWORK, _RESEARCH = _STRONG | {"network"}, frozenset(["commercial"])

_CLASSES: tuple[tuple[Terms, str], ...] = (
    (
        frozenset(),
        """apache-2.0 mit afl-3.0 artistic-2.0 bsl-1.0 bsd bsd-2-clause bsd-3-clause bsd-3-clause-clear c-uda cc0-1.0
        cdla-permissive-1.0 cdla-permissive-2.0 wtfpl ecl-2.0 etalab-2.0 isc apple-ascl odc-by openmdw-1.0 postgresql
        ncsa unlicense zlib pddl""",
    ),
    (_WEAK, "epl-1.0 epl-2.0 lgpl lgpl-2.1 lgpl-3.0 lgpl-lr lppl-1.3c ms-pl mpl-2.0 ofl-1.1"),
    (_STRONG, "gpl gpl-2.0 gpl-3.0 gfdl cdla-sharing-1.0 odbl"),
    (_NETWORK, "agpl-3.0 agpl-3.0-only agpl-3.0-or-later osl-3.0 eupl-1.1 eupl-1.2"),
    (_RESEARCH, "h-research intel-research apple-amlr fair-noncommercial-research-license"),
    (_RESEARCH | {"use:DeepFloyd IF"}, "deepfloyd-if-license"),
    (
        frozenset(["use:OpenRAIL"]),
        """openrail openrail++ bigscience-openrail-m creativeml-openrail-m bigscience-bloom-rail-1.0
        bigcode-openrail-m""",
    ),
    (frozenset(["use:Llama"]), "llama2 llama3 llama3.1 llama3.2 llama3.3 llama4"),
    (frozenset(["use:Gemma"]), "gemma"),
    (frozenset(["use:Grok"]), "grok2-community"),
)
"""Every tag of the Hub but ``cc``, ``unknown`` and ``other``, which say nothing; Creative Commons are told by their
parts."""

TABLE: Mapping[str, Terms] = {tag: terms for terms, tags in _CLASSES for tag in tags.split()}

_CATEGORIES: Mapping[str, Terms] = {
    "Permissive": frozenset(),
    "Public Domain": frozenset(),
    "Copyleft Limited": _WEAK,
    "Copyleft": _STRONG,
}
"""ScanCode's categories that say what is asked; of the others nothing is known."""

_CREATIVE_COMMONS = re.compile(r"cc-by((?:-(?:nc|nd|sa))*)(?:-\d.*)?")
_PARTS: Mapping[str, Terms] = {"nc": frozenset(["commercial"]), "nd": frozenset(["derivatives"]), "sa": _STRONG}


@lru_cache(maxsize=4096)
def terms(licence: str) -> Terms | None:
    """What a tag or an SPDX expression asks of descendants; ``None`` where nobody can tell.

    Of licences joined by ``OR`` one may choose, so only what all of them ask counts; ``AND`` adds up.
    """
    name = licence.strip().lower()
    if not name or len(name) > MAX_EXPRESSION:
        return None
    known = _named(name)
    return known if known is not None else _expressed(name)


def dropped(child: str, ancestor: str) -> list[str]:
    """The restrictions that the ancestor's licence imposes and the child's does not; none where either is unknown."""
    asked, kept = terms(ancestor), terms(child)
    return sorted(asked - kept) if asked and kept is not None else []


def words(restriction: str) -> str:
    """What a restriction asks, in words."""
    family = restriction.removeprefix("use:")
    return WORDS[restriction] if family == restriction else f"the limits of use of the {family} terms are passed on"


def _named(name: str) -> Terms | None:
    if name in TABLE:
        return TABLE[name]
    parts = _CREATIVE_COMMONS.fullmatch(name)
    if parts is None:
        return None
    return frozenset[str]().union(*(_PARTS[part] for part in parts[1].split("-")[1:]))


def _expressed(name: str) -> Terms | None:
    """An SPDX expression, or one of SPDX's ids that the table lacks."""
    from license_expression import ExpressionError, ExpressionParseError

    licensing, _ = _library()
    try:
        parsed = licensing.parse(name, validate=False)
    except (ExpressionError, ExpressionParseError, RecursionError):
        return None
    return None if parsed is None else _evaluated(parsed)


def _evaluated(node: Any) -> Terms | None:
    from license_expression import LicenseWithExceptionSymbol

    if isinstance(node, LicenseWithExceptionSymbol):
        whole = _evaluated(node.license_symbol)
        # Exceptions let others link, or combine, without taking the terms over.
        return whole & _WEAK if whole is not None else None
    if not getattr(node, "args", ()):
        key = str(getattr(node, "key", "")).lower()
        known = _named(key)
        return known if known is not None else _CATEGORIES.get(_library()[1].get(key, ""))
    parts = [_evaluated(part) for part in node.args]
    known_parts = [part for part in parts if part is not None]
    if len(known_parts) < len(parts):
        return None
    either = node.operator.strip() == "OR"
    return frozenset.intersection(*known_parts) if either else frozenset.union(*known_parts)


@lru_cache(maxsize=1)
def _library() -> tuple[Any, Mapping[str, str]]:
    """The parser of expressions, and the category of each SPDX id in small letters."""
    from license_expression import get_license_index, get_spdx_licensing

    categories = {}
    for entry in get_license_index():
        for key in (entry.get("spdx_license_key"), *entry.get("other_spdx_license_keys", ())):
            if key:
                categories[key.lower()] = entry.get("category", "")
    return get_spdx_licensing(), categories
