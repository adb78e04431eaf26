"""The result as tables for a terminal, as Markdown and as JSON."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final

import orjson

from tests.bench.figures import Figure, Spread, Table

_COLUMNS: Final = ("what", "without", "with", "ratio", "goal", "met")
_BEGIN, _END = "<!-- bench -->", "<!-- /bench -->"
_SPREAD: Final = "Medians; in brackets the least and the most of the rounds."


def text(tables: Sequence[Table], facts: Mapping[str, Any]) -> str:
    """Columns line up over all tables."""
    rows = [_cells(figure) for table in tables for figure in table.figures]
    widths = [max(map(len, column)) for column in zip(_COLUMNS, *rows, strict=True)]

    def aligned(cells: Sequence[str]) -> str:
        return "  ".join(map(str.ljust, cells, widths)).rstrip()

    lines = []
    for table in tables:
        lines += [table.title, *([f"(without: {table.without})"] if table.without else [])]
        lines += [aligned(_COLUMNS), *(aligned(_cells(figure)) for figure in table.figures), ""]
    return "\n".join([*lines, _SPREAD, _machine(facts)])


def markdown(tables: Sequence[Table], facts: Mapping[str, Any]) -> str:
    lines = [_machine(facts), "", _SPREAD]
    for table in tables:
        lines += ["", f"### {table.title}", ""]
        if table.without:
            lines += [f"Without: {table.without}.", ""]
        lines += [_line(_COLUMNS), _line(["---"] * len(_COLUMNS))]
        lines += [_line(_cells(figure)) for figure in table.figures]
    return "\n".join(lines)


def paste(text: str, page: Path) -> None:
    """Replace what stands between the markers of a page."""
    before, begin, rest = page.read_text(encoding="utf-8").partition(_BEGIN)
    _, end, after = rest.partition(_END)
    if not begin or not end:
        raise ValueError(f"{page} has no {_BEGIN} ... {_END}")
    page.write_text(f"{before}{begin}\n{text}\n{end}{after}", encoding="utf-8")


def to_json(tables: Sequence[Table], facts: Mapping[str, Any]) -> bytes:
    found = [
        {
            "table": table.title,
            "without_is": table.without,
            "what": figure.what,
            "unit": figure.unit,
            "with": figure.ours,
            "without": figure.without,
            "ratio": figure.ratio,
            "goal": figure.goal,
            "met": figure.met,
        }
        for table in tables
        for figure in table.figures
    ]
    return orjson.dumps({"machine": facts, "figures": found}, option=orjson.OPT_INDENT_2)


def _machine(facts: Mapping[str, Any]) -> str:
    return "; ".join(f"{name.replace('_', ' ')} {value}" for name, value in facts.items())


def _cells(figure: Figure) -> tuple[str, ...]:
    return (
        figure.what,
        "" if figure.without is None else _spread(figure.without, figure.unit),
        _spread(figure.ours, figure.unit),
        "" if figure.ratio is None else f"{_number(figure.ratio)} x",
        "" if figure.goal is None else f"at most {_number(figure.goal)} {figure.unit}",
        "" if figure.met is None else ("yes" if figure.met else "NO"),
    )


def _spread(spread: Spread, unit: str) -> str:
    text = f"{_number(spread.median)} {unit}"
    if spread.low == spread.high:
        return text
    return f"{text} ({_number(spread.low)} to {_number(spread.high)})"


def _number(value: float) -> str:
    """Three digits that mean something."""
    size = abs(value)
    if size >= 100 or value == int(value):
        return f"{value:,.0f}"
    return f"{value:.1f}" if size >= 10 else f"{value:.2f}"


def _line(cells: Sequence[str]) -> str:
    return f"| {' | '.join(cells)} |"
