"""Laws of Smooth."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from extproc.mutators.smooth import Smooth
from extproc.prediction import Probabilities, Vector
from tests.mutators.vectors import frozen, probabilities, source

margins = st.floats(1e-6, 0.5)


def shown(values: Vector, margin: float, question: str = "what?") -> Vector:
    result = Smooth(margin=margin).apply(Probabilities(values), source(question))
    assert isinstance(result, Probabilities)
    return result.values


@given(probabilities, margins, st.text())
def test_nothing_changes_but_the_places_of_the_top_two_within_the_margin(
    prediction: Probabilities, margin: float, question: str
) -> None:
    values = prediction.values
    served = shown(values, margin, question)
    changed = np.flatnonzero(served != values)
    if changed.size:
        top = np.argsort(-values, kind="stable")[:2]
        assert set(changed) == set(top)
        assert values[top[0]] - values[top[1]] < margin
        assert sorted(served) == sorted(values)


@pytest.mark.parametrize("apart", [0.1, 0.15, 0.4])
def test_beyond_the_margin_no_label_changes(apart: float) -> None:
    values = frozen([0.5 - apart / 2, 0.5 + apart / 2])
    for number in range(200):
        assert shown(values, 0.1, f"{number}").tolist() == values.tolist()


@pytest.mark.parametrize("apart", [0.0001, 0.02, 0.05, 0.09])
def test_the_nearer_the_more_often_the_label_changes(apart: float) -> None:
    values = frozen([0.5 + apart / 2, 0.5 - apart / 2])
    changed = [shown(values, 0.1, f"{n}").argmax() == 1 for n in range(4000)]
    wanted = 0.5 - 0.5 * apart / 0.1
    assert np.mean(changed) == pytest.approx(wanted, abs=4 * math.sqrt(0.25 / 4000))


def test_asked_again_the_border_lies_where_it_lay() -> None:
    """A walk along one line finds one border, and for other inputs others."""
    borders = {}
    for question in ("a", "A!", "b", "c", "d", "e"):
        line = [frozen([0.5 + at / 1000, 0.5 - at / 1000]) for at in range(-60, 61)]
        labels = [int(shown(values, 0.1, question).argmax()) for values in line]
        borders[question] = tuple(labels)
    assert borders["a"] == borders["A!"]
    assert len(set(borders.values())) > 3


@pytest.mark.parametrize("values", [[], [0.7], [0.5, 0.5]])
def test_where_there_are_no_two_to_choose_from_nothing_is_chosen(values: list[float]) -> None:
    for number in range(20):
        assert shown(frozen(values), 0.5, f"{number}").tolist() == values
