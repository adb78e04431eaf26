"""The laws of a prediction: every mutator, on what the corpus holds and on random predictions."""

import math
from typing import Any, Final

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from extproc.dialects.answers import Body
from extproc.draw import Draw, Source
from extproc.mutators import Drop, Mutator, Round, mutate
from extproc.prediction import KINDS, Embedding, Logprobs, Prediction, Probabilities, Score, Votes
from tests.corpus.exchanges import Recorded
from tests.laws.serving import CORPUS, OPEN, answer_of, every_exchange, serve
from tests.mutators.test_mutators import ALL, SINGLY

SOURCE: Final = Source(Draw(b"s" * 32), Draw(b"m" * 32), Draw(b"i" * 32))
every_mutator = pytest.mark.parametrize("mutator", SINGLY, ids=repr)


def tag(mutator: Mutator) -> str:
    return str(mutator.__struct_config__.tag)


def check(mutator: Mutator, before: Prediction, after: Prediction | None) -> None:
    match before, after:
        case _, None:
            return
        case Probabilities(old), Probabilities(new):
            check_probabilities(mutator, old, new)
        case Votes(old), Votes(new):
            assert new.shape == old.shape
            assert sorted({0, 1} | set(new.tolist())) == [0, 1]
            assert new.sum() <= 1
        case Logprobs(), Logprobs():
            check_logprobs(mutator, before, after)
        case Score(), Score(value):
            assert math.isfinite(value)
        case Embedding(), Embedding(values):
            assert values.size
            assert np.isfinite(values).all()
        case _:
            raise AssertionError(f"{mutator} made {type(after).__name__} of {type(before)}")


def check_probabilities(mutator: Mutator, old: Any, new: Any) -> None:
    assert (new >= 0).all()
    assert (new <= 1.001).all()
    assert new.sum() <= max(old.sum(), 1) + 1e-3
    if isinstance(mutator, Round):
        # To the nearest step; a single class that would vanish is kept at one.
        step = 10.0**-mutator.digits
        assert abs(new.sum() - old.sum()) <= max(0.5 * step, step - old.sum()) + 1e-6
    if old.any() and new.shape == old.shape and not mutator.RELABELS:
        assert new.argmax() == old.argmax()
        if np.count_nonzero(old == old.max()) == 1:
            assert np.count_nonzero(new == new.max()) == 1


def check_logprobs(mutator: Mutator, old: Logprobs, new: Logprobs) -> None:
    assert new.chosen.text == old.chosen.text
    shown = [token.text for token in old.alternatives]
    assert [token.text for token in new.alternatives if token.text not in shown] == []
    for token in (new.chosen, *new.alternatives):
        assert -math.inf < token.logprob <= 1e-3


@every_exchange
@every_mutator
def test_every_mutator_keeps_the_laws_on_what_the_corpus_holds(
    exchange: Recorded, mutator: Mutator
) -> None:
    def law(source: Source | None, prediction: Prediction) -> Prediction | None:
        after = mutate((mutator,), source, prediction)
        check(mutator, prediction, after)
        return after

    edits = {kind: law if kind in mutator.KINDS else None for kind in KINDS}
    served = serve(exchange, OPEN, edits=edits)
    # Of octets nothing is left where a vector is dropped.
    assert served.released or (isinstance(mutator, Drop) and isinstance(answer_of(exchange), Body))


def test_the_corpus_holds_every_kind_that_a_mutator_understands() -> None:
    seen: set[type] = set()

    def see(source: Source | None, prediction: Prediction) -> Prediction:
        seen.add(type(prediction))
        return prediction

    for exchange in CORPUS.values():
        serve(exchange, OPEN, edits=dict.fromkeys(KINDS, see))
    assert seen == {Probabilities, Votes, Logprobs, Embedding, Score}


probabilities = st.lists(st.integers(0, 10**6), min_size=1, max_size=12).filter(any)


@pytest.mark.parametrize(
    "mutator", [one for one in SINGLY if "probabilities" in one.KINDS], ids=repr
)
@given(weights=probabilities, mass=st.floats(0.05, 1))
def test_every_mutator_keeps_the_label_of_random_probabilities(
    mutator: Mutator, weights: list[int], mass: float
) -> None:
    values = np.array(weights, np.float64)
    values *= mass / values.sum()
    assume(np.count_nonzero(values == values.max()) == 1)
    check(mutator, Probabilities(values), mutate((mutator,), SOURCE, Probabilities(values)))


@every_exchange
def test_the_same_question_gets_the_same_answer(exchange: Recorded) -> None:
    """Whatever is drawn is drawn from the input: asking again tells nothing new."""
    for mutator in ALL:
        kinds = {kind: (mutator,) if kind in mutator.KINDS else () for kind in KINDS}
        assert serve(exchange, kinds) == serve(exchange, kinds)
