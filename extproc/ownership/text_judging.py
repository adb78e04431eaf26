"""What texts prove: of each list and each set of references, whether they were written with it.

Rule: what a text that knows nothing of a key shows by chance is exact (marks/sign_flips.py,
marks/canaries.py), and corrected for all that was looked for, the missing too (Holm).  What is
usual was committed to with the list, and is never told by whoever accuses: who knows how the coins
fell could choose texts to compare with that make any others look marked.  Clean texts can only take
a verdict back.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import Final, Literal

from msgspec import Struct

from extproc.marks import statistics
from extproc.marks.canaries import recited
from extproc.marks.green_list import evidence
from extproc.ownership.text_marks import Sought
from extproc.prediction import Vector

LEVEL: Final = -20.0
"""In bits: nobody is accused where chance does as much in one of a million cases."""
Verdict = Literal["carries the marks", "no evidence", "withheld"]
"""``withheld``: clean texts carry them too, so that they mark nothing."""


class ListCounts(Struct, frozen=True):
    """How often the words of a list stand in the texts."""

    words: int
    """Of the vocabulary that were read."""
    green: float
    """The share of them that is green."""
    usual: float
    """The share that is to be expected of texts that nobody marked."""


class ReferenceCounts(Struct, frozen=True):
    known: int
    """References that there are to be looked for."""
    found: int


class Commitments(Struct, frozen=True):
    """That what was looked for was fixed before."""

    first: str
    """As the audit log has it, SHA-256 of the entry."""
    line: int
    """Of the log."""
    signed: datetime
    count: int
    missing: int
    """That the vault has no entry of."""


class TextJudged(Struct, frozen=True, kw_only=True):
    """One list, or the references of one who was told some."""

    mark: Literal["green list", "canaries"]
    whose: str
    name: str
    """Both in words, and the models."""
    tenants: Sequence[str]
    """Whose answers they were committed to with."""
    models: Sequence[str]
    routes: Sequence[str]
    epochs: Sequence[int]
    """See ``keys.epoch``."""
    commitments: Commitments
    verdict: Verdict
    bits: float
    """log2 of the exact p-value."""
    corrected: float
    """That, for all that was looked for."""
    listed: ListCounts | None
    references: ReferenceCounts | None


def judged(
    sought: Sequence[Sought], texts: Sequence[str], clean: Sequence[Sequence[str]] = ()
) -> list[TextJudged]:
    """The least likely by chance first.  ``clean``: texts that are known to be nobody's."""
    found = _looked(sought, texts)
    corrected = statistics.holm([each.bits for each in found])
    carried = {number for each in clean for number in carriers(sought, each)}
    every = [
        _judged(look, bits, withheld=number in carried)
        for number, (look, bits) in enumerate(zip(found, corrected, strict=True))
    ]
    return sorted(every, key=lambda each: (each.corrected, each.bits))


def carriers(sought: Sequence[Sought], texts: Sequence[str]) -> list[int]:
    """The numbers of those whose marks these texts carry."""
    corrected = statistics.holm([each.bits for each in _looked(sought, texts)])
    return [number for number, bits in enumerate(corrected) if bits <= LEVEL]


class _Looked(Struct, frozen=True):
    """Texts, looked at for one."""

    sought: Sought
    bits: float
    listed: ListCounts | None = None
    references: ReferenceCounts | None = None


def _looked(sought: Sequence[Sought], texts: Sequence[str]) -> list[_Looked]:
    counts: dict[bytes, Vector] = {}
    """By vocabulary: tenants have one together."""
    folded = [text.casefold() for text in texts]
    return [
        _references(each, folded) if each.mark == "canaries" else _list(each, texts, counts)
        for each in sought
    ]


def _references(sought: Sought, folded: Sequence[str]) -> _Looked:
    every = list(sought.references)
    found = sum(any(each in text for text in folded) for each in every)
    bits = recited(every, folded, sought.missing).at_least
    return _Looked(sought, bits, references=ReferenceCounts(len(every), found))


def _list(sought: Sought, texts: Sequence[str], counts: dict[bytes, Vector]) -> _Looked:
    if sought.listed is None:
        return _Looked(sought, 0.0)
    words, key = sought.listed.vocabulary, sought.listed.key
    if words.json not in counts:
        counts[words.json] = words.counts(texts)
    found = evidence(counts[words.json], words, key)
    listed = ListCounts(found.seen, found.green, found.usual)
    return _Looked(sought, found.tail.at_least, listed=listed)


def _judged(look: _Looked, corrected: float, *, withheld: bool) -> TextJudged:
    sought = look.sought
    first, lines = sought.commitments[0], [each.marked for each in sought.commitments]
    verdict: Verdict = "no evidence"
    if corrected <= LEVEL:
        verdict = "withheld" if withheld else "carries the marks"
    return TextJudged(
        mark=sought.mark,
        whose=sought.whose,
        name=sought.name,
        tenants=sorted({line.tenant for line in lines}),
        models=sought.models,
        routes=sorted({line.route for line in lines}),
        epochs=sorted(sought.epochs),
        commitments=Commitments(
            first.marked.commitment, first.line, first.signed, len(lines), sought.missing
        ),
        verdict=verdict,
        bits=look.bits,
        corrected=corrected,
        listed=look.listed,
        references=look.references,
    )
