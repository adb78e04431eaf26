"""Canaries: which prompts have them, which they are, and what it proves that one is recited."""

import re
from typing import Any

import numpy as np
import pytest

from extproc.canonical import at_once
from extproc.draw import Draw
from extproc.marks.canaries import REFERENCES, Canaries, is_reference, recited, references
from extproc.marks.cells import Cells
from extproc.marks.marking import LARGEST, Marking
from tests.marks.wordlists import words

CELLS = Cells(Draw(b"cells" * 8))
KEYS = [Draw(bytes([number]) * 32) for number in range(30)]
PROSE = "A sentence that is long enough to be taken for one that was written to be read, so it is."


def canaries(rate: float = 0.5, key: Draw = KEYS[0]) -> Canaries:
    return Canaries(CELLS, key, rate, "\n\n(Reference: {})")


def marking(of: Canaries, *inputs: Any, model: str = "gpt") -> Marking | None:
    return at_once(of.marking(model, inputs))


def chat(said: str) -> list[dict[str, str]]:
    return [{"role": "user", "content": said}]


def prompts(count: int) -> list[Any]:
    every = np.random.default_rng(count).choice(words(120), (count, 8))
    return [chat(" ".join(row)) for row in every]


def test_so_many_prompts_are_answered_with_one() -> None:
    planted = [marking(canaries(0.25), prompt) is not None for prompt in prompts(400)]
    assert 60 < sum(planted) < 140


def test_whoever_asks_again_or_otherwise_written_reads_the_same_words() -> None:
    for prompt in prompts(40):
        again = chat(prompt[0]["content"].upper() + "?")
        words = [
            found.planted.ending.words if found and found.planted else ""
            for found in (marking(canaries(), each) for each in (prompt, again))
        ]
        assert words[0] == words[1]


def test_each_key_and_model_has_references_of_its_own() -> None:
    """Planted: references that do not hang on the key accuse whoever shows one."""
    every = [each for key in KEYS for each in references(key)]
    assert len(set(every)) == REFERENCES * len(KEYS)
    assert all(re.fullmatch(r"([b-z][aiou]){2}[b-z](-([b-z][aiou]){2}[b-z]){2}", x) for x in every)
    said = {
        found.planted.finding.other
        for model in ("gpt", "other")
        for found in (marking(canaries(), prompt, model=model) for prompt in prompts(60))
        if found is not None and found.planted is not None
    }
    assert len(said) == 2 * REFERENCES
    assert set(references(KEYS[0].child(b"model gpt"))) < said


def test_what_is_committed_to_is_the_prompt_and_the_reference() -> None:
    [found] = [x for x in (marking(canaries(), p) for p in prompts(9)[4:]) if x is not None][:1]
    planted = found.planted
    assert planted is not None
    assert planted.finding.stamp == "canary"
    assert found.size == len(planted.finding.input) > 0
    planted.ending.read(PROSE)
    assert found.closing() == f"\n\n(Reference: {planted.finding.other})"
    assert found.findings == [planted.finding]
    assert found.closing() == ""
    assert found.size == 0


def test_nothing_is_committed_to_that_was_not_written() -> None:
    [found] = [x for x in (marking(canaries(), p) for p in prompts(9)) if x is not None][:1]
    assert found.planted is not None
    found.planted.ending.read("No.")
    assert found.closing() == ""
    assert found.findings == []
    [found] = [x for x in (marking(canaries(), p) for p in prompts(9)) if x is not None][:1]
    found.forget()
    assert found.planted is None


def test_of_several_prompts_and_of_what_cannot_be_kept_there_is_none() -> None:
    one, two = prompts(2)
    assert marking(canaries(1.0), one, two) is None
    assert marking(canaries(1.0), one) is not None
    assert marking(canaries(1.0), chat("x" * LARGEST)) is None


def test_a_reference_that_is_recited_is_proof() -> None:
    said = references(KEYS[0])
    clean = ["Nothing of the kind."] * 1000
    assert recited(said, clean).p == 1.0
    one = recited(said, [*clean, f"so it is ({said[1].upper()})"])
    assert -48 < one.at_least < -29
    every = recited(said, [*clean, " ".join(said)])
    assert every.at_least == pytest.approx(2 * (one.at_least - 1), abs=0.1)


def test_the_references_of_others_are_not_in_it() -> None:
    text = " ".join(references(KEYS[0]))
    assert all(recited(references(key), [text]).p == 1.0 for key in KEYS[1:])


def test_only_what_a_key_can_draw_is_a_reference() -> None:
    """Planted: a common word that is committed to as one stands in every text."""
    assert all(map(is_reference, references(Draw(b"k"))))
    for said in ("", "the", "babab", "babab-babab", "babab-babab-babab-babab", "babab-babab-babae"):
        assert not is_reference(said)


def test_references_that_nobody_has_are_looked_for_in_vain() -> None:
    [said, _] = references(Draw(b"k"))
    found, missing = recited([said], [said]), recited([said], [said], 7)
    assert missing.at_least == pytest.approx(found.at_least + 3, abs=1e-6)
