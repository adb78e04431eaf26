"""Whose copies are: what owners find of their marks in them, whatever was done to them."""

from extproc.redteam.attack import Family
from extproc.redteam.owner.found import ACCUSED, BITS, NAMED, OTHERS
from extproc.redteam.report.chapters.attacks import TREATMENT, of_family
from extproc.redteam.report.document import (
    Entry,
    Paragraph,
    Record,
    Section,
    Span,
    Table,
    Tone,
    line,
)
from extproc.redteam.report.model import Model
from extproc.redteam.report.numerals import number, share, spread
from extproc.redteam.report.verdicts import Verdicts
from extproc.redteam.report.whose import Whose, whose

_TOLD = {*TREATMENT, BITS, NAMED, OTHERS, ACCUSED}
"""Measures that are not told once more."""
_ABOUT = (
    "A thief copies a model of which answers are marked, and does to the copy what may rid it of "
    "marks. Then its owner looks at it: a classifier's is judged as extproc ownership verify "
    "judges, by the signed log and the sealed vault that the gateway wrote; an embedding model's "
    "by what is moved in it for each tenant's key. A bystander asked as well, or has a key, and is "
    "not to be named; nor is anybody by a copy that was taught by unmarked answers. Some of what "
    "is tried no thief can do, such as tuning by unmarked answers."
)
_COPIES = (
    "By chance: the binary logarithm of the p-value, corrected for all who asked in the trial: "
    "-64 is one in 18 million million million, 0 is nothing. Worth: agreement with the model on "
    "its own inputs, of vectors the cosine; means over seeds. The bystander: his least value of "
    "all seeds."
)


def section(model: Model, verdicts: Verdicts) -> Section | None:
    """None where nobody looked for marks."""
    found = whose(model)
    if not found:
        return None
    first = {each.key: each for each in reversed(found)}
    table = Table(
        (
            *("Victim", "Policy", "Copy", "What was done to it"),
            *("Worth", "By chance", "Named", "The bystander", "Others named"),
        ),
        tuple(_record(each, anchored=first[each.key] is each) for each in found),
        _COPIES,
    )
    others = of_family(model, verdicts, Family.OWNERSHIP, _TOLD.__contains__)
    return Section("ownership", "Whose copy it is", (Paragraph(line(_ABOUT)), table, *others))


def _record(each: Whose, *, anchored: bool) -> Record:
    """``anchored``: whether it is where measures of its attack are looked for."""

    def place(measure: str) -> str:
        return each.key._replace(measure=measure).anchor if anchored else ""

    worth = share(each.worth.interval.value) if each.worth else "–"
    accused = Span(number(each.accused), Tone.BAD if each.accused else Tone.PLAIN)
    return Record(
        (
            Entry(line(each.key.victim)),
            Entry(line(each.key.policy)),
            Entry(line(each.surrogate)),
            Entry(line(each.way)),
            Entry(line(worth), number=True),
            Entry(line(spread(each.bits.interval)), place(BITS), number=True),
            Entry(line(_named(each)), place(NAMED)),
            Entry(line(number(each.others)), place(OTHERS), number=True),
            Entry(line(accused), place(ACCUSED), number=True),
        )
    )


def _named(each: Whose) -> Span:
    """Right is to name the thief of what was marked, and nobody of what was not."""
    seeds = len(each.bits.rows)
    right = each.named == (seeds if each.marked else 0)
    wrong = Tone.BAD if not each.marked or each.named == 0 else Tone.UNSURE
    return Span(f"{each.named} of {seeds}", Tone.GOOD if right else wrong)
