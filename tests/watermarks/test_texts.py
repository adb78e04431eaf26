"""The quick part of what docs/ownership.md says of texts, with a real model: see texts.py."""

import numpy as np
import pytest

from extproc.draw import Draw
from extproc.marks.green_list import bias, evidence
from tests.watermarks import laundering
from tests.watermarks.texts import PROOF, found, key, markdown, pasted
from tests.watermarks.writer import copied, victim, vocabulary, write

KEY = Draw(b"quickly." * 4)


@pytest.fixture(scope="module")
def marked() -> list[str]:
    return list(write(victim(), 500, bias(vocabulary(), KEY, 2.0), 1, length=60).texts)


def test_ten_answers_show_whose_they_are(marked: list[str]) -> None:
    assert found(marked[:10], KEY).tail.at_least <= PROOF
    assert min(found(marked[:10], key(at)).tail.at_least for at in range(50)) > PROOF


@pytest.mark.slow
def test_a_copy_that_learned_from_them_shows_it_too(marked: list[str]) -> None:
    said = write(copied(marked), 60, {}, 2, length=60).texts
    assert found(said, KEY).tail.at_least <= PROOF
    assert min(found(said, key(at)).tail.at_least for at in range(50)) > PROOF


def test_they_survive_deletions_and_a_share_of_substitutions(marked: list[str]) -> None:
    some = marked[:30]
    for texts in (
        laundering.deleted(some, 0.3, 1),
        laundering.substituted(some, vocabulary(), 0.3, 2),
        laundering.mixed(some, laundering.deleted(some, 1.0, 1), 0.5),
    ):
        assert found(texts, KEY).tail.at_least <= PROOF


def test_whoever_has_learned_the_list_takes_it_out(marked: list[str]) -> None:
    """What docs/ownership.md says removes it: a list is no secret for long."""
    words = vocabulary()
    ratio = laundering.stolen(words.counts(marked), words.usual)
    scrubbed = laundering.scrubbed(marked[:30], words, ratio, 3)
    assert evidence(words.counts(scrubbed), words, KEY).tail.at_least > PROOF


def test_a_table_is_written_as_documents_have_it() -> None:
    rows = iter([("a", "b"), ("1", "2")])
    assert markdown(rows) == "| a | b |\n| --- | --- |\n| 1 | 2 |"


def test_tables_are_pasted_between_their_markers() -> None:
    document = "a\n<!-- texts: one -->\nold\n<!-- end -->\nb\n"
    assert pasted(document, {"one": "new"}) == (
        "a\n<!-- texts: one -->\n\nnew\n\n<!-- end -->\nb\n"
    )


def test_a_vocabulary_is_of_words_that_a_token_writes() -> None:
    words = vocabulary().words
    assert len({token for each in words for token in each.tokens}) == len(words)
    assert np.all(np.diff([each.usual for each in words]) <= 0)
