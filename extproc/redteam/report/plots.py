"""The plots of the report.

Rule: the eye is shown what the tables say: an interval where there is one, a bound as a bound (an
arrow), and labels at the lines themselves rather than in a legend.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import isfinite
from typing import Final

from matplotlib.axes import Axes
from matplotlib.ticker import FuncFormatter, NullLocator

from extproc.redteam.measures.interval import Interval
from extproc.redteam.measures.reach import LEVELS, Bound, Multiplier
from extproc.redteam.report.drawing import (
    INK,
    Margins,
    apart,
    canvas,
    room,
    svg,
    writable,
)
from extproc.redteam.report.look import Look

_ROW: Final = 0.24
"""Inches of a row of bars."""
_WIDER: Final = 0.9
"""Points, for each line above."""


def learning(
    name: str,
    title: str,
    lines: Mapping[str, Sequence[tuple[int, Interval]]],
    look: Mapping[str, Look],
) -> str:
    """Fidelity against queries: a line and its interval for each policy."""
    with canvas(2.6, 2.0, Margins(0.5, room(lines))) as (figure, axes):
        _log(axes)
        values = [point.value for line in lines.values() for _, point in line]
        low = min([0.9, *(max(0, (value * 10 // 1) / 10 - 0.02) for value in values)])
        axes.set_ylim(low, 1.015)
        for level in LEVELS:
            axes.axhline(level, color=INK, linewidth=0.5, alpha=0.35)
        for below, (policy, line) in enumerate(lines.items()):
            _line(axes, line, look[policy], len(lines) - 1 - below)
        _end_labels(axes, lines, look)
        _queries(axes)
        axes.yaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:.0%}"))
        axes.set_title(writable(title))
        return svg(figure, name, f"{title}, against queries, for each policy")


def multipliers(
    name: str, title: str, bars: Sequence[tuple[str, str, Multiplier]], look: Mapping[str, Look]
) -> str:
    """How many times as many queries: (victim, policy, times) each."""
    labels = [f"{victim}  {policy}" for victim, policy, _ in bars]
    with canvas(4.2, _ROW * len(bars) + 0.1, Margins(room(labels), 0.2)) as (figure, axes):
        _log(axes)
        for at, (_, policy, times) in enumerate(bars):
            _bar(axes, at, times, look[policy])
        axes.axvline(1, color=INK, linewidth=0.7, linestyle=(0, (3, 3)))
        low, high = axes.get_xlim()
        axes.set_xlim(min(low, 0.7), max(high * 2.2, 3))
        _rows(axes, labels)
        axes.set_xlabel("times as many queries as without a defence")
        axes.xaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}×"))
        axes.set_title(writable(title))
        return svg(figure, name, title)


@dataclass(frozen=True, slots=True)
class Noticed:
    """When an attack was first refused; None: never, of so many that were served."""

    refused_after: float | None
    served: float


def timeline(
    name: str,
    title: str,
    rows: Sequence[tuple[str, Mapping[str, Noticed]]],
    look: Mapping[str, Look],
) -> str:
    """What had been served before the first refusal: a row an attack, a mark a policy."""
    around = Margins(room(label for label, _ in rows), 0.2, top=0.62)
    shown = [policy for policy in look if any(policy in each for _, each in rows)]
    with canvas(5.6, _ROW * 1.5 * len(rows) + 0.1, around) as (figure, axes):
        _log(axes)
        for at, (_, policies) in enumerate(rows):
            for policy, noticed in policies.items():
                _notice(axes, at + _aside(shown, policy), noticed, look[policy])
        _rows(axes, [label for label, _ in rows])
        _queries(axes, "inputs answered before the first refusal")
        axes.set_xlim(0.7, max(axes.get_xlim()[1], 200))
        axes.set_title(writable(title), pad=24)
        _key(axes, shown, look)
        return svg(figure, name, title)


def trade(
    name: str,
    title: str,
    points: Mapping[str, tuple[Interval, Interval]],
    look: Mapping[str, Look],
    ends: tuple[str, str],
) -> str:
    """Utility against protection: (utility, what the best copy has) for each policy."""
    with canvas(2.6, 2.2, Margins(0.8, room(points))) as (figure, axes):
        for policy, (utility, copied) in points.items():
            axes.errorbar(
                utility.value,
                copied.value,
                xerr=_ends(utility),
                yerr=_ends(copied),
                color=look[policy].colour,
                marker=look[policy].mark,
                markersize=6,
                linewidth=1,
            )
        axes.margins(0.22, 0.12)
        ys = [copied.value for _, copied in points.values()]
        low, high = axes.get_ylim()
        placed = apart(ys, (high - low) / 16, low, high)
        for (policy, (utility, _)), y in zip(points.items(), placed, strict=True):
            axes.annotate(
                writable(policy),
                (utility.value, y),
                xytext=(7, 0),
                textcoords="offset points",
                color=look[policy].colour,
                va="center",
            )
        axes.set_xlabel(ends[0])
        axes.set_ylabel(ends[1])
        axes.set_title(writable(title))
        return svg(figure, name, title)


def _line(axes: Axes, line: Sequence[tuple[int, Interval]], look: Look, above: int) -> None:
    """Wider where more lines are drawn above it, so that each is seen where all are the same."""
    budgets = [budget for budget, _ in line]
    cut = [point.within(0, 1) for _, point in line]
    axes.plot(
        budgets,
        [point.value for point in cut],
        color=look.colour,
        marker=look.mark,
        markersize=3.6 if look.dashed else 3.6 + _WIDER * above,
        linewidth=1.4 if look.dashed else 1.4 + _WIDER * above,
        linestyle=(0, (4, 2)) if look.dashed else "-",
        zorder=4 if look.dashed else 3 - above / 100,
    )
    if all(point.count > 1 for point in cut):
        lows, highs = [point.low for point in cut], [point.high for point in cut]
        axes.fill_between(budgets, lows, highs, color=look.colour, alpha=0.16, linewidth=0)


def _end_labels(
    axes: Axes, lines: Mapping[str, Sequence[tuple[int, Interval]]], look: Mapping[str, Look]
) -> None:
    low, high = axes.get_ylim()
    drawn = {policy: line[-1] for policy, line in lines.items() if line}
    if not drawn:
        return
    wanted = [point.value for _, point in drawn.values()]
    placed = apart(wanted, (high - low) / 15, low, high)
    for policy, y in zip(drawn, placed, strict=True):
        axes.text(
            1.02,
            y,
            writable(policy),
            transform=axes.get_yaxis_transform(),
            color=look[policy].colour,
            va="center",
        )


def _bar(axes: Axes, at: int, times: Multiplier, look: Look) -> None:
    interval = times.times
    low = interval.low if interval.low > 0 and isfinite(interval.low) else interval.value
    high = interval.high if isfinite(interval.high) else interval.value
    axes.plot([1, interval.value], [at, at], color=look.colour, linewidth=5, alpha=0.28)
    axes.plot([low, high], [at, at], color=look.colour, linewidth=1.6)
    mark = {Bound.AT_LEAST: ">", Bound.AT_MOST: "<", Bound.EXACT: look.mark, Bound.OPEN: "x"}
    axes.plot([interval.value], [at], color=look.colour, marker=mark[times.bound], markersize=6)
    sign = "" if times.bound is Bound.EXACT else f"{times.bound} "
    axes.annotate(
        f"{sign}{interval.value:,.3g}×",
        (high, at),
        xytext=(8, 0),
        textcoords="offset points",
        color=look.colour,
        va="center",
        fontsize=8.5,
    )


def _aside(policies: Sequence[str], policy: str) -> float:
    """Within its row, so that marks of policies at the same place are all seen."""
    return (policies.index(policy) + 0.5) / len(policies) * 0.7 - 0.35


def _notice(axes: Axes, at: float, noticed: Noticed, look: Look) -> None:
    if noticed.refused_after is None:
        x, mark, fill = max(noticed.served, 1), ">", "none"
    else:
        x, mark, fill = max(noticed.refused_after, 1), look.mark, look.colour
    axes.plot(
        [x],
        [at],
        marker=mark,
        markersize=6,
        markerfacecolor=fill,
        color=look.colour,
        linestyle="none",
        alpha=0.9,
    )


def _rows(axes: Axes, labels: Sequence[str]) -> None:
    axes.set_yticks(range(len(labels)), [writable(label) for label in labels])
    axes.set_ylim(len(labels) - 0.4, -0.6)
    axes.tick_params(axis="y", length=0)
    for at in range(len(labels)):
        axes.axhline(at, color=INK, linewidth=0.4, alpha=0.25, zorder=0)


def _log(axes: Axes) -> None:
    axes.set_xscale("log")
    axes.xaxis.set_minor_locator(NullLocator())


def _queries(axes: Axes, label: str = "queries") -> None:
    axes.set_xlabel(label)
    axes.xaxis.set_major_formatter(FuncFormatter(_thousands))


def _thousands(value: float, _: int | None) -> str:
    return f"{value:,.0f}" if value >= 1 else f"{value:g}"


def _key(axes: Axes, policies: Sequence[str], look: Mapping[str, Look]) -> None:
    """Above the plot: marks of one row are too near to each other for labels."""
    for policy in policies:
        axes.plot(
            [],
            [],
            color=look[policy].colour,
            marker=look[policy].mark,
            linestyle="none",
            label=writable(policy),
        )
    axes.plot(
        [], [], color=INK, marker=">", markerfacecolor="none", linestyle="none", label="never"
    )
    axes.legend(
        loc="lower left",
        bbox_to_anchor=(0, 1.0),
        ncols=len(policies) + 1,
        frameon=False,
        handletextpad=0.1,
        columnspacing=1,
        fontsize=8.5,
        borderaxespad=0.2,
    )


def _ends(interval: Interval) -> tuple[tuple[float], tuple[float]] | None:
    if not isfinite(interval.low):
        return None
    return (interval.value - interval.low,), (interval.high - interval.value,)
