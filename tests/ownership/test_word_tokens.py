import pytest

from extproc.ownership.word_tokens import counted, ranked, word_tokens


def test_a_word_is_written_by_up_to_three_tokens_the_one_with_a_space_first() -> None:
    """Planted: what writes a part of other words would be preferred within them."""
    spellings = {"word": 1, " Word": 2, "Word": 3, " word": 4, " other": 5, "Other": 6}
    assert word_tokens(spellings) == {"word": (4, 2, 3), "other": (5, 6)}


@pytest.mark.parametrize(
    "text",
    [" t", " 12", " a1", " two words", "  word", " <b", " word.", " don't", " WORD", " wOrd", " "],
)
def test_what_is_no_word_is_left_out(text: str) -> None:
    assert not word_tokens({text: 1})


@pytest.mark.parametrize("text", ["word", " Word", "Word", f" {'a' * 65}"])
def test_what_no_token_writes_in_lower_case_behind_a_space_is_left_out(text: str) -> None:
    """Such are names, ends of words, and what a file takes no word so long as."""
    assert not word_tokens({text: 1})


def test_words_are_as_texts_are_read() -> None:
    found = word_tokens({" größe": 1, " straße": 2, " strasse": 3, " Straße": 4})
    assert found == {"grösse": (1,), "strasse": (2, 3, 4)}
    assert counted(["Die Straße,", "DIE GRÖSSE; strasse"]) == {
        "die": 2,
        "strasse": 2,
        "grösse": 1,
    }


def test_the_earlier_a_token_was_learned_the_more_usual_is_its_word() -> None:
    found = ranked({"later": (9,), "that": (3, 11), "the": (1,), "with": (4, 5)})
    assert found == {"that": 1e6, "with": 5e5, "later": 333333.3}
