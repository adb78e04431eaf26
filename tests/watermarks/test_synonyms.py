"""WordNet's files are read as wndb(5WN) says; two words' worth of them are written here."""

from collections.abc import Sequence
from pathlib import Path

import pytest

from tests.watermarks import synonyms
from tests.watermarks.translation import Absent

_HEAD = "  1 This is a licence, whose lines begin with two spaces.\n"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """``bank``: a slope by its first noun, an institution by its second, which comes most."""
    for part in ("noun", "verb", "adj", "adv"):
        (tmp_path / f"data.{part}").write_text(_HEAD)
        (tmp_path / f"index.{part}").write_text(_HEAD)
    slope = _synset(tmp_path, "noun", ("bank", "slope"))
    house = _synset(tmp_path, "noun", ("bank", "banking_house", "Midas", "depository"))
    lean = _synset(tmp_path, "verb", ("bank", "lean"))
    quick = _synset(tmp_path, "adj", ("fast", "quick(p)"))
    short = _synset(tmp_path, "noun", ("inch", "in"))
    _index(tmp_path, "noun", "bank n 2 3 @ ~ + 2 2", (slope, house))
    _index(tmp_path, "noun", "in n 1 1 @ 1 1", (short,))
    _index(tmp_path, "verb", "bank v 1 0 1 1", (lean,))
    _index(tmp_path, "adj", "fast a 1 1 & 1 1", (quick,))
    counts = ("bank%1:17:01:: 1 5", "bank%1:14:00:: 2 20", "bank%2:40:00:: 1 7",
              "fast%5:00:00:quick:00 1 3", "in%1:23:00:: 1 3", "gone%3:00:00:: 9 4")  # fmt: skip
    (tmp_path / "cntlist.rev").write_text("\n".join(counts))
    return tmp_path


def _synset(folder: Path, part: str, words: Sequence[str]) -> int:
    path = folder / f"data.{part}"
    at = path.stat().st_size
    written = " ".join(f"{word} 0" for word in words)
    line = f"{at:08} 14 {part[0]} {len(words):02x} {written} 000 | a gloss\n"
    path.write_text(path.read_text() + line)
    return at


def _index(folder: Path, part: str, line: str, places: Sequence[int]) -> None:
    path = folder / f"index.{part}"
    path.write_text(f"{path.read_text()}{line} {' '.join(f'{at:08}' for at in places)}  \n")


def test_a_word_has_the_synonyms_of_its_most_frequent_sense(folder: Path) -> None:
    """Planted: the first sense instead of the most frequent one makes a bank a slope."""
    assert synonyms.read(folder) == {"bank": ["banking house", "depository"], "fast": ["quick"]}


def test_a_count_of_a_sense_that_is_there_no_more_is_passed_over(folder: Path) -> None:
    (folder / "cntlist.rev").write_text("bank%1:14:00:: 3 20\nfast%5:00:00:quick:00 1 3")
    assert synonyms.read(folder) == {"fast": ["quick"]}


def test_without_wordnet_it_says_what_to_install(tmp_path: Path) -> None:
    with pytest.raises(Absent, match="wordnet-base"):
        synonyms.read(tmp_path)


def test_words_with_a_synonym_are_replaced_as_often_as_asked() -> None:
    known = {"fast": ["quick"]}
    text = "Fast or fast; breakfast is slow. " * 500
    assert synonyms.replaced([text], known, 0.0, 1) == [text]
    [every] = synonyms.replaced([text], known, 1.0, 1)
    assert every == "Quick or quick; breakfast is slow. " * 500
    [some] = synonyms.replaced([text], known, 0.3, 1)
    assert 0.25 < some.casefold().count("quick") / 1000 < 0.35
