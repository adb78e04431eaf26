"""Bands of texts: see extproc/detectors/shingles.py."""

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given
from hypothesis import strategies as st

from extproc.detectors.shingles import Shingles
from extproc.detectors.words import words
from extproc.draw import Draw
from tests.detectors.questions import questions

SHINGLES = Shingles(Draw(b"k"))
_TEXTS = st.lists(st.text(max_size=30), min_size=1, max_size=8)


def bands(texts: list[str], shingles: Shingles = SHINGLES) -> npt.NDArray[np.uint16]:
    made = shingles.bands(list(map(words, texts)))
    return made.astype("<u8").view("<u2").reshape(-1, 4)


def runs(text: str) -> set[str]:
    written = f" {words(text).decode()} "
    return {written[at : at + 3] for at in range(len(written) - 2)}


@given(_TEXTS)
def test_a_text_comes_out_as_it_would_alone(texts: list[str]) -> None:
    # Planted: runs that reach into the next text fail here.
    assert bands(texts).tolist() == [bands([each])[0].tolist() for each in texts]


def test_bands_meet_as_often_as_the_fourth_power_of_what_texts_have_in_common() -> None:
    # Planted: one order for all bands, or three for each, fails here.
    some = questions(300, 5)
    pairs = [(each, f"{each[:at]}x{each[at + 1 :]}") for at, each in enumerate(some, 3)]
    pairs = [(one, other[: len(one)]) for one, other in pairs]
    pairs += [(each, f"{each} and soon") for each in some]
    wanted = [len(runs(one) & runs(other)) / len(runs(one) | runs(other)) for one, other in pairs]
    met = bands([one for one, _ in pairs]) == bands([other for _, other in pairs])
    assert met.mean() == pytest.approx(np.mean(np.array(wanted) ** 4), abs=0.05)
    assert 0.01 < np.abs(np.corrcoef(met.T) - np.eye(4)).max() < 0.9


@pytest.mark.parametrize(
    "script", ["abcdefghij", "абвгдежзик", "אבגדהוזחטי", "甲乙丙丁戊己庚辛壬癸"]
)
def test_letters_of_any_script_are_told_apart_alike(script: str) -> None:
    rng = np.random.default_rng(3)
    texts = ["".join(rng.choice([*script, " "], 40)) for _ in range(150)]
    edited = [each[:20] + script[0] + each[21:] for each in texts]
    assert (bands(texts) == bands(edited)).mean() > 0.5
    assert (bands(texts[1:]) == bands(texts[:-1])).mean() < 0.02


def test_nothing_written_is_like_nothing_written_alone() -> None:
    found = bands(["", "?!", "a", "b"])
    assert (found[0] == found[1]).all()
    assert len({tuple(each) for each in found.tolist()}) == 3


def test_another_key_has_other_orders() -> None:
    some = questions(100, 5)
    assert (bands(some) == bands(some, Shingles(Draw(b"l")))).mean() < 0.01
