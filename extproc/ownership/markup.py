"""What pages of reports are made of: one that stands by itself, tables, and what a report rests on.

Rule: no script, nothing fetched; whoever puts text into it has escaped it.
"""

from collections.abc import Iterable, Iterator, Sequence
from html import escape
from pathlib import Path
from typing import Final

from extproc.ownership.report import Log, Vault

_STYLE: Final = Path(__file__).with_name("page.css")


def whole(title: str, body: Iterable[str]) -> bytes:
    """``title``: as it is, not escaped yet."""
    style = _STYLE.read_text("utf-8")
    return _PAGE.format(title=escape(title), style=style, body=_lines(body)).encode()


def table(columns: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """Of cells that are HTML."""
    head = "".join(f'<th scope="col">{escape(name)}</th>' for name in columns)
    body = (f"<tr>{''.join(f'<td>{cell}</td>' for cell in row)}</tr>" for row in rows)
    return f'<div class="table"><table>\n<tr>{head}</tr>\n{_lines(body)}\n</table></div>'


def items(said: Iterable[str]) -> str:
    """A list of sentences."""
    return f"<ul>{''.join(f'<li>{escape(each)}</li>' for each in said)}</ul>"


def facts(said: Iterable[tuple[str, str]]) -> str:
    """A table of what is named."""
    rows = (f'<tr><th scope="row">{name}</th><td>{escape(fact)}</td></tr>' for name, fact in said)
    return f'<div class="table"><table class="facts">\n{_lines(rows)}\n</table></div>'


def basis(log: Log, vault: Vault) -> Iterator[tuple[str, str]]:
    """What a report rests on, for ``facts``."""
    for first, head in zip(log.first, log.heads, strict=True):
        yield "audit log", f"found whole, from line {first} up to line {head}"
    yield "may be signed by", ", ".join(log.keys)
    yield "anchor", ", ".join(log.anchors) or "none: the dates are the accuser's word"
    if log.before is not None:
        yield "signed before", f"{log.before:%Y-%m-%d %H:%M:%S} UTC"
    late = f"{log.late} came too late, and {log.unsigned} are not signed yet"
    yield "commitments", f"{log.commitments} count; {late}"
    odd = f"{vault.uncommitted} are not committed to, {vault.contradicting} contradict the log"
    undrawn = "was not looked at" if vault.undrawn is None else f"{vault.undrawn} were not drawn so"
    yield "drawn by the secret", undrawn
    yield "entries of the vault", f"{vault.entries}; {odd}, {vault.unopened} did not open"


def _lines(rows: Iterable[str]) -> str:
    return "\n".join(rows)


_PAGE: Final = """\
<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'">
<title>{title}</title>
<style>
{style}</style>
</head>
<body>
{body}
</body>
</html>
"""
