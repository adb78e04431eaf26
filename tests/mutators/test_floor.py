"""Laws of Floor."""

import math

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from extproc.mutators.floor import Floor
from extproc.prediction import Logprobs, Token
from tests.mutators.vectors import logprobs

grids = st.integers(2, 1000)


def shown(prediction: Logprobs, steps: int) -> Logprobs:
    result = Floor(steps=steps).apply(prediction)
    assert isinstance(result, Logprobs)
    return result


def tokens(prediction: Logprobs) -> tuple[Token, ...]:
    return (prediction.chosen, *prediction.alternatives)


@given(logprobs, grids)
def test_a_probability_is_rounded_down_to_a_step_and_never_below_the_first(
    prediction: Logprobs, steps: int
) -> None:
    for before, after in zip(tokens(prediction), tokens(shown(prediction, steps)), strict=True):
        count = math.exp(after.logprob) * steps
        assert count == pytest.approx(round(count), abs=0.01)
        assert 1 <= round(count) <= steps
        wanted = math.exp(min(before.logprob, 0.0)) * steps
        assert round(count) == max(1, math.floor(wanted + 0.01))
        assert (after.text, after.raw) == (before.text, before.raw)
        assert repr(after.logprob) != "-0.0"


@given(logprobs, grids)
@example(Logprobs(Token("a", math.log(999 / 1000)), ()), 1000)
def test_what_was_rounded_down_is_served_as_it_is(prediction: Logprobs, steps: int) -> None:
    once = shown(prediction, steps)
    assert Floor(steps=steps).apply(once) is once


@pytest.mark.parametrize("steps", range(2, 1001))
def test_every_step_is_found_again_from_its_log(steps: int) -> None:
    on_the_grid = [Token("", math.log(count / steps)) for count in range(1, steps + 1)]
    after = shown(Logprobs(on_the_grid[0], tuple(on_the_grid)), steps)
    counts = [math.exp(token.logprob) * steps for token in after.alternatives]
    np.testing.assert_allclose(counts, range(1, steps + 1), atol=0.01)


@given(logprobs, grids)
def test_logprobs_keep_their_order(prediction: Logprobs, steps: int) -> None:
    pairs = zip(tokens(prediction), tokens(shown(prediction, steps)), strict=True)
    after = [new.logprob for _, new in sorted(pairs, key=lambda pair: pair[0].logprob)]
    assert after == sorted(after)


def test_how_unlikely_a_token_is_stays_hidden() -> None:
    after = shown(Logprobs(Token("a", -0.3), (Token("b", -7.0), Token("c", -9999.0))), 100)
    assert [token.logprob for token in after.alternatives] == [-4.60517, -4.60517]
    assert after.chosen.logprob == pytest.approx(math.log(0.74), abs=1e-5)


def test_the_width_of_a_last_layer_is_hidden() -> None:
    """As for Round: where the singular values of many answers fall, the logits would show it."""
    rng, hidden = np.random.default_rng(7), 8
    logits = rng.standard_normal((256, hidden)) @ rng.standard_normal((hidden, 64))
    logs = logits - np.log(np.exp(logits).sum(axis=1, keepdims=True))
    rows = [tuple(Token("", value) for value in row) for row in logs.tolist()]
    served = [[t.logprob for t in shown(Logprobs(row[0], row), 1000).alternatives] for row in rows]
    assert gap(logs, hidden) > 1e9
    assert gap(np.array(served), hidden) < 1.3


def gap(logs: np.ndarray[tuple[int, int], np.dtype[np.float64]], hidden: int) -> float:
    sizes = np.linalg.svd(logs - logs.mean(axis=1, keepdims=True), compute_uv=False)
    return float(sizes[hidden - 1] / sizes[hidden])
