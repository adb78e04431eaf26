"""The report as Markdown, as GitHub renders it.

Rule: what came from rows is escaped so that it is nothing but text; anchors are of HTML, since
headings' own depend on who renders.
"""

import re
from collections.abc import Iterator
from typing import Final

from extproc.redteam.report.document import (
    Block,
    Bullets,
    Entry,
    Figure,
    Line,
    Page,
    Paragraph,
    Record,
    Section,
    Span,
    Table,
    Tone,
)
from extproc.redteam.report.drawing import writable

_SPECIAL: Final = re.compile(r"[\\`*_\[\]|~$]")
_OPENS: Final = re.compile(r"^(\d+)?([#+=.)-])")
"""What would open a heading, a list or a rule at the start of a line."""
_LINKS: Final = re.compile(r":(?=//)|(?<=www)\.|@", re.IGNORECASE)
"""What makes an address of text that is none of ours."""


def render(page: Page, plots: str = "") -> str:
    """``plots`` is the folder that has the SVG files, relative to this one; none: no plots."""
    parts = [f"# {escaped(page.title)}", *map(_line, page.lead)]
    parts.append("\n".join(f"- [{escaped(s.title)}](#{s.anchor})" for s in page.sections))
    for section in page.sections:
        parts += _section(section, "##", plots)
        for part in section.parts:
            parts += _section(part, "###", plots)
    return "\n\n".join(parts) + "\n"


def escaped(text: str) -> str:
    """Text that stays what it is wherever in Markdown it stands, on one line."""
    flat = " ".join(writable(text).split())
    plain = flat.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    opened = _OPENS.sub(r"\1\\\2", _SPECIAL.sub(r"\\\g<0>", plain))
    return _LINKS.sub(lambda match: f"&#{ord(match[0])};", opened)


def _section(section: Section, level: str, plots: str) -> Iterator[str]:
    yield f"{_anchor(section.anchor)}\n\n{level} {escaped(section.title)}"
    for block in section.blocks:
        if text := _block(block, plots):
            yield text


def _block(block: Block, plots: str) -> str:
    match block:
        case Paragraph():
            return _line(block.text)
        case Bullets():
            return "\n".join(f"- {_line(each)}" for each in block.lines)
        case Table():
            return _table(block)
        case Figure():
            if not plots:
                return ""
            return f"![{escaped(block.alt)}]({plots}/{block.name}.svg)\n\n{escaped(block.caption)}"


def _table(table: Table) -> str:
    numbers = table.records[0].entries if table.records else ()
    rules = ["--:" if entry.number else "---" for entry in numbers]
    lines = [
        _cells([escaped(column) for column in table.columns]),
        _cells(rules or ["---" for _ in table.columns]),
        *(_record(record) for record in table.records),
    ]
    text = "\n".join(lines)
    anchor = f"{_anchor(table.anchor)}\n\n" if table.anchor else ""
    caption = f"\n\n{escaped(table.caption)}" if table.caption else ""
    return f"{anchor}{text}{caption}"


def _record(record: Record) -> str:
    first, *others = [_entry(entry) for entry in record.entries]
    anchor = _anchor(record.anchor) if record.anchor else ""
    return _cells([f"{anchor}{first}", *others])


def _entry(entry: Entry) -> str:
    return f"{_anchor(entry.anchor) if entry.anchor else ''}{_line(entry.text)}"


def _cells(cells: list[str]) -> str:
    return f"| {' | '.join(cells)} |"


def _line(line: Line) -> str:
    return "".join(map(_span, line))


def _span(span: Span) -> str:
    if not span.text.strip():
        return span.text
    outer = span.text[: len(span.text) - len(span.text.lstrip())]
    text = escaped(span.text)
    if span.link:
        text = f"[{text}]({span.link})"
    match span.tone:
        case Tone.STRONG | Tone.GOOD | Tone.BAD | Tone.UNSURE:
            text = f"**{text}**"
        case Tone.CODE if not span.link:
            text = f"<code>{text}</code>"
        case Tone.PLAIN | Tone.FAINT | Tone.CODE:
            pass
    after = " " if span.text.endswith(" ") else ""
    return f"{outer}{text}{after}"


def _anchor(name: str) -> str:
    return f'<a id="{name}"></a>'
