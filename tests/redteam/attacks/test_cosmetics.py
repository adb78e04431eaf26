"""Variants look different and say the same."""

import unicodedata

import numpy as np
import pytest

from extproc.redteam.attacks.cosmetics import variants

TEXTS = [
    "Return *True* if the locals in the table are optimizable.",
    "one two three, four",
    "\u0131l\u0131k su",
]


def _said(text: str) -> str:
    folded = unicodedata.normalize("NFKC", text).casefold()
    return "".join(filter(str.isalnum, folded))


@pytest.mark.parametrize("text", TEXTS)
def test_sixty_four_of_them_differ_and_say_the_same(text: str) -> None:
    found = variants(text, 64, np.random.default_rng(1))
    assert len({text, *found}) == 65
    assert {_said(each) for each in found} == {_said(text)}


def test_they_differ_in_each_of_five_ways() -> None:
    found = variants(TEXTS[0], 64, np.random.default_rng(1))
    seen = "".join(found)
    assert {unicodedata.category(each) for each in seen} >= {"Cf", "Zs", "Po", "Lu"}
    assert any(unicodedata.normalize("NFKC", each) != each for each in seen if each.isalpha())


def test_the_same_generator_makes_the_same() -> None:
    one, two = [variants(TEXTS[1], 10, np.random.default_rng(3)) for _ in range(2)]
    assert one == two


def test_a_text_without_letters_has_as_many_as_there_are() -> None:
    found = variants("1", 64, np.random.default_rng(1))
    assert 0 < len(found) <= 64
    assert "1" not in found, "it is no variant of itself"
    assert {_said(each) for each in found} == {"1"}
