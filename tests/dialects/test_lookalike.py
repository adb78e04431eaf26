"""What a lenient reader takes for a name, and what nobody does."""

import unicodedata
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from extproc.dialects import lookalike
from extproc.dialects.lookalike import plain

NAMES = ["logprobs", "top_logprobs", "seed", "kind", "messages", "fp32_contents", "quxjzvwy"]
IGNORABLE = (
    "\u00ad\u034f\u061c\u115f\u1160\u17b4\u180e\u200b\u200d\u2060\u3164\ufe0f\uffa0\U000e0061"
)
"""Of Unicode's Default_Ignorable_Code_Point: nothing is drawn for them."""


@pytest.mark.parametrize(
    ("name", "looks"),
    [
        ("LogProbs", "logprobs"),  # Go, Jackson
        ("logProbs", "logprobs"),  # protobuf's JSON
        ("log-probs", "logprobs"),  # relaxed binding
        ("log probs", "logprobs"),
        ("log.probs", "logprobs"),
        (" logprobs\t", "logprobs"),
        ("\u017feed", "seed"),  # the two letters outside ASCII that Go folds into it
        ("\u212aind", "kind"),
        ("\uff4c\uff4f\uff47probs", "logprobs"),  # full width
        ("\U0001d40cessages", "messages"),  # bold: a compatibility form that has a case
        ("\u216cogprobs", "logprobs"),  # the numeral fifty
        ("l\u00f6gprobs", "logprobs"),  # marks, in one character or two
        ("lo\u0308gprobs", "logprobs"),
        ("log\u200bprobs", "logprobs"),  # zero width
        ("log\u3164probs", "logprobs"),  # a letter by its category, and invisible
        ("\u202elogprobs", "logprobs"),
        ("l\u043egprobs", "logprobs"),  # Cyrillic
        ("\u0421\u041d\u041e\u0406\u0421\u0415", "choice"),
        ("l\u03bfg\u03c1r\u03bfbs", "logprobs"),  # Greek
        ("\u03a4\u039f\u03a1_logprobs", "top_logprobs"),
        ("l\u0585gprobs", "logprobs"),  # Armenian
        ("\u0131nput", "input"),
        ("\u0130nput", "input"),
        ("logprobs\0", "logprobs"),  # for a reader that stops there
        ("seed\0x", "seed"),
        ("fp\u00b3\u00b2contents", "fp32_contents"),
    ],
)
def test_what_only_looks_different_is_the_same(name: str, looks: str) -> None:
    assert plain(name) == plain(looks)


@pytest.mark.parametrize("name", ["logprob", "logprobs1", "l0gprobs", "logits", "", "\0logprobs"])
def test_other_letters_make_another_name(name: str) -> None:
    assert plain(name) != plain("logprobs")


def test_the_table_of_letters_is_what_it_says() -> None:
    for code, letter in lookalike._LETTERS.items():
        found = chr(code)
        assert unicodedata.category(found) in {"Ll", "Lu", "Lo"}
        assert unicodedata.normalize("NFKD", found) == found, "it would never be looked up"
        assert chr(letter).isascii()
        assert chr(letter).isupper() is (unicodedata.category(found) == "Lu")


WIDTHS: list[Callable[[str], str]] = [
    str,
    str.upper,
    lambda one: chr(ord(one) + 0xFEE0),
    lambda one: chr(0x1D41A + ord(one) - ord("a")),
]


@given(st.sampled_from(NAMES), st.data())
def test_no_disguise_of_a_letter_makes_another_name(name: str, data: st.DataObject) -> None:
    def disguised(letter: str) -> str:
        if not letter.islower():
            return data.draw(st.sampled_from(["_", "-", "", " "])) if letter == "_" else letter
        width = data.draw(st.sampled_from(WIDTHS))
        return width(letter) + data.draw(st.text(IGNORABLE + "\u0301\u0327", max_size=2))

    assert plain("".join(map(disguised, name))) == plain(name)


@given(st.text())
def test_a_plain_name_is_its_own(name: str) -> None:
    assert plain(plain(name)) == plain(name)
    assert plain(name) == plain(name.upper()) or not name.isascii()
