"""Laws of Drop."""

from hypothesis import given
from hypothesis import strategies as st

from extproc.mutators.drop import Drop
from extproc.prediction import KINDS, Prediction, Score
from tests.mutators.vectors import embeddings, logprobs, probabilities


@given(st.one_of(embeddings, logprobs, probabilities, st.floats().map(Score)))
def test_nothing_passes(prediction: Prediction) -> None:
    assert Drop().apply(prediction) is None


def test_every_kind_can_be_dropped() -> None:
    assert frozenset(KINDS) == Drop.KINDS
