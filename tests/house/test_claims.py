"""README.md: what it claims is what the red team measured, and each claim has its row."""

import json
import re
from pathlib import Path

from docs import claims
from extproc.redteam.goals import DETECTION, OWNERSHIP, PRIVATE, SHIPPED, load

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "README.md").read_text(encoding="utf-8")
REPORT = (ROOT / "docs" / "redteam" / "report.md").read_text(encoding="utf-8")
GUIDE = (ROOT / "docs" / "redteam.md").read_text(encoding="utf-8")
WATCHED = ROOT / "docs" / "redteam" / "detection"
MARKED = ROOT / "docs" / "redteam" / "ownership"
OWNERS = (ROOT / "docs" / "ownership.md").read_text(encoding="utf-8")
MEASURED = json.loads((ROOT / "docs" / "redteam" / "report.json").read_text(encoding="utf-8"))
LINK = re.compile(r"redteam/report\.md#([\w.-]+)\)")


def test_the_readme_says_what_was_measured() -> None:
    assert claims.filled_page(PAGE, MEASURED) == PAGE, "write it anew: python docs/claims.py"


def test_every_goal_is_claimed_and_every_claim_has_its_row() -> None:
    goals = load(SHIPPED)
    wanted = {f"claim-{goal.id}" for goal in goals.goals}
    wanted |= {f"open-{entry.id}" for entry in goals.not_stopped}
    assert {entry["id"] for entry in MEASURED["claims"]} == {goal.id for goal in goals.goals}
    assert wanted <= set(LINK.findall(PAGE))


def test_every_link_into_the_report_has_a_place_there() -> None:
    pages = [ROOT / "README.md", *(ROOT / "docs").glob("*.md")]
    linked = {anchor for page in pages for anchor in LINK.findall(page.read_text(encoding="utf-8"))}
    assert [anchor for anchor in sorted(linked) if f'id="{anchor}"' not in REPORT] == []


def test_the_guide_says_what_was_measured_of_detection_and_each_claim_has_its_place() -> None:
    measured = json.loads((WATCHED / "report.json").read_text(encoding="utf-8"))
    report = (WATCHED / "report.md").read_text(encoding="utf-8")
    assert claims.filled_page(GUIDE, measured, claims.WATCHED) == GUIDE, "python docs/claims.py"
    goals = load(DETECTION)
    assert [entry["claim"] for entry in measured["claims"]] == [goal.claim for goal in goals.goals]
    linked = re.findall(r"redteam/detection/report\.md#([\w.-]+)\)", GUIDE)
    assert {f"claim-{goal.id}" for goal in goals.goals} <= set(linked)
    assert {f"open-{entry.id}" for entry in goals.not_stopped} <= set(linked)
    assert [anchor for anchor in linked if f'id="{anchor}"' not in report] == []


def test_the_page_of_privacy_says_what_was_measured_of_private_answers() -> None:
    page = claims.PRIVACY.read_text(encoding="utf-8")
    measured = json.loads(claims.PRIVATE.read_text(encoding="utf-8"))
    assert claims.filled_page(page, measured, claims.ANSWERED) == page, "python docs/claims.py"
    goals = load(PRIVATE)
    assert [entry["claim"] for entry in measured["claims"]] == [goal.claim for goal in goals.goals]
    report = claims.PRIVATE.with_suffix(".md").read_text(encoding="utf-8")
    linked = re.findall(r"redteam/private/report\.md#([\w.-]+)\)", page)
    assert {f"claim-{goal.id}" for goal in goals.goals} <= set(linked)
    assert {f"open-{entry.id}" for entry in goals.not_stopped} <= set(linked)
    assert [anchor for anchor in linked if f'id="{anchor}"' not in report] == []


def test_whose_copies_are_told_is_what_was_measured_and_all_of_it_was_claimed() -> None:
    measured = json.loads((MARKED / "report.json").read_text(encoding="utf-8"))
    report = (MARKED / "report.md").read_text(encoding="utf-8")
    assert claims.filled_page(OWNERS, measured, claims.MARKED) == OWNERS, "python docs/claims.py"
    goals = load(OWNERSHIP)
    assert [entry["claim"] for entry in measured["claims"]] == [goal.claim for goal in goals.goals]
    assert {entry["verdict"] for entry in measured["claims"]} == {"held"}
    linked = re.findall(r"redteam/ownership/report\.md#([\w.-]+)\)", OWNERS)
    assert {f"open-{entry.id}" for entry in goals.not_stopped} <= set(linked)
    assert [anchor for anchor in linked if f'id="{anchor}"' not in report] == []
