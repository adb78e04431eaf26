"""How much is in a character: see extproc/detectors/entropy.py."""

import numpy as np

from extproc.detectors import entropy


def test_as_many_bits_as_it_takes_to_tell_characters_apart() -> None:
    texts = [b"", b"aaaa", b"abab", b"abcd" * 5, b"aaab", bytes(range(256))]
    assert entropy.of_texts(texts).tolist() == [0, 0, 1, 2, 0, 8]


def test_digits_of_numbers_are_those_they_begin_with() -> None:
    rows = np.array([[0.0] * 4, [1.0, 15.0, 0.0012, -190.0], [1.0, 2.0, 30.0, 0.4], [0, 0, 7, 8]])
    assert entropy.of_numbers(rows).tolist() == [0, 0, 2, 1]


def test_the_largest_and_the_least_number_have_digits() -> None:
    assert entropy.of_numbers(np.array([[1e30, -1e30, 5e-324, 1e-310]])).shape == (1,)
