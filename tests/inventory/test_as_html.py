"""One file that fetches nothing, runs nothing, and means what it says."""

from html.parser import HTMLParser
from pathlib import Path

import pytest

from extproc.inventory.as_html import render
from extproc.inventory.report import Inventory
from extproc.inventory.wording import plain
from tests.inventory.hostile import NAMES, SECRETS, hostile
from tests.inventory.policies import policy, surveyed

TAGS = {
    *("html", "head", "meta", "title", "style", "body", "header", "main", "footer", "article"),
    *("h1", "h2", "h3", "p", "span", "code", "a", "div", "dl", "dt", "dd"),
    *("table", "caption", "thead", "tbody", "tr", "th", "td"),
}
ATTRIBUTES = {
    *("lang", "charset", "name", "content", "http-equiv", "class", "id", "href", "scope"),
    *("colspan", "tabindex", "role", "aria-label", "aria-labelledby"),
}


class Reader(HTMLParser):
    """What a browser would see."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.attributes: list[tuple[str, str]] = []
        self.open: list[str] = []
        self.text = ""
        self.strays: list[str] = []
        self.feed(text)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.attributes += [(name, value or "") for name, value in attrs]
        if tag != "meta":
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        if self.open.pop() != tag:
            self.strays.append(tag)

    def handle_data(self, data: str) -> None:
        self.text += data

    def handle_comment(self, data: str) -> None:
        self.strays.append(data)

    def values(self, name: str) -> list[str]:
        return [value for known, value in self.attributes if known == name]


@pytest.fixture
def found(tmp_path: Path) -> Inventory:
    return hostile(tmp_path)


def test_ill_meant_names_are_text(found: Inventory) -> None:
    read = Reader(render(found))
    assert {*read.tags} <= TAGS
    assert {name for name, _ in read.attributes} <= ATTRIBUTES
    assert (read.open, read.strays) == ([], [])
    assert all(plain(name) in read.text for name in NAMES)
    assert not any(secret in render(found) for secret in SECRETS)


def test_nothing_is_fetched_or_run(found: Inventory) -> None:
    read = Reader(render(found))
    assert all(value.startswith("#s") for value in read.values("href"))
    assert "default-src 'none'" in "".join(read.values("content"))
    assert not {"script", "link", "img", "iframe", "object"} & {*read.tags}


def test_a_link_leads_to_each_surface(tmp_path: Path) -> None:
    read = Reader(render(surveyed(tmp_path, policy())))
    targets = {value.removeprefix("#") for value in read.values("href")}
    identities = read.values("id")
    assert len(identities) == len({*identities})
    assert targets == {each for each in identities if each.startswith("s")}
    assert {*read.values("aria-labelledby")} <= {*identities}


def test_tables_can_be_heard_and_scrolled(tmp_path: Path) -> None:
    read = Reader(render(surveyed(tmp_path, policy())))
    tables = read.tags.count("table")
    assert read.tags.count("caption") == read.tags.count("thead") == tables
    assert read.values("tabindex") == ["0"] * tables
    assert len(read.values("aria-label")) == tables
    assert {*read.values("scope")} == {"col", "row"}
    assert read.values("lang") == ["en"]


def test_what_is_found_is_said(tmp_path: Path) -> None:
    text = Reader(render(surveyed(tmp_path, policy()))).text
    assert "What policy.yaml exposes" in text
    assert "4 surfaces: 4 low" in text
    assert "no audit log" in text
    assert "Nothing was found." in text


def test_a_policy_of_nobody_exposes_nothing(tmp_path: Path) -> None:
    text = Reader(
        render(surveyed(tmp_path, policy(tenants={}, credentials={"k": {"kind": "api_key"}})))
    ).text
    assert "no surfaces" in text
