"""What becomes of a cell: a mark, a control, or nothing.

Rule: it is a draw of the cell's own, and of nothing else: of the key epoch, of the cohort, or the
tenant where it has none, and of the model.  So each cell that somebody asks about is a mark as
likely as the rate says, whatever it holds, and a control eight times as likely; which of both is
chance alone, and a model that has seen no marked answer cannot tell them apart: that is what the
test of statistics.py rests on.  A control is answered truly and costs nothing.

Source: Szyller, Atli, Marchal and Asokan, "DAWN: Dynamic Adversarial Watermarking of Neural
Networks", ACM Multimedia 2021; the controls are Fisher's, "The Design of Experiments", 1935.
"""

from typing import Final, Literal

from extproc.draw import Draw

Stamp = Literal["mark", "control", "embedding", "canary", "green_list", "processor"]
"""See also keeping.py, canaries.py and pledge.py."""
TEXTS: Final = frozenset[Stamp](("canary", "green_list", "processor"))
"""Of what stands in texts, and is found there."""
CONTROLS: Final = 8
"""For each mark, on average."""
_ALL: Final = 1 << 64


def stamp(cell: Draw, rate: float) -> Literal["mark", "control"] | None:
    """Of one cell, where this share of cells is marked; None of most.  ``cell``: Source.cell."""
    place = int.from_bytes(cell.child(b"mark").key[:8], "little")
    if place < rate * _ALL:
        return "mark"
    # From the other end, so that no cell is the one at this rate and the other at that.
    return "control" if place >= (1 - CONTROLS * rate) * _ALL else None


def name(cell: Draw) -> str:
    """32 hexadecimal digits, by which records tell cells apart."""
    return cell.child(b"name").key.hex()[:32]
