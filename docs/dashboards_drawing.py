"""Panels of Grafana's dashboards, drawn plainly: stat, timeseries, bargauge, table, text and rows.

Rule: what a panel says of itself decides (grid, unit, thresholds, legend, stacking), nothing else;
this is not Grafana, and does not try to look like it in more than that.
"""

import math
import textwrap
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

import matplotlib as mpl
import numpy as np
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.patches import FancyBboxPatch, Rectangle
from matplotlib.ticker import FuncFormatter, Locator, MaxNLocator, MultipleLocator
from PIL import Image
from PIL.PngImagePlugin import PngInfo

Panel = dict[str, Any]
Box = tuple[float, float, float, float]
"""Left, top, width and height, in pixels."""

COLUMNS: Final = 24
WIDTH, UNIT, GAP, HEAD = 1560, 38, 8, 54
"""Pixels: of the whole, of a unit of height, between panels, and of what stands above them."""
COLORS: Final = {
    "green": "#3d8b40",
    "yellow": "#d39e00",
    "red": "#c4302b",
    "blue": "#3a6ea5",
    "orange": "#e0752d",
    "purple": "#7a4fa0",
    "light-yellow": "#f0d264",
    "light-red": "#e58a86",
    "light-blue": "#9dbbdd",
    "light-orange": "#f3b587",
}
"""By Grafana's names."""
PALETTE: Final = (
    *("#3d8b40", "#d39e00", "#3a6ea5", "#e0752d", "#c4302b", "#7a4fa0", "#16838a"),
    *("#8f8f35", "#b3507c", "#5b6b7a", "#7cb36f", "#8c5a2b"),
)
INK, PALE, FRAME = "#24292f", "#6a737d", "#d0d7de"
_BINARY: Final = ("B", "KiB", "MiB", "GiB")


@dataclass(frozen=True, slots=True)
class Series:
    name: str
    times: Sequence[float] = ()
    values: Sequence[float] = ()


@dataclass(frozen=True, slots=True)
class Shown:
    """What a panel shows: series over time, or rows of what holds now."""

    series: Sequence[Series] = ()
    rows: Sequence[Sequence[str]] = ()
    """Of a table; the first is its heading."""
    span: tuple[float, float] = (0.0, 0.0)


def told(value: float, unit: str, decimals: int | None = None) -> str:
    """A value as Grafana writes it."""
    match unit:
        case "percentunit" | "percent":
            share = value * 100 if unit == "percentunit" else value
            return f"{share:.{decimals if decimals is not None else 1}f}".removesuffix(".0") + " %"
        case "s":
            return told(value * 1000, "ms", decimals) if abs(value) < 1 else f"{value:g} s"
        case "ms":
            return f"{value:.3g} ms" if value < 1000 else f"{value / 1000:.3g} s"
        case "bytes":
            power = min(int(np.log2(max(value, 1)) // 10), 3)
            return f"{value / 1024**power:.4g} {_BINARY[power]}"
        case "Bps":
            return f"{told(value, 'bytes')}/s"
        case "reqps" | "cps":
            return f"{value:.3g} {'req/s' if unit == 'reqps' else 'c/s'}"
        case "dateTimeFromNow":
            return f"{value / 60:.0f} minutes ago" if value >= 120 else f"{value:.0f} seconds ago"
    places = 0 if decimals == 0 else 2
    return f"{value:,.{places}f}".rstrip("0").rstrip(".") if places else f"{value:,.0f}"


def color(value: float, thresholds: Panel) -> str:
    passed = [
        each["color"]
        for each in thresholds["steps"]
        if each["value"] is None or value >= each["value"]
    ]
    return COLORS[passed[-1]]


def draw(board: Panel, shown: dict[int, Shown], choices: str, of: str, to: Path) -> None:
    """A picture of a whole dashboard; it says itself what it is ``of``."""
    tall = max(each["gridPos"]["y"] + each["gridPos"]["h"] for each in board["panels"])
    size = (WIDTH, HEAD + tall * UNIT + GAP)
    with mpl.rc_context({"font.family": "DejaVu Sans", "font.size": 8.5, "text.color": INK}):
        sheet = _Sheet(*size)
        sheet.heading(board["title"], choices)
        for panel in board["panels"]:
            sheet.panel(panel, shown.get(panel["id"], Shown()))
        sheet.save(of, to)


class _Sheet:
    """In pixels, from the upper left corner."""

    def __init__(self, wide: int, tall: int) -> None:
        self._wide, self._tall = wide, tall
        self._figure = Figure(figsize=(wide / 100, tall / 100), dpi=100, facecolor="#f6f8fa")
        self._canvas = FigureCanvasAgg(self._figure)

    def save(self, of: str, to: Path) -> None:
        self._canvas.draw()
        whole = Image.fromarray(np.asarray(self._canvas.buffer_rgba())).convert("RGB")
        few, about = whole.quantize(256, kmeans=3, dither=Image.Dither.NONE), PngInfo()
        about.add_text("of", of)
        few.save(to, optimize=True, pnginfo=about)

    def heading(self, title: str, choices: str) -> None:
        self._text(GAP + 4, 27, title, size=14, weight="bold", va="center")
        self._text(self._wide - GAP - 4, 27, choices, color=PALE, ha="right", va="center", size=9)

    def panel(self, panel: Panel, shown: Shown) -> None:
        left, top, wide, tall = self._box(panel["gridPos"])
        if panel["type"] == "row":
            self._title(left + 4, top + tall / 2, f"▾ {panel['title']}", INK)
            return
        self._frame(left, top, wide, tall, "white")
        empty = not shown.series and len(shown.rows) < 2
        if panel["type"] == "stat":
            self._stat(panel, shown, (left, top, wide, tall))
            return
        self._title(left + 9, top + 16, panel["title"], INK)
        inner = (left + 10, top + 32, wide - 20, tall - 40)
        if panel["type"] == "text":
            self._words(panel["options"]["content"], inner)
        elif empty:
            self._empty(panel, inner)
        else:
            by = {"timeseries": self._timeseries, "bargauge": self._bars, "table": self._table}
            by[panel["type"]](panel, shown, inner)

    def _box(self, grid: Panel) -> Box:
        column = (self._wide - GAP) / COLUMNS
        left, top = GAP + grid["x"] * column, HEAD + grid["y"] * UNIT
        return left, top, grid["w"] * column - GAP, grid["h"] * UNIT - GAP

    def _frame(self, left: float, top: float, wide: float, tall: float, fill: str) -> None:
        self._figure.add_artist(
            FancyBboxPatch(
                (left / self._wide, 1 - (top + tall) / self._tall),
                *(wide / self._wide, tall / self._tall),
                boxstyle="square,pad=0",
                facecolor=fill,
                edgecolor=FRAME,
                linewidth=0.8,
                zorder=-1,
                transform=self._figure.transFigure,
            )
        )

    def _text(self, x: float, y: float, text: str, **more: Any) -> Any:
        text = text.replace("$", r"\$")
        return self._figure.text(x / self._wide, 1 - y / self._tall, text, **more)

    def _title(self, x: float, y: float, text: str, tint: str) -> None:
        self._text(x, y, text, weight="bold", va="center", size=9.5, color=tint)

    def _measured(self, text: str, size: float) -> float:
        """Its width in pixels."""
        artist = self._text(0, 0, text, size=size)
        wide: float = artist.get_window_extent(self._canvas.get_renderer()).width
        artist.remove()
        return wide

    def _axes(self, left: float, top: float, wide: float, tall: float) -> Axes:
        place = (left / self._wide, 1 - (top + tall) / self._tall)
        return self._figure.add_axes((*place, wide / self._wide, tall / self._tall))

    def _empty(self, panel: Panel, inner: Box) -> None:
        left, top, wide, tall = inner
        at, middle = left + wide / 2, top + tall / 2
        self._text(at, middle - 10, _no(panel), ha="center", va="center", size=11)
        note = "no data, as it should be"
        self._text(at, middle + 12, note, ha="center", va="center", color=PALE)

    def _stat(self, panel: Panel, shown: Shown, box: Box) -> None:
        left, top, wide, tall = box
        defaults = panel["fieldConfig"]["defaults"]
        value = shown.series[0].values[-1] if shown.series else None
        fill = color(value, defaults["thresholds"]) if value is not None else "#5b6b7a"
        if value is not None and defaults["unit"] == "dateTimeFromNow":
            value = shown.span[1] - value / 1000
        known = value is not None
        text = told(value, defaults["unit"], defaults["decimals"]) if known else _no(panel)
        self._frame(left, top, wide, tall, fill)
        self._title(left + 9, top + 16, panel["title"], "white")
        size = 26.0
        while self._measured(text, size) > wide - 20:
            size -= 1
        middle = top + 14 + tall / 2
        self._text(
            left + wide / 2, middle, text, ha="center", va="center", size=size, color="white"
        )

    def _timeseries(self, panel: Panel, shown: Shown, inner: Box) -> None:
        left, top, wide, tall = inner
        defaults = panel["fieldConfig"]["defaults"]
        names = [each.name for each in shown.series]
        tints = _tints(names, panel["fieldConfig"]["overrides"])
        below = self._legend(names, tints, (left, top + tall, wide))
        axes = self._axes(left + 62, top, wide - 92, tall - below - 22)
        _dress(axes, shown.span, defaults, lines(axes, shown, defaults, tints))

    def _legend(
        self, names: Sequence[str], tints: Sequence[str], where: tuple[float, float, float]
    ) -> float:
        """In lines beneath; returns the height that they take."""
        left, bottom, wide = where
        places: list[tuple[float, float]] = []
        x, y = 0.0, 0.0
        for name in names:
            need = self._measured(name, 8.5) + 30
            if places and x + need > wide:
                x, y = 0.0, y + 15
            places.append((x, y))
            x += need
        for place, name, tint in zip(places, names, tints, strict=True):
            across, down = left + place[0], bottom - y - 10 + place[1]
            self._mark(across, down, tint)
            self._text(across + 16, down, name, va="center", size=8.5)
        return y + 15

    def _mark(self, left: float, middle: float, tint: str) -> None:
        corner = (left / self._wide, 1 - (middle + 4) / self._tall)
        size = (11 / self._wide, 8 / self._tall)
        self._figure.add_artist(
            Rectangle(corner, *size, facecolor=tint, transform=self._figure.transFigure)
        )

    def _bars(self, panel: Panel, shown: Shown, inner: Box) -> None:
        left, top, wide, tall = inner
        defaults = panel["fieldConfig"]["defaults"]
        most = max(each.values[-1] for each in shown.series) or 1
        names = max(self._measured(each.name, 9) for each in shown.series) + 12
        step = min(30.0, tall / len(shown.series))
        for place, each in enumerate(shown.series):
            middle, value = top + step * (place + 0.5), each.values[-1]
            self._text(left, middle, each.name, va="center", size=9)
            length = (wide - names - 90) * value / most
            corner = ((left + names) / self._wide, 1 - (middle + step * 0.35) / self._tall)
            size = (max(length, 1) / self._wide, step * 0.7 / self._tall)
            tint = color(value, defaults["thresholds"])
            self._figure.add_artist(
                Rectangle(corner, *size, facecolor=tint, transform=self._figure.transFigure)
            )
            text = told(value, defaults["unit"], defaults["decimals"])
            at = left + names + length + 8
            self._text(at, middle, text, va="center", size=9.5, weight="bold")

    def _table(self, _: Panel, shown: Shown, inner: Box) -> None:
        left, top, wide, tall = inner
        columns = list(zip(*shown.rows, strict=True))
        needs = [max(self._measured(cell, 9) for cell in column) + 22 for column in columns]
        room = max(0.0, (wide - sum(needs)) / len(needs))
        for number, row in enumerate(shown.rows):
            middle, x = top + 10 + 24 * number, left
            if number * 24 + 20 > tall:
                break
            for cell, need in zip(row, needs, strict=True):
                weight, tint = ("normal", INK) if number else ("bold", PALE)
                self._text(x, middle, cell, va="center", size=9, weight=weight, color=tint)
                x += need + room

    def _words(self, content: str, inner: Box) -> None:
        left, top, wide, _ = inner
        y, code = top + 8, False
        for paragraph in content.split("\n"):
            if paragraph.startswith("```"):
                code, y = not code, y + 4
                continue
            wrapped = textwrap.wrap(paragraph.replace("`", ""), int(wide / 7.2)) or [""]
            for line in [paragraph] if code else wrapped:
                family = "DejaVu Sans Mono" if code else "DejaVu Sans"
                self._text(left, y, line, va="center", size=8 if code else 9, family=family)
                y += 17 if line else 8


def lines(axes: Axes, shown: Shown, defaults: Panel, tints: Sequence[str]) -> float:
    """As lines, areas one upon the other, or bars; returns how high they go."""
    custom = defaults["custom"]
    if custom["stacking"]["mode"] == "normal":
        return _stacked(axes, shown.series, tints, bars=custom["drawStyle"] == "bars")
    for each, tint in zip(shown.series, tints, strict=True):
        axes.plot(_clock(each.times), each.values, color=tint, linewidth=1.5)
    return max(value for each in shown.series for value in each.values)


def _stacked(axes: Axes, found: Sequence[Series], tints: Sequence[str], *, bars: bool) -> float:
    times = sorted({time for each in found for time in each.times})
    base = np.zeros(len(times))
    for each, tint in zip(found, tints, strict=True):
        known = dict(zip(each.times, each.values, strict=True))
        values = np.array([known.get(time, 0.0) for time in times])
        if bars:
            wide = min(np.diff(times), default=10.0) * 0.8 / 86400  # of a day
            axes.bar(_clock(times), values, wide, bottom=base, color=tint)
        else:
            axes.fill_between(_clock(times), base, base + values, color=tint, alpha=0.65, lw=0)
            there = np.convolve(values, (1, 1, 1), "same") > 0
            edge = np.where(there, base + values, np.nan)
            axes.plot(_clock(times), edge, color=tint, linewidth=0.9)
        base = base + values
    return float(base.max())


def _dress(axes: Axes, span: tuple[float, float], defaults: Panel, most: float) -> None:
    """Grid, units and the time of day."""
    axes.set_xlim(*_clock(span))
    axes.set_ylim(defaults["min"], defaults.get("max", most or 1) * 1.06)
    axes.yaxis.set_major_locator(_locator(axes.get_ylim()[1], defaults))
    axes.yaxis.set_major_formatter(FuncFormatter(lambda value, _: told(value, defaults["unit"])))
    axes.xaxis.set_major_locator(mpl.dates.AutoDateLocator(minticks=3, maxticks=7))
    axes.xaxis.set_major_formatter(mpl.dates.DateFormatter("%H:%M:%S"))
    axes.tick_params(labelsize=8, colors=PALE, length=0)
    axes.grid(visible=True, color="#eaeef2", linewidth=0.8)
    axes.set_axisbelow(True)
    for spine in axes.spines.values():
        spine.set_visible(False)


def _locator(high: float, defaults: Panel) -> Locator:
    """Round numbers, of bytes by powers of two."""
    if defaults["unit"] in {"bytes", "Bps"}:
        return MultipleLocator(2 ** math.ceil(math.log2(high / 5)))
    return MaxNLocator(4, integer=defaults.get("decimals") == 0)


def _clock(times: Sequence[float]) -> list[float]:
    return [mpl.dates.date2num(datetime.fromtimestamp(each, UTC)) for each in times]


def _tints(names: Sequence[str], overrides: Sequence[Panel]) -> list[str]:
    """Of the palette in turn, but for those that have a colour of their own."""
    fixed = {
        each["matcher"]["options"]: COLORS[each["properties"][0]["value"]["fixedColor"]]
        for each in overrides
    }
    others = iter([each for each in PALETTE if each not in fixed.values()] * len(names))
    return [fixed.get(name) or next(others) for name in names]


def _no(panel: Panel) -> str:
    text: str = panel["fieldConfig"]["defaults"]["noValue"]
    return text
