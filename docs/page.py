"""What the scripts that write pages share: the middle of a page, between two marks, and tables.

A page has the marks ``<!-- written by docs/NAME.py ... -->`` and ``<!-- end of what is written ...
-->``; what is around them is written by hand.
"""

import re
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path

DOCS = Path(__file__).parent


def write(name: str, filled: Callable[[str], str]) -> None:
    """Write docs/NAME.md anew."""
    path = DOCS / f"{name}.md"
    path.write_text(filled(path.read_text(encoding="utf-8")), encoding="utf-8")


def between_marks(page: str, name: str, middle: str) -> str:
    """The page with this middle; raise ValueError where it has no marks."""
    marks = (
        rf"(<!-- written by docs/{name}\.py [^>]* -->\n).*(<!-- end of what is written [^>]* -->)"
    )
    found = re.search(marks, page, re.DOTALL)
    if found is None:
        raise ValueError(f"docs/{name}.md has no marks of docs/{name}.py")
    head, tail = page[: found.end(1)], page[found.start(2) :]
    return f"{head}\n{middle}\n{tail}"


def table(heads: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    lines = [heads, ("---",) * len(heads), *rows]
    return "\n".join([*(f"| {' | '.join(cells)} |" for cells in lines), ""])
