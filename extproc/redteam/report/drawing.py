"""How plots are drawn: to SVG, the same bytes each time, on light and on dark paper.

Rule: text stays text, so that it can be read aloud and found; what came from rows is never taken
for mathematics; ids carry the figure's name, since several figures stand on one page.
"""

import io
import re
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any, Final, NamedTuple

import matplotlib as mpl
from matplotlib.axes import Axes
from matplotlib.backends.backend_svg import FigureCanvasSVG
from matplotlib.figure import Figure
from matplotlib.ticker import NullLocator

INK: Final = "#7b7f87"
"""Of text, axes and grids: it can be read on white and on black."""

_STYLE: Final[Any] = {
    "axes.edgecolor": INK,
    "axes.labelcolor": INK,
    "axes.linewidth": 0.7,
    "axes.spines.right": False,
    "axes.spines.top": False,
    "axes.titlecolor": INK,
    "axes.titlelocation": "left",
    "axes.titlesize": 10,
    "axes.unicode_minus": False,
    "figure.facecolor": "none",
    "axes.facecolor": "none",
    "font.family": "sans-serif",
    "font.size": 9.5,
    "svg.fonttype": "none",
    "svg.hashsalt": "extproc redteam",
    "text.color": INK,
    "text.parse_math": False,
    "xtick.color": INK,
    "xtick.labelcolor": INK,
    "xtick.major.width": 0.7,
    "ytick.color": INK,
    "ytick.labelcolor": INK,
    "ytick.major.width": 0.7,
}
_NO_METADATA: Final = dict.fromkeys(("Creator", "Date", "Format", "Type"))
_HEAD: Final = re.compile(r"^.*?(?=<svg)", re.DOTALL)
_METADATA: Final = re.compile(r"\s*<metadata>.*?</metadata>", re.DOTALL)
_ID: Final = re.compile(r'(\bid="|url\(#|href="#)')
_FONT: Final = re.compile(r"font(-family)?: ([^;\"]*?)'DejaVu Sans'[^;\"]*")
_UNWRITABLE: Final = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


class Margins(NamedTuple):
    """Around the axes, in inches."""

    left: float
    right: float
    bottom: float = 0.48
    top: float = 0.32


@contextmanager
def canvas(width: float, height: float, around: Margins) -> Iterator[tuple[Figure, Axes]]:
    """Axes of this size in inches, and margins around them.

    Said and not found out: laying out by measuring all text takes as long as drawing it again.
    """
    whole = (width + around.left + around.right, height + around.bottom + around.top)
    with mpl.rc_context(_STYLE):
        figure = Figure(figsize=whole)
        axes = figure.add_axes(
            (around.left / whole[0], around.bottom / whole[1], width / whole[0], height / whole[1])
        )
        axes.xaxis.set_minor_locator(NullLocator())
        yield figure, axes


def room(labels: Iterable[str], size: float = 9.5) -> float:
    """Inches that the longest of these takes, about."""
    return max((len(label) for label in labels), default=0) * size * 0.56 / 72 + 0.12


def svg(figure: Figure, name: str, alt: str) -> str:
    """The figure as an SVG element that can stand in a page or in a file."""
    buffer = io.StringIO()
    figure.set_canvas(FigureCanvasSVG(figure))
    figure.savefig(buffer, format="svg", metadata=_NO_METADATA)
    text = _METADATA.sub("", _HEAD.sub("", buffer.getvalue()))
    text = _ID.sub(rf"\g<1>{name}-", _FONT.sub(r"font\1: \2sans-serif", text))
    label = f'role="img" aria-labelledby="{name}-title"'
    opened = text.index(">", text.index("<svg"))
    return (
        f"{text[:opened].rstrip()} {label}>"
        f'\n <title id="{name}-title">{_escaped(alt)}</title>{text[opened + 1 :].rstrip()}\n'
    )


def writable(text: str) -> str:
    """Without the characters that XML cannot hold."""
    return _UNWRITABLE.sub("\N{REPLACEMENT CHARACTER}", text)


def apart(places: Sequence[float], least: float, low: float, high: float) -> list[float]:
    """Move places as little as is needed so that none is nearer to the next than ``least``."""
    order = sorted(range(len(places)), key=lambda at: places[at])
    moved = list(places)
    for before, at in zip([None, *order], order, strict=False):
        moved[at] = max(moved[at], low if before is None else moved[before] + least)
    ceiling = high
    for at in reversed(order):
        moved[at] = min(moved[at], ceiling)
        ceiling = moved[at] - least
    return moved


def _escaped(text: str) -> str:
    return writable(text).replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
