"""Laws of Gaussian, and the game that tells vectors apart, with bugs planted that it must see."""

import math
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from extproc.errors import UpstreamError
from extproc.mutators.capacity import whole
from extproc.mutators.gaussian import Gaussian
from extproc.prediction import Embedding, Vector
from extproc.privacy import Cost, exact, gaussian_cost
from tests.mutators.vectors import distance, embeddings, frozen, gaussian, source
from tests.privacy.game import LAW, Game, holds, seen

UNIT = Gaussian(clip=1.0, sigma=2.0, step=0.1)


def told(mutator: Gaussian, values: Vector, question: str = "what?") -> Vector:
    answer = mutator.apply(Embedding(values), source(question))
    assert isinstance(answer, Embedding)
    return answer.values


@given(embeddings, st.sampled_from([(1.0, 0.1), (0.3, 0.007), (1.0, 1e-5), (1e-3, 1e-3)]))
def test_a_vector_lies_in_the_ball_that_is_paid_for(
    prediction: Embedding, sizes: tuple[float, float]
) -> None:
    """Whatever floats do: in whole numbers."""
    clip, step = sizes
    mutator = Gaussian(clip=clip, sigma=step, step=step)
    places = mutator._clipped(prediction.values)
    assert sum(place**2 for place in places.tolist()) <= (exact(clip) / exact(step)) ** 2


@given(st.integers(0, 2**32), st.integers(1, 300))
def test_within_the_ball_it_is_what_it_was_to_a_step(seed: int, dimensions: int) -> None:
    values = gaussian(seed, dimensions, 0.99)
    places = Gaussian(clip=1.0, sigma=1.0, step=0.01)._clipped(values)
    assert np.abs(places * 0.01 - values).max() <= 0.0101
    assert (np.abs(places * 0.01) <= np.abs(values) + 1e-12).all()


@pytest.mark.parametrize("length", [0.3, 0.3 * (1 + 2**-52), 3.0, 1e100])
def test_a_vector_just_as_long_or_longer_is_drawn_in_by_a_hair(length: float) -> None:
    """Its direction stays, and a step is lost at most."""
    fine = Gaussian(clip=0.3, sigma=1e-5, step=1e-6)
    places = fine._clipped(frozen([0.6 * length, -0.8 * length]))
    assert np.abs(places - [180_000, -240_000]).max() <= 1


@given(embeddings)
def test_every_component_lies_on_the_grid(prediction: Embedding) -> None:
    served = told(UNIT, prediction.values)
    assert served.shape == prediction.values.shape
    assert np.isfinite(served).all()
    assert np.abs(served / 0.1 - np.round(served / 0.1)).max(initial=0.0) < 1e-9


def test_the_noise_is_normal_of_its_width_and_every_input_s_own() -> None:
    """Of zeros, too, which nothing else would hide; between two steps by chance."""
    served = np.concatenate([told(UNIT, np.zeros(100), f"{n}") for n in range(50)])
    between = np.random.default_rng(1).uniform(-0.05, 0.05, served.size)
    assert distance(served, np.array([LAW.cdf(x / 2.0) for x in served + between])) < 1.95


def test_of_another_vector_the_noise_is_another() -> None:
    """Else two answers to one question would tell how the vector moved."""
    apart = told(UNIT, np.full(40, 0.15)) - told(UNIT, np.full(40, -0.15))
    assert np.abs(apart).max() > 3.0
    same = told(UNIT, frozen([0.5, 0.0])) - told(UNIT, frozen([0.5 + 1e-9, 0.0]))
    assert not same.any()  # below a step it is no other vector


@pytest.mark.parametrize("values", [[math.nan], [math.inf, 1.0], [1e200, 1e200], [0.0] * 65537])
def test_what_is_not_finite_or_too_large_is_refused(values: list[float]) -> None:
    with pytest.raises(UpstreamError):
        told(UNIT, frozen(values))


def test_an_answer_tells_at_most_a_place_in_the_ball() -> None:
    assert UNIT.limit("embedding", whole("embedding", 8)).bits == 8 * math.log2(21)


def test_it_costs_the_distance_across_the_ball() -> None:
    assert UNIT.cost() == Cost(10**9)
    assert Gaussian(clip=1.0, sigma=4.0, step=0.3).cost() == Cost(10**9 // 4)


def game(mutator: Gaussian) -> Game:
    """Vectors much too long, as far apart as they can be, by the side on which the answer is."""
    one, other = (Embedding(frozen([sign * 4.0, sign * 3.0, 0.0])) for sign in (1, -1))
    return seen(
        mutator, one, other, lambda served: bool(0.8 * served[0] + 0.6 * served[1] > 0.5), 5000
    )


def test_vectors_are_told_apart_no_better_than_is_claimed() -> None:
    assert holds(game(UNIT), UNIT.cost())
    assert game(UNIT).mu() > 0.7


def test_noise_of_half_the_width_is_seen() -> None:
    assert not holds(game(Gaussian(clip=1.0, sigma=1.0, step=0.1)), UNIT.cost())


def test_a_sensitivity_of_the_radius_is_seen_to_be_too_small() -> None:
    """Vectors of a ball are as far apart as it is wide."""
    assert not holds(game(UNIT), gaussian_cost(Fraction(1), exact(2.0)))
