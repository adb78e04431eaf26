import re
from collections import Counter
from html.parser import HTMLParser
from pathlib import Path

import pytest
from msgspec.structs import replace

from extproc.redteam.goals import Goals
from extproc.redteam.report.as_html import render
from extproc.redteam.report.document import Page
from extproc.redteam.report.report import report
from tests.redteam.report.conftest import GOALS
from tests.redteam.report.made_up import ATTACKS, RUN, row

HOSTILE = "<script>alert(1)</script>|[x](https://evil.example)$\\frac{\"'&`\x00"


class _Links(HTMLParser):
    def __init__(self, text: str) -> None:
        super().__init__()
        self.ids: Counter[str] = Counter()
        self.targets: set[str] = set()
        self.tags: set[str] = set()
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        for name, value in attrs:
            if name == "id":
                self.ids[value or ""] += 1
            if name in {"href", "xlink:href", "src"}:
                self.targets.add(value or "")


def check(text: str) -> None:
    links = _Links(text)
    assert [name for name, count in links.ids.items() if count > 1] == []
    own = {target[1:] for target in links.targets if target.startswith("#")}
    assert own - links.ids.keys() == set()
    assert {t for t in links.targets if not t.startswith("#")} <= {"report.html"}
    assert links.tags.isdisjoint({"script", "img", "iframe", "object", "link", "form"})
    assert set(re.findall(r"url\((?!#)", text)) == set()


def test_the_pages_stand_alone_and_every_link_leads_somewhere(page: Page, second: Page) -> None:
    check(render(page))
    check(render(second))


def test_verdicts_come_first_and_what_is_not_stopped_next(page: Page) -> None:
    assert [section.anchor for section in page.sections] == [
        "claims",
        "not-stopped",
        "copies",
        "prices",
        "noticed",
        "harm",
        "attacks",
        "about",
    ]


def test_the_same_rows_give_the_same_bytes_and_hostile_names_stay_text(tmp_path: Path) -> None:
    rows = [
        row(value=0.5 + seed / 100, seed=seed, policy=policy, attack=attack, strategy=HOSTILE)
        for seed in (1, 2)
        for policy in ("none", HOSTILE)
        for attack in ("knockoff", HOSTILE)
    ]
    run = replace(RUN, policies=("none", HOSTILE), broken=(HOSTILE,))
    for name in ("one", "two"):
        report(rows, run, Goals(), tmp_path / name, ATTACKS)
    files = sorted(p.relative_to(tmp_path / "one") for p in (tmp_path / "one").rglob("*.*"))
    assert {"report.html", "report.md", "report.json", "standards.html", "standards.md"} <= {
        str(path) for path in files
    }
    for path in files:
        assert (tmp_path / "one" / path).read_bytes() == (tmp_path / "two" / path).read_bytes()
    text = (tmp_path / "one" / "report.html").read_text(encoding="utf-8")
    check(text)
    markdown = (tmp_path / "one" / "report.md").read_text(encoding="utf-8")
    assert "<script" not in markdown
    assert "https://evil" not in markdown


def test_every_claim_has_its_anchor_in_both(page: Page, tmp_path: Path) -> None:
    report([], RUN, GOALS, tmp_path, ATTACKS)
    for goal in GOALS.goals:
        for name in ("report.html", "report.md"):
            assert f'id="claim-{goal.id}"' in (tmp_path / name).read_text(encoding="utf-8")


def test_a_directory_that_cannot_be_made_is_told(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(OSError, match="file"):
        report([], RUN, Goals(), tmp_path / "file", ATTACKS)
