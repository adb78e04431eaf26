"""A report as a page that stands by itself: no script, nothing fetched, to be printed and filed.

Rule: all that is said is escaped, names of suspects above all; the same report gives the same page.
"""

from collections.abc import Iterator
from html import escape
from typing import Final

from extproc.marks.stamps import CONTROLS
from extproc.ownership import markup, wording
from extproc.ownership.judging import LEVEL, Judged, JudgedEmbeddings, Whose
from extproc.ownership.report import Report

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
_MOVED: Final = (
    "A few components of each embedding that was given to each of those above were moved, up or"
    " down, as a secret key says for the region of the space in which the embedding lies. Of a"
    " share of the texts the model's own embedding and the key were committed to. The model's own"
    " embeddings are laid over the suspect's, by the nearest rotation and by the linear map that"
    " fits best; what is left of the suspect's is held against the moves. A model that was trained"
    " on the answers was trained on the moves."
)
_COINS: Final = (
    "Each move is a coin that the key has thrown, up as likely as down. To a model that has learnt"
    " nothing from the answers all else is fixed, whatever it is and however it was made; how often"
    " coins agree with it as well by chance has a bound that is proven (Bentkus and Dzindzalieta,"
    f" 2015), and that is corrected for all who were looked at, after Holm. Below"
    f" {wording.chance(LEVEL)} marks are said to be carried. What is missing is counted as if it"
    " had been left out by choice, by whoever accuses."
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
    return markup.whole(title, _body(report, title))


def _body(report: Report, title: str) -> Iterator[str]:
    yield f"<h1>{escape(title)}</h1>"
    yield f'<p class="verdict {_tone(report)}">{escape(wording.verdict(report))}</p>'
    if silence := wording.silence(report):
        yield f"<p>{escape(silence)}</p>"
    yield "<h2>Who was told what it says</h2>"
    if report.judged:
        yield markup.table(_COLUMNS, (_row(each) for each in report.judged))
    if report.embeddings:
        yield markup.table(_OF_EMBEDDINGS, (_row_of_embeddings(each) for each in report.embeddings))
    yield "<h2>How that is known</h2>"
    if report.judged:
        yield f"<p>{_WHAT}</p>\n<p>{_CHANCE}</p>"
    if report.embeddings:
        yield f"<p>{_MOVED}</p>\n<p>{_COINS}</p>"
    if report.clean:
        yield "<h2>Models that are known to be independent</h2>"
        yield markup.table(("model", "carries the marks of", "answers"), _clean(report))
    yield "<h2>What it does not prove</h2>"
    yield markup.items(_NOT)
    yield "<h2>What it rests on</h2>"
    yield markup.facts(_basis(report))


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
    verdicts = {each.verdict for each in report.every}
    first = next((each for each in _ORDER if each in verdicts), "not enough marks to say")
    return _TONES[first]


_ORDER: Final = ("carries the marks", "withheld", "no evidence")


_OF_EMBEDDINGS: Final = (
    "answered to",
    "verdict",
    "texts that were answered",
    "of the moves' strength (95 %)",
    "by chance",
    "corrected",
)


def _row_of_embeddings(each: JudgedEmbeddings) -> list[str]:
    others = f", and {each.texts.others} of other lengths" if each.texts.others else ""
    return [
        escape(_name(each)),
        _verdict(each),
        escape(wording.answered(each) + others),
        escape(wording.kept(each)),
        escape(wording.chance(each.bits)),
        escape(wording.chance(each.corrected)),
    ]


def _name(each: Whose) -> str:
    return each.name + (f" ({', '.join(each.tenants)})" if each.cohort else "")


def _verdict(each: Whose) -> str:
    return f'<span class="{_TONES[each.verdict]}">{escape(each.verdict)}</span>'


def _row(each: Judged) -> list[str]:
    enough = (
        f", of {each.needed} that it takes" if each.verdict == "not enough marks to say" else ""
    )
    return [
        escape(_name(each)),
        _verdict(each),
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
    suspect = report.suspect
    yield "made", f"{report.made:%Y-%m-%d %H:%M:%S} UTC, by {report.program}"
    yield "questions", f"{suspect.questions}, of which {suspect.answered} were answered"
    yield "sheet (SHA-256)", suspect.sheet
    yield "answers (SHA-256)", suspect.answers
    yield from markup.basis(report.log, report.vault)
