"""What one exchange keeps of its inputs, and what it finds."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import orjson
import pytest

from extproc.canonical import Shared, at_once
from extproc.draw import Draw
from extproc.marks.cells import Cells
from extproc.marks.marking import LARGEST, Marking, Marks
from extproc.marks.stamps import name
from extproc.prediction import Prediction, Probabilities, Score
from tests.detectors.questions import questions

RATE = 0.2
"""More than a policy may ask for: every cell is a mark or a control."""
CELLS = Cells(Draw(b"cells"))
QUESTIONS = questions(500, 3)
VALUES = np.array([0.1, 0.2, 0.4, 0.3])


def marks(whose: bytes = b"cohort", **more: Any) -> Marks:
    return Marks(CELLS, Draw(whose), **({"rate": RATE} | more))


def marking(inputs: Sequence[Any], model: str = "m", **more: Any) -> Marking:
    return at_once(marks(**more).marking(model, inputs))


def same(prediction: Prediction) -> Prediction | None:
    return prediction


def dropped(prediction: Prediction) -> Prediction | None:
    return None


def test_what_is_stamped_is_kept_until_it_is_answered() -> None:
    found = marking(["What is due?", "Who are you?"])
    assert [each.input for each in found.stamped.values()] == [b'"What is due?"', b'"Who are you?"']
    assert found.size == 28
    found.noting(1, (), same)(Probabilities(VALUES))
    assert found.size == 14
    [finding] = found.findings
    assert (finding.input, finding.truth, finding.other) == (b'"Who are you?"', 2, 3)
    assert finding.cell == name(found.cells[1])
    found.noting(1, (), same)(Probabilities(VALUES))  # an answer that says it twice
    assert len(found.findings) == 1


def test_nothing_is_kept_of_others() -> None:
    """Planted: keeping every input, which is what a prompt's log would be, fails here."""
    found = marking(QUESTIONS, rate=0.005)
    assert 0 < len(found.stamped) < 40
    assert found.cells.keys() == found.stamped.keys()


def test_of_whom_and_of_what_it_is_makes_other_marks() -> None:
    found = [
        frozenset(marking(QUESTIONS, model, whose=whose, rate=0.01).stamped)
        for whose in (b"cohort", b"another")
        for model in ("m", "n")
    ]
    assert len(set(found)) == 4
    assert set(marking(QUESTIONS, rate=0.01).stamped) == found[0]


def test_one_input_is_what_all_of_the_answer_is_about() -> None:
    found = marking(["What is due?"])
    found.noting(None, [["a"], ["b"], ["c"], ["d"]], same)(Probabilities(VALUES))
    assert [(each.truth, each.other) for each in found.findings] == [("c", "d")]
    several = marking(["What is due?", "Who are you?"])
    assert several.noting(None, (), same) is same
    assert several.noting(7, (), same) is same


@pytest.mark.parametrize("prediction", [Score(1.0), Probabilities(np.array([0.5, 0.5]))])
def test_what_has_no_two_contenders_is_no_finding(prediction: Prediction) -> None:
    found = marking(["What is due?"])
    found.noting(0, (), same)(prediction)
    assert found.findings == []


def test_what_is_dropped_is_no_finding() -> None:
    found = marking(["What is due?"])
    found.noting(0, (), dropped)(Probabilities(VALUES))
    assert found.findings == []


def test_a_control_has_to_do_without_protected_classes_as_a_mark_has() -> None:
    """Else the two would differ by more than chance."""
    found = marking(["What is due?"], protected=frozenset({3}))
    found.noting(0, (), same)(Probabilities(VALUES))
    assert found.findings == []


@pytest.mark.parametrize(
    ("value", "written"),
    [
        ([["x", np.array([1.0, 2.5]).tobytes()]], [["x", [1.0, 2.5]]]),
        ([Shared("query"), "text"], ["query", "text"]),
        (b"\x01\x02", None),
        ("x" * LARGEST, None),
        (["text", {1, 2}], None),  # what no dialect makes
    ],
)
def test_inputs_are_kept_as_json_or_not_marked(value: Any, written: Any) -> None:
    """Planted: marking what cannot be kept leaves marks that nobody can prove."""
    found = marking([value])
    kept = [orjson.loads(each.input) for each in found.stamped.values()]
    assert kept == ([] if written is None else [written])
    assert len(found.cells) == len(kept)


def test_many_are_stamped_in_turns() -> None:
    """Planted: all at once, a batch of ten thousand keeps others waiting for 40 ms."""
    inputs = [[number] for number in range(1100)]
    turns = [sum(1 for _ in steps) for steps in (CELLS.all(inputs), marks().marking("m", inputs))]
    assert turns[1] == turns[0] + 2


def test_no_more_is_kept_than_a_megabyte() -> None:
    found = marking([f"{number} " + "x" * 60_000 for number in range(40)])
    assert 15 < len(found.stamped) < 20
    assert found.size <= 1 << 20
