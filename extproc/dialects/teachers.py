"""How many members an ensemble has, as a route declares it.

Rule: where votes are answered it is declared, since what one of them adds is what privacy hides.
"""

from collections.abc import Iterable, Iterator
from typing import Annotated

from msgspec import Meta

from extproc.dialects.ballots import MOST
from extproc.dialects.dialect import Mistake

Teachers = Annotated[int, Meta(ge=2, le=MOST)]


def mistakes_of(kinds: Iterable[str], teachers: int | None) -> Iterator[Mistake]:
    """Of a route that declares these outputs."""
    if "votes" in kinds and teachers is None:
        wrong = "nobody says how many members the ensemble has whose votes are answered"
        yield Mistake(("teachers",), wrong, "write teachers: 250, or as many as each cast a vote")
    if teachers is not None and "votes" not in kinds:
        yield Mistake(("teachers",), "no output holds votes", "declare one, or remove it")
