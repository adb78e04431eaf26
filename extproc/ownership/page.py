"""A report as a page that stands by itself: no script, nothing fetched, to be printed and filed.

Rule: all that is said is escaped, names of suspects above all; the same report gives the same page.
"""

from collections.abc import Iterable, Iterator, Sequence
from html import escape
from pathlib import Path
from typing import Final

from extproc.marks.stamps import CONTROLS
from extproc.ownership import wording
from extproc.ownership.judging import LEVEL, Judged
from extproc.ownership.report import Report

_STYLE: Final = Path(__file__).with_name("page.css")
_TONES: Final = {
    "carries the marks": "found",
    "no evidence": "none",
    "not enough marks to say": "unsure",
    "withheld": "unsure",
}
_WHAT: Final = (
    "A few of the answers that were given to each of those above were marked: of two classes that"
    " the model held for the likeliest, the second was served. Which inputs are marked a secret key"
    f" draws by lot, for each of them anew, and {CONTROLS} times as many inputs are drawn as"
    " controls, which are answered truly. A model that has learnt nothing from the marked answers"
    " cannot tell marks and controls apart, whatever it is and however it was made: it names the"
    " second class of both equally often. One that was trained on the answers repeats marks."
)
_CHANCE: Final = (
    "How likely marks are to agree so much more often by chance is worked out exactly, by Fisher's"
    f" test, and corrected for all who were looked at, after Holm. Below {wording.chance(LEVEL)}"
    " marks are said to be carried. What was committed to and is missing, and what was not"
    " answered, is counted as if it spoke for the suspect."
)
_NOT: Final = (
    "Who made the copy: how what was answered to somebody came to those who made it, whether it was"
    " bought, published or stolen in turn, the marks do not say.\n"
    "That a model is no copy, where nothing is found: marks can be removed, at some loss.\n"
    "When the marks were made, beyond the signed log: without an anchor that somebody else has held"
    " since before, its dates are its writer's own word.\n"
    "That the suspect was asked honestly: who doubts it asks the questions of the sheet anew."
).splitlines()


def page(report: Report) -> bytes:
    title = f"Whose marks the model at {report.suspect.name} carries"
    body = "\n".join(_body(report, title))
    text = _PAGE.format(title=escape(title), style=_STYLE.read_text("utf-8"), body=body)
    return text.encode()


def _body(report: Report, title: str) -> Iterator[str]:
    yield f"<h1>{escape(title)}</h1>"
    yield f'<p class="verdict {_tone(report)}">{escape(wording.verdict(report))}</p>'
    if silence := wording.silence(report):
        yield f"<p>{escape(silence)}</p>"
    yield "<h2>Who was told what it says</h2>"
    yield _table(_COLUMNS, (_row(each) for each in report.judged))
    yield "<h2>How that is known</h2>"
    yield f"<p>{_WHAT}</p>\n<p>{_CHANCE}</p>"
    if report.clean:
        yield "<h2>Models that are known to be independent</h2>"
        yield _table(("model", "carries the marks of", "answers"), _clean(report))
    yield "<h2>What it does not prove</h2>"
    yield f"<ul>{''.join(f'<li>{escape(each)}</li>' for each in _NOT)}</ul>"
    yield "<h2>What it rests on</h2>"
    yield _facts(_basis(report))


_COLUMNS: Final = (
    "answered to",
    "verdict",
    "marks that agree",
    "controls that agree",
    "difference (95 %)",
    "by chance",
    "corrected",
)


def _tone(report: Report) -> str:
    verdicts = {each.verdict for each in report.judged}
    first = next((each for each in _ORDER if each in verdicts), "not enough marks to say")
    return _TONES[first]


_ORDER: Final = ("carries the marks", "withheld", "no evidence")


def _row(each: Judged) -> list[str]:
    also = f" ({', '.join(each.tenants)})" if each.cohort else ""
    enough = (
        f", of {each.needed} that it takes" if each.verdict == "not enough marks to say" else ""
    )
    return [
        escape(each.name + also),
        f'<span class="{_TONES[each.verdict]}">{escape(each.verdict)}</span>',
        escape(wording.agreeing(each.marks) + enough),
        escape(wording.agreeing(each.controls)),
        escape(wording.effect(each)),
        escape(wording.chance(each.bits)),
        escape(wording.chance(each.corrected)),
    ]


def _clean(report: Report) -> Iterator[list[str]]:
    for each in report.clean:
        carries = "; ".join(each.carries) or "nobody"
        yield [escape(each.name), escape(carries), f"<code>{each.answers}</code>"]


def _basis(report: Report) -> Iterator[tuple[str, str]]:
    suspect, log, vault = report.suspect, report.log, report.vault
    yield "made", f"{report.made:%Y-%m-%d %H:%M:%S} UTC, by {report.program}"
    yield "questions", f"{suspect.questions}, of which {suspect.answered} were answered"
    yield "sheet (SHA-256)", suspect.sheet
    yield "answers (SHA-256)", suspect.answers
    yield "audit log", f"found whole, up to line {', '.join(log.heads)}"
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


def _facts(facts: Iterable[tuple[str, str]]) -> str:
    rows = (f'<tr><th scope="row">{name}</th><td>{escape(said)}</td></tr>' for name, said in facts)
    return f'<div class="table"><table class="facts">\n{_lines(rows)}\n</table></div>'


def _table(columns: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """Of cells that are HTML."""
    head = "".join(f'<th scope="col">{escape(name)}</th>' for name in columns)
    body = (f"<tr>{''.join(f'<td>{cell}</td>' for cell in row)}</tr>" for row in rows)
    return f'<div class="table"><table>\n<tr>{head}</tr>\n{_lines(body)}\n</table></div>'


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
