"""Laws of MarkPositions."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from extproc.draw import Draw, Source
from extproc.errors import UpstreamError
from extproc.mutators import Quantize, mutate
from extproc.mutators.mark_positions import MarkPositions
from extproc.prediction import Embedding, Vector
from tests.mutators.vectors import embeddings, frozen, gaussian, source

STRENGTH = 0.03
MARK = MarkPositions(strength=STRENGTH)
SOURCE = source()


def shown(values: Vector, drawn: Source = SOURCE, mark: MarkPositions = MARK) -> Vector:
    result = mutate([mark], drawn, Embedding(values))
    assert isinstance(result, Embedding)
    return result.values


def moves(values: Vector, drawn: Source = SOURCE) -> Vector:
    """-1, 0 or 1 for each component; fewer than half are moved, so that the median of all tells by
    what factor the length was made what it was.
    """
    served = shown(values, drawn)
    change = served - values * float(np.median(served / values))
    return np.sign(np.where(np.abs(change) > 0.2 * np.abs(change).max(), change, 0.0))


@given(embeddings)
def test_a_vector_is_moved_by_so_much_and_as_long_as_it_was(prediction: Embedding) -> None:
    values = prediction.values
    served, length = shown(values), float(np.linalg.norm(values))
    assert np.linalg.norm(served) == pytest.approx(length, rel=1e-9)
    assert np.linalg.norm(served - values) <= STRENGTH * length * 1.02


@pytest.mark.parametrize("dimensions", [64, 384, 1536])
def test_few_components_are_moved_and_the_rest_as_good_as_not(dimensions: int) -> None:
    values = gaussian(1, dimensions)
    served = shown(values)
    assert 0.2 < np.count_nonzero(moves(values)) / dimensions < 0.45
    assert float(served @ values) == pytest.approx(1 - STRENGTH**2 / 2, abs=1e-4)


def test_it_hangs_on_no_tier_and_no_question() -> None:
    """Planted: moves that are drawn from the input, or from the tier, fail here."""
    values = gaussian(1, 384)
    for question, tier in (("what?", "coarse"), ("another?", "standard")):
        assert shown(values, source(question, tier=tier)).tobytes() == shown(values).tobytes()


def test_it_hangs_on_the_key() -> None:
    """Planted: a key that is ignored fails here."""
    values = gaussian(1, 384)
    mine, theirs = moves(values), moves(values, source(tenant="beta"))
    both = mine * theirs
    assert np.count_nonzero(both) < 0.6 * np.count_nonzero(mine)
    assert abs(both.sum()) < 0.2 * np.count_nonzero(mine)


def test_whoever_is_not_to_be_marked_is_not() -> None:
    values = gaussian(1, 384)
    assert shown(values, replace(SOURCE, marks=None)) is values


def test_neighbours_are_moved_alike_and_strangers_are_not() -> None:
    """Planted: moves that are drawn from the vector's octets fail here: no copy learns them."""
    near, far = [], []
    for seed in range(60):
        one, other = gaussian(seed, 384), gaussian(seed + 100, 384)
        close = frozen(one + 0.1 * other)
        near.append(moves(one) @ moves(close) / np.count_nonzero(moves(one)))
        far.append(moves(one) @ moves(other) / np.count_nonzero(moves(one)))
    assert np.mean(near) > 0.7
    assert abs(np.mean(far)) < 0.1


@given(st.integers(0, 2**32), st.sampled_from([64, 100, 256, 700]))
def test_what_is_cut_short_is_moved_as_the_whole(seed: int, dimensions: int) -> None:
    """As a model server does of whom fewer dimensions are asked, whose vectors have length 1."""
    whole = gaussian(seed, 768)
    head = frozen(whole[:dimensions] / np.linalg.norm(whole[:dimensions]))
    assert np.mean(moves(head) == moves(whole)[:dimensions]) > 0.99


@given(st.integers(0, 2**32), st.floats(1e-3, 1e3))
def test_how_long_a_vector_is_changes_nothing(seed: int, length: float) -> None:
    values = gaussian(seed, 100)
    assert np.mean(moves(frozen(values * length)) == moves(values)) > 0.99


def test_of_very_long_vectors_the_first_components_are_moved() -> None:
    values = gaussian(1, 5000)
    moved = moves(values)
    assert np.count_nonzero(moved[:4096])
    assert not np.count_nonzero(moved[4096:])


def test_a_mark_outlives_eight_bits() -> None:
    values = gaussian(1, 384)
    coarse = mutate([MARK, Quantize(bits=8)], SOURCE, Embedding(values))
    assert isinstance(coarse, Embedding)
    told = (coarse.values - values) @ moves(values)
    assert told == pytest.approx(float((shown(values) - values) @ moves(values)), rel=0.05)


def test_what_is_not_finite_is_refused() -> None:
    for drawn in (SOURCE, replace(SOURCE, marks=None)):
        with pytest.raises(UpstreamError):
            shown(frozen([1.0, np.inf]), drawn)


def test_a_vector_that_no_move_falls_on_passes() -> None:
    values = frozen([1.0])
    keys = [Draw(b"%d" % number) for number in range(40)]
    served = [shown(values, replace(SOURCE, marks=key)) for key in keys]
    assert any(each is values for each in served)
    assert all(np.abs(each).tolist() == [1.0] for each in served)
