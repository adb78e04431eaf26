"""Canaries: references behind the answers to a few prompts, that nobody else's model would write.

Rule: which prompts, and which of a few references, is the key's; whoever asks the same, or nearly
the same, reads the same.  A few references come often, so that a model that is trained on the
answers learns them; each alone comes by chance once in 2^48 places of a text.  None stands where a
program may read the answer: behind a text that is short, that does not end like a sentence or that
begins like data, behind a refusal or beside a call of a tool.

Sources: Carlini et al., "The Secret Sharer", USENIX Security 2019 (what models repeat that they saw
a few times); Wilkerson, "A Proposal for Proquints", arXiv:0901.4016 (numbers that can be read).
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

from extproc.canonical import Steps
from extproc.draw import Draw
from extproc.marks.cells import Cells
from extproc.marks.ending import Ending
from extproc.marks.marking import Finding, Marking, Planted, written
from extproc.marks.stamps import name
from extproc.marks.statistics import Tail, binomial

REFERENCES: Final = 2
"""Of each key and model."""
_QUINTS: Final = 3
BITS: Final = 16 * _QUINTS
_CONSONANTS: Final = "bdfghjklmnprstvz"
_VOWELS: Final = "aiou"
_QUINT: Final = f"[{_CONSONANTS}][{_VOWELS}][{_CONSONANTS}][{_VOWELS}][{_CONSONANTS}]"
_REFERENCE: Final = re.compile("-".join([_QUINT] * _QUINTS))
_ALL: Final = 1 << 64


@dataclass(frozen=True, slots=True)
class Canaries:
    """Of one cohort, or tenant without one."""

    cells: Cells
    draw: Draw
    """Of the key epoch, and of whoever it is for."""
    rate: float
    wording: str

    def marking(self, model: str, inputs: Sequence[Any]) -> Steps[Marking | None]:
        """Of a request whose answer is for people to read; None where nothing stands behind it."""
        if len(inputs) != 1:
            return None
        own = of_model(self.draw, model)
        [cell] = yield from self.cells.all(inputs)
        drawn = own.child(b"prompt " + cell)
        place = int.from_bytes(drawn.child(b"canary").key[:9], "little")
        if place >> 8 >= self.rate * _ALL:
            return None
        kept = written(inputs[0])
        if kept is None:
            return None
        said = references(own)[(place & 0xFF) % REFERENCES]
        finding = Finding("canary", name(drawn), kept, "", said)
        planted = Planted(Ending(self.wording.replace("{}", said)), finding)
        return Marking({}, frozenset(), single=True, planted=planted)


def of_model(key: Draw, model: str) -> Draw:
    """The key of the canaries of one model, as it is asked for."""
    return key.child(b"model " + model.encode())


def references(key: Draw) -> list[str]:
    """All that are written where a model has this key."""
    octets = key.child(b"references").octets(REFERENCES * BITS // 8)
    words = [int.from_bytes(octets[at : at + 2], "big") for at in range(0, len(octets), 2)]
    quints = list(map(_quint, words))
    return ["-".join(quints[at : at + _QUINTS]) for at in range(0, len(quints), _QUINTS)]


def is_reference(said: str) -> bool:
    """Whether a key may have drawn it: no other words count as one."""
    return _REFERENCE.fullmatch(said) is not None


def recited(said: Sequence[str], texts: Sequence[str], missing: int = 0) -> Tail:
    """How likely as many of the references would stand in texts that know nothing of the key.

    Each is one of 2^48, alike likely, and a text holds no more of them than it has characters: the
    bound holds whatever the texts are.  ``missing``: how many more there are that nobody has, and
    which are looked for in vain.
    """
    folded = [text.casefold() for text in texts]
    found = sum(any(each in text for text in folded) for each in said)
    places = sum(map(len, folded))
    return binomial(found, len(said) + missing, min(1.0, places / 2**BITS))


def _quint(word: int) -> str:
    letters = (_CONSONANTS, 12), (_VOWELS, 10), (_CONSONANTS, 6), (_VOWELS, 4), (_CONSONANTS, 0)
    return "".join(kind[word >> shift & len(kind) - 1] for kind, shift in letters)
