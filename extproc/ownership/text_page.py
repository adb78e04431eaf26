"""A report of texts as a page that stands by itself: see page.py."""

from collections.abc import Iterator
from html import escape
from typing import Final

from extproc.ownership import markup, text_wording, wording
from extproc.ownership.text_judging import LEVEL, TextJudged
from extproc.ownership.text_report import TextReport, Texts

_TONES: Final = {"carries the marks": "found", "no evidence": "none", "withheld": "unsure"}
_ORDER: Final = ("carries the marks", "withheld", "no evidence")
_COLUMNS: Final = ("marks", "verdict", "in the texts", "by chance", "corrected", "committed to")
_LIST: Final = (
    "A green list is one half of a vocabulary, as coins of a secret key fell, whose words a model"
    " was made to prefer for the answers of one tenant or cohort. Whoever wrote with another list,"
    " or with none, says as much of either half, beside what is usual: of all ways that the coins"
    " could have fallen, it is counted how many would have had the words that come more often than"
    " usual as much on the green side. Each word counts once, however often it is said. The key,"
    " the vocabulary and what is usual were committed to together, in the line that is named."
)
_CANARY: Final = (
    "A canary is a reference, one of 2^48, that stood behind some answers for one tenant or cohort,"
    " and that nobody else's model has any reason to write. How likely one is to stand there by"
    " chance is bounded by how many places the texts have."
)
_CHANCE: Final = (
    "Both are exact, and corrected for all that was looked for, after Holm. Below"
    f" {wording.chance(LEVEL)} marks are said to be carried. What was committed to and is missing"
    " counts as looked for in vain."
)
_NOT: Final = (
    "Who wrote the texts: a list can be learned from answers, and a reference be repeated. Of what"
    " a model says that was asked by somebody else it is evidence; of a text that was handed over"
    " it is a reason to look further.\n"
    "That the texts are all that there were: who chose among a suspect's texts, knowing the key,"
    " could choose those that fit. Who doubts it has the suspect asked anew by somebody who has no"
    " key.\n"
    "That nothing was copied, where nothing is found: a paraphrase has neither.\n"
    "When the marks were made, beyond the signed log: without an anchor that somebody else has held"
    " since before, its dates are its writer's own word."
).splitlines()


def page(report: TextReport) -> bytes:
    title = f"Whose marks stand in {', '.join(each.name for each in report.suspects)}"
    return markup.whole(title, _body(report, title))


def _body(report: TextReport, title: str) -> Iterator[str]:
    yield f"<h1>{escape(title)}</h1>"
    yield f'<p class="verdict {_tone(report)}">{escape(text_wording.verdict(report))}</p>'
    if silence := text_wording.silence(report):
        yield f"<p>{escape(silence)}</p>"
    yield "<h2>What was looked for</h2>"
    yield markup.table(_COLUMNS, map(_row, report.judged))
    yield "<h2>How that is known</h2>"
    yield f"<p>{_LIST}</p>\n<p>{_CANARY}</p>\n<p>{_CHANCE}</p>"
    if report.clean:
        yield "<h2>Texts that are known to be nobody's</h2>"
        yield markup.table(("texts", "carry", "SHA-256"), _clean(report))
    yield "<h2>What it does not prove</h2>"
    yield markup.items(_NOT)
    yield "<h2>What it rests on</h2>"
    yield markup.facts(_basis(report))


def _tone(report: TextReport) -> str:
    verdicts = {each.verdict for each in report.judged}
    return _TONES[next(each for each in _ORDER if each in verdicts)]


def _row(each: TextJudged) -> list[str]:
    also = f" ({', '.join(each.tenants)})" if each.whose.startswith("cohort") else ""
    return [
        escape(each.name + also),
        f'<span class="{_TONES[each.verdict]}">{escape(each.verdict)}</span>',
        escape(text_wording.shown(each)),
        escape(wording.chance(each.bits)),
        escape(wording.chance(each.corrected)),
        escape(text_wording.committed(each)),
    ]


def _clean(report: TextReport) -> Iterator[list[str]]:
    for each in report.clean:
        carry = "; ".join(each.carries) or "nothing"
        yield [escape(each.texts.name), escape(carry), f"<code>{each.texts.digest}</code>"]


def _basis(report: TextReport) -> Iterator[tuple[str, str]]:
    yield "made", f"{report.made:%Y-%m-%d %H:%M:%S} UTC, by {report.program}"
    for each in report.suspects:
        yield "texts", _size(each)
        yield "their SHA-256", each.digest
    yield from markup.basis(report.log, report.vault)


def _size(each: Texts) -> str:
    return f"{each.name}: {each.texts}, of {each.characters} characters"
