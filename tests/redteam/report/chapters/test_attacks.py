from dataclasses import replace

from extproc.redteam.attack import Family
from extproc.redteam.report.catalogue import Catalogue
from extproc.redteam.report.chapters import attacks
from extproc.redteam.report.document import Bullets, Page, Section
from extproc.redteam.report.model import gather
from extproc.redteam.report.verdicts import Verdicts
from tests.redteam.report import made_up


def section(page: Page, anchor: str) -> Section:
    return next(each for each in page.sections if each.anchor == anchor)


def test_controls_have_a_chapter_of_their_own(page: Page) -> None:
    titles = [part.title for part in section(page, "attacks").parts]
    assert titles[0] == "Copy a classifier"
    assert not any("no attack" in title.lower() for title in titles)


def test_what_leaked_is_told_by_name_and_only_where_something_did() -> None:
    oracles = replace(made_up.ATTACKS["knockoff"], name="oracles", family=Family.CHANNEL)
    long = "server, " * 100
    notes = [("none", 1.0, long), ("full", 1.0, long), ("coarse", 1.0, "via"), ("sealed", 0.0, "x")]
    rows = [
        made_up.row("leaking", value, attack="oracles", policy=policy, budget=0, note=note)
        for policy, value, note in notes
    ]
    model = gather(rows, made_up.RUN, Catalogue.of([oracles]))
    blocks = attacks.of_family(model, Verdicts((), ()), Family.CHANNEL)
    bullets = next(block for block in blocks if isinstance(block, Bullets))
    told = ["".join(span.text for span in line) for line in bullets.lines]
    assert told[0].startswith("digits under none, full, leaking: server, server")
    assert told[0].endswith("… (all of it: rows.jsonl)")
    assert len(told[0]) < 400
    assert told[1] == "digits under coarse, leaking: via"
    assert len(told) == 2
