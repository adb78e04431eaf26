"""What texts are made of: see extproc/detectors/grams.py."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from extproc.detectors.grams import BUCKETS, LONGEST, SHORTEST, Grams
from extproc.draw import Draw

GRAMS = Grams(Draw(b"k"))
_TEXTS = st.lists(st.binary(max_size=40), min_size=1, max_size=8)


@given(_TEXTS)
def test_a_text_comes_out_as_it_would_alone(texts: list[bytes]) -> None:
    together = GRAMS.of(texts)
    assert together.shape == (len(texts), BUCKETS)
    for each, row in zip(texts, together, strict=True):
        assert np.array_equal(GRAMS.of([each])[0], row)


@given(st.binary(max_size=30))
def test_no_more_is_counted_than_there_is(text: bytes) -> None:
    size = len(text) + 2
    runs = sum(max(0, size - length + 1) for length in range(SHORTEST, LONGEST + 1))
    [row] = GRAMS.of([text])
    assert np.rint((row.astype(np.float64) ** 2).sum()) <= runs


def test_a_run_counts_as_often_as_it_stands_there() -> None:
    """A row of one octet has one run of each length, beside its ends."""
    [row] = GRAMS.of([b"a" * 402])
    large = np.sort(np.abs(row) ** 2)[-4:]
    assert np.allclose(large, [398, 399, 400, 401], atol=3)


def test_texts_alike_have_most_in_common() -> None:
    one, alike, other = GRAMS.of([b"where is my card", b"where is my cart", b"play some music"])
    one, alike, other = (row / np.linalg.norm(row) for row in (one, alike, other))
    assert one @ alike > 0.7
    assert abs(one @ other) < 0.3


def test_another_key_has_other_buckets() -> None:
    one, other = GRAMS.of([b"where is my card"])[0], Grams(Draw(b"l")).of([b"where is my card"])[0]
    cosine = float(one @ other / (np.linalg.norm(one) * np.linalg.norm(other)))
    assert abs(cosine) < 0.3
