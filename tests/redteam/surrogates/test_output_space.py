"""A space of planted width is found through what is served, and not through what hides it."""

import numpy as np
import pytest

from extproc.redteam.answers import Floats
from extproc.redteam.surrogates import output_space

VOCABULARY, HIDDEN, CONTEXTS = 1_024, 64, 160


def _planted(seed: int = 0) -> tuple[Floats, Floats]:
    """Log probabilities [CONTEXTS, VOCABULARY], and an orthonormal basis of the true space."""
    rng = np.random.default_rng(seed)
    last = rng.normal(size=(VOCABULARY, HIDDEN))
    logits = 0.4 * rng.normal(size=(CONTEXTS, HIDDEN)) @ last.T
    total = np.log(np.exp(logits).sum(axis=1, keepdims=True))
    return logits - total, np.linalg.qr(last - last.mean(axis=0))[0]


def _found(served: Floats) -> tuple[int, float]:
    space = output_space.recovered(served)
    return space.size, output_space.overlap(space, _planted()[1]) if space.size else 0.0


@pytest.mark.parametrize(("digits", "least"), [(12, 0.9999), (2, 0.999), (1, 0.999), (0, 0.95)])
def test_rounding_logarithms_hides_neither_width_nor_space(digits: int, least: float) -> None:
    size, overlap = _found(np.round(_planted()[0], digits))
    assert size == HIDDEN
    assert overlap > least


@pytest.mark.parametrize(("noise", "size"), [(0.1, HIDDEN), (0.3, HIDDEN), (4.0, 0)])
def test_only_much_noise_on_logarithms_hides_the_width(noise: float, size: int) -> None:
    served = _planted()[0] + noise * np.random.default_rng(1).normal(size=(CONTEXTS, VOCABULARY))
    assert _found(served)[0] == size


@pytest.mark.parametrize("digits", [4, 3, 2])
def test_rounding_probabilities_hides_the_width(digits: int) -> None:
    told = np.maximum(np.round(np.exp(_planted()[0]), digits), 10.0**-digits)
    assert _found(np.log(told))[0] == 0


def test_contexts_that_came_twice_are_no_gap() -> None:
    exact = _planted()[0]
    assert output_space.recovered(np.concatenate([exact, exact[:50]])).size == HIDDEN


def test_energy_is_one_within_the_space_and_small_outside() -> None:
    exact = _planted()[0]
    space = output_space.recovered(exact[:100])
    assert space.energy(exact[100:]) == pytest.approx(1, abs=1e-9)
    other = np.random.default_rng(2).normal(size=(10, VOCABULARY))
    assert space.energy(other) == pytest.approx(HIDDEN / VOCABULARY, abs=0.03)


def test_fewer_values_than_a_gap_needs_have_no_width() -> None:
    assert output_space.width(np.array([3.0, 2.0, 1.0])) == 0


def test_logits_of_as_many_dimensions_as_tokens_have_no_gap() -> None:
    """Their means are taken away, so that the last value is nothing, which is no gap."""
    rows = np.random.default_rng(0).normal(size=(200, 40))
    assert output_space.recovered(rows).size == 0
