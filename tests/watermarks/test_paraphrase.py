"""What of the measurement of paraphrases needs no translator."""

import sys

import pytest

from tests.watermarks import paraphrase
from tests.watermarks.translation import Absent, by_paragraphs, check


def test_paragraphs_are_translated_all_together_and_put_back() -> None:
    seen = []

    def translate(whole: str) -> str:
        seen.append(whole)
        return f"\n{whole.upper()}\n"

    texts = ["one\ntwo\n\n(three)", "", "four  five\n \n"]
    assert by_paragraphs(texts, translate) == ["ONE TWO\n\n(THREE)", "", "FOUR FIVE"]
    assert seen == ["one two\n\n(three)\n\nfour five"]


def test_a_translation_that_lost_a_paragraph_is_refused() -> None:
    """Planted: without the check, texts would be compared with others' paraphrases."""
    with pytest.raises(ValueError, match="paragraphs"):
        by_paragraphs(["one", "two"], lambda whole: whole.replace("\n\n", " "))


def test_of_no_text_nothing_is_translated() -> None:
    assert by_paragraphs(["", " "], lambda whole: whole) == ["", ""]


def test_without_a_translator_it_says_what_to_install(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("PATH", "")
    monkeypatch.setattr(sys, "argv", ["paraphrase"])
    with pytest.raises(Absent):
        check()
    assert paraphrase.main() == paraphrase.UNUSABLE
    captured = capsys.readouterr()
    assert "install Debian's apertium," in captured.err
    assert not captured.out


def test_shares_are_of_words_and_of_runs_of_them() -> None:
    assert paraphrase.kept_share("The cat sat on it", "the cat sat, THE cat", 1) == 3 / 5
    assert paraphrase.kept_share("The cat sat on it", "on it the cat sat", 3) == 1 / 3
    assert paraphrase.kept_share("", "more", 1) == 0.0
