"""Where a text ends, and whether words may stand behind it that its author did not write.

Rule: only behind what reads like prose to its end, since a program may be reading: of some length,
with a sentence's end, and not begun like data or code.  A text comes in pieces, and all that is
kept of it is how it began, how it ends and how long it is.
"""

from dataclasses import dataclass
from typing import Final

SHORTEST: Final = 80
"""Characters of a text behind which anything stands: what is shorter may be a value."""
_ENDS: Final = (".", "!", "?", "。", "！", "？")  # noqa: RUF001 - of Chinese and Japanese
_DATA: Final = tuple('{[<"`')


@dataclass(slots=True)
class Ending:
    """Of one text."""

    words: str
    """What is to stand behind it."""
    _begins: str = ""
    """Its first character that is no space."""
    _ends: str = ""
    _size: int = 0

    def read(self, piece: str) -> None:
        self._size += len(piece)
        bare = piece.strip()
        self._begins = self._begins or bare[:1]
        self._ends = bare[-1:] or self._ends

    def close(self) -> bool:
        """Whether the words stand behind all that was read; asked when it has come to its end."""
        prose = self._ends in _ENDS and self._begins not in _DATA
        return self._size >= SHORTEST and prose
