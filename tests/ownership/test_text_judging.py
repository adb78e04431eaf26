"""Whose texts they are, and that nobody else's are said to be."""

import msgspec
import numpy as np
import pytest

from extproc.draw import Draw
from extproc.marks.entry import commitment
from extproc.marks.green_list import green
from extproc.ownership.text_judging import LEVEL, carriers, judged
from extproc.ownership.text_marks import Sought
from tests.ownership.making import Made
from tests.ownership.writing import WORDS, all_of, canary, listed, marks, written


def sought(made: Made) -> list[Sought]:
    return list(marks(made).sought)


def test_texts_are_of_whoever_they_were_written_for(made: Made) -> None:
    key = listed(made)
    listed(made, tenant="one", cohort="pair")
    said = canary(made)
    canary(made, tenant="beta")
    texts = all_of(written(key), [f"It is so. (Reference: {said.upper()})"])
    found = judged(sought(made), texts)
    assert {each.name: each.verdict for each in found} == {
        "green list of tenant acme, model chat": "carries the marks",
        "canaries of tenant acme, model chat": "carries the marks",
        "green list of cohort pair, model chat": "no evidence",
        "canaries of tenant beta, model chat": "no evidence",
    }
    assert found[0].corrected <= found[1].corrected <= LEVEL
    counts = {each.name: each for each in found}["green list of tenant acme, model chat"]
    assert counts.listed is not None
    assert counts.listed.words == 600
    assert counts.listed.green > 0.8
    assert counts.commitments.first == commitment(msgspec.json.encode(made.entries[0]))


def test_texts_of_nobodys_are_nobodys(made: Made) -> None:
    listed(made)
    canary(made)
    every = sought(made)
    for texts in (written(None), [], [""], ["no word of the vocabulary"] * 1000):
        assert {each.verdict for each in judged(every, texts)} == {"no evidence"}
        assert carriers(every, texts) == []


def test_it_is_corrected_for_all_that_was_committed_to(made: Made) -> None:
    """Planted: without it, one of a million tenants is accused of a text of nobody's."""
    key = listed(made)
    one = judged(sought(made), written(key))[0]
    for number in range(7):
        listed(made, tenant=f"other-{number}")
    of_eight = judged(sought(made), written(key))[0]
    assert of_eight.bits == one.bits
    assert of_eight.corrected == pytest.approx(one.bits + 3)


def test_what_is_missing_makes_the_correction_no_smaller(made: Made) -> None:
    """Planted: whoever leaves out lists of the vault is corrected for fewer."""
    keys = [listed(made, tenant=f"tenant-{number}") for number in range(8)]
    whole = judged(sought(made), written(keys[0]))[0]
    made.sealed = made.sealed[:1]
    left = judged(sought(made), written(keys[0]))
    assert left[0].corrected == whole.corrected
    assert sum(each.commitments.missing for each in left) == 7
    assert [each.bits for each in left[1:]] == [0.0] * 7


def test_references_that_are_missing_are_looked_for_in_vain(made: Made) -> None:
    said = canary(made)
    here = f"(Reference: {said})"
    alone = judged(sought(made), [here])[0]
    for _ in range(7):
        canary(made, 1)
    made.sealed = made.sealed[:1]
    found = judged(sought(made), [here])[0]
    assert found.commitments.missing == 7
    assert found.bits == pytest.approx(alone.bits + 3, abs=0.01)


def test_clean_texts_that_carry_the_marks_take_the_verdict_back(made: Made) -> None:
    key = listed(made)
    every = sought(made)
    [found] = judged(every, written(key), [written(None), written(key, seed=2)])
    assert found.verdict == "withheld"
    [found] = judged(every, written(key), [written(None)])
    assert found.verdict == "carries the marks"


def test_clean_texts_make_nobody_look_guilty(made: Made) -> None:
    """Planted: whoever names what is usual, and knows the coins, makes any text look marked."""
    key = listed(made)
    every, texts = sought(made), written(None)
    names = [each.word for each in WORDS.words]
    red = [" ".join(np.array(names)[~green(WORDS, key)])] * 1000
    for against in (red, written(Draw(b"other"), 400)):
        assert judged(every, texts, [against])[0].bits == judged(every, texts)[0].bits


def test_lists_of_which_a_text_knows_nothing_find_it_as_often_as_chance_does(made: Made) -> None:
    """Over keys."""
    for number in range(60):
        listed(made, tenant=f"t{number}")
    bits = [each.bits for each in judged(sought(made), written(None, 5))]
    assert 15 <= sum(np.array(bits) <= -1) <= 45
    assert min(bits) > LEVEL
