"""The documents: what they link to is there, and stands where they say."""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent.parent
PLACES = ("*.md", "docs/*.md", "docs/deploy/*.md", "envoy/*.md")
DOCUMENTS = sorted(path for place in PLACES for path in ROOT.glob(place))
LINK = re.compile(r"\[(?P<text>[^\]]+)\]\((?P<target>[^)#\s]+)(?:#L(?P<line>\d+))?\)")


def broken_links(document: Path, text: str) -> list[str]:
    """Links to files that are not there, or to a line that does not define what it is called."""
    broken = []
    for link in LINK.finditer(text):
        target = link["target"]
        if "://" in target or target.startswith("mailto:"):
            continue
        file = (document.parent / target).resolve()
        if not file.exists():
            broken.append(f"{link[0]}: no such file")
        elif link["line"] and not _defines(file, int(link["line"]), link["text"].strip("`")):
            broken.append(f"{link[0]}: line {link['line']} does not define it")
    return broken


def _defines(file: Path, line: int, name: str) -> bool:
    lines = file.read_text().splitlines()
    return line <= len(lines) and bool(re.search(rf"\b(def|class) {name}\b", lines[line - 1]))


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: path.name)
def test_links_lead_somewhere(document: Path) -> None:
    assert broken_links(document, document.read_text()) == []


def test_the_walk_names_a_line_for_every_function() -> None:
    walk = (ROOT / "docs" / "walk.md").read_text()
    links = [link for link in LINK.finditer(walk) if link["text"].startswith("`")]
    assert len(links) > 30
    assert [link[0] for link in links if not link["line"]] == []


def test_a_broken_link_would_be_found() -> None:
    document = ROOT / "docs" / "walk.md"
    assert broken_links(document, "[x](nowhere.md)") != []
    assert broken_links(document, "[`admit`](../extproc/admission.py#L1)") != []
