"""``python tests/hostile/table.py`` writes ``docs/hostile.md``; a test holds it to the list."""

import sys
from pathlib import Path

if __name__ == "__main__":
    sys.path.insert(0, str(Path(__file__).parents[1]))

from hostile.kinds import KINDS

DOCUMENT = Path(__file__).parents[2] / "docs" / "hostile.md"

INTRODUCTION = """# Hostile files

What lgraph says of files that are made to do harm. Each kind is made by a test (`tests/hostile/kinds.py`), read in a
process with 1 GiB of memory, and must get its error within 5 seconds of processor time, with the file named in one
line and nothing run, fetched or written. [SECURITY.md](../SECURITY.md) says what is promised. This table is generated:
`python tests/hostile/table.py`.

"""


def table() -> str:
    rows = [f"| {kind.name} | `{kind.error}` |" for kind in KINDS]
    return INTRODUCTION + "\n".join(["| file | error |", "|---|---|", *rows]) + "\n"


if __name__ == "__main__":
    DOCUMENT.write_text(table(), encoding="utf-8")
