import msgspec
from msgspec.structs import replace

from extproc.redteam.goals import Goal, Goals
from extproc.redteam.report import as_json
from extproc.redteam.report.chapters.ownership import section
from extproc.redteam.report.document import Table, Tone
from extproc.redteam.report.verdicts import Verdict, Verdicts, decide
from tests.redteam.report.test_whose import ROWS, model, rows

NONE = Verdicts((), ())
TOLD = Goal(
    id="told",
    claim="Told.",
    attack="laundering",
    victim="digits",
    policy="coarse",
    measure="marks.bits",
    strategy="forest, as stolen",
    at_most=-64,
)
NOBODY = replace(
    TOLD, id="nobody", claim="Nobody.", measure="marks.accused", strategy=None, at_most=0
)


def test_each_copy_has_its_line_and_what_is_wrong_is_seen() -> None:
    found = section(model(ROWS), NONE)
    assert found is not None
    table = found.blocks[1]
    assert isinstance(table, Table)
    lines = [["".join(s.text for s in e.text) for e in r.entries] for r in table.records]
    assert lines[0][2:7:4] == ["forest", "1 of 1"]
    assert lines[2][3:] == ["pruned, 30%", "0.800", lines[2][5], "1 of 2", "-2", "0"]
    assert lines[2][5].startswith("-40 ± ")
    assert lines[3][-2:] == ["-40", "1"]
    tones = [record.entries[6].text[0].tone for record in table.records]
    assert tones == [Tone.GOOD, Tone.GOOD, Tone.UNSURE, Tone.GOOD]
    anchors = [entry.anchor for record in table.records for entry in record.entries if entry.anchor]
    wanted = ["marks.bits", "marks.found", "marks.others", "marks.accused"]
    assert anchors == [f"laundering-digits-coarse-{measure}-9" for measure in wanted]


def test_where_nobody_looked_there_is_no_chapter() -> None:
    assert section(model([]), NONE) is None


def test_programs_get_it_too() -> None:
    told = msgspec.json.decode(as_json.render(model(ROWS), NONE))["ownership"]
    assert [(each["done"], each["named"], each["seeds"]) for each in told[:3]] == [
        ("as stolen", 1, 1),
        ("rounded", 1, 1),
        ("pruned, 30%", 1, 2),
    ]
    assert told[2]["bits"]["value"] == -40
    assert (told[3]["marked"], told[3]["accused"], told[3]["others"]) == (False, 1, -40)


def test_a_copy_that_is_not_told_and_a_bystander_who_is_named_break_the_goals() -> None:
    goals = Goals(goals=(TOLD, NOBODY))
    held = [
        row
        for seed in (1, 2)
        for row in rows("forest, as stolen", seed, bits=-80 - seed, found=1, others=0, accused=0)
    ]
    judged = decide(goals, model(held)).judged
    assert [each.verdict for each in judged] == [Verdict.HELD, Verdict.HELD]
    wrong = [
        row
        for seed in (1, 2)
        for row in rows("forest, as stolen", seed, bits=-1 - seed, found=0, others=-80, accused=1)
    ]
    judged = decide(goals, model(wrong)).judged
    assert [each.verdict for each in judged] == [Verdict.NOT_HELD, Verdict.NOT_HELD]
