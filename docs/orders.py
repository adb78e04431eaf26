"""Write the tables of docs/mutators.md that say which mutator may stand before which, and why not.

``python -m docs.orders`` writes them.  Every pair is asked of the loader's own rule.
"""

from collections.abc import Iterator, Sequence
from string import ascii_lowercase

from docs import page
from docs.page import table
from extproc.config.orders import misplaced
from extproc.mutators import Mutator
from extproc.prediction import Kind
from tests.config.orders import DROP, KINDS, fitting, name

_YES = "yes"


def main() -> None:
    page.write("mutators", filled)


def filled(text: str) -> str:
    """The page with what stands between the two marks written anew."""
    return page.between_marks(text, "orders", "\n".join(_tables()))


def _tables() -> Iterator[str]:
    reasons: dict[str, str] = {}
    for kind in KINDS:
        known = [each for each in fitting(kind) if each != DROP]
        if len(known) > 1:
            yield _table(kind, known, reasons)
    yield "\n".join(f"- **{letter}**: {reason}" for reason, letter in reasons.items()) + "\n"


def _table(kind: Kind, known: Sequence[Mutator], reasons: dict[str, str]) -> str:
    """``reasons`` by what is wrong, with its letter; those that are new are added."""
    rows = [
        [f"`{name(before)}`", *(_cell(before, behind, reasons) for behind in known)]
        for before in known
    ]
    return table([f"`{kind}`", *(f"`{name(behind)}`" for behind in known)], rows)


def _cell(before: Mutator, behind: Mutator, reasons: dict[str, str]) -> str:
    found = misplaced(before, behind)
    if found is None:
        return _YES
    wrong = found.wrong.format(before="the first", behind="the second")
    reason = f"{wrong}; {found.remedy}"
    return reasons.setdefault(reason, ascii_lowercase[len(reasons)])


if __name__ == "__main__":
    main()
