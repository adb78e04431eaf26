"""Which embeddings are committed to: a share of inputs, by a key, whoever asks how often."""

from collections.abc import Sequence
from dataclasses import replace
from functools import partial

import numpy as np

from extproc.canonical import at_once, digests
from extproc.draw import Draw, Draws
from extproc.marks.keeping import Keeping
from extproc.marks.marking import LARGEST, MOST, Kept, Marking
from extproc.marks.positions import MOST as COMPONENTS
from extproc.marks.positions import secret
from extproc.mutators import MarkPositions, mutate
from extproc.prediction import Embedding, Prediction
from tests.detectors.questions import questions

MARKS = Draw(b"m" * 32)
QUESTIONS = list(dict.fromkeys(questions(4000, 3)))
VECTOR = np.linspace(-1.0, 1.0, 24)


def kept(inputs: Sequence[str], share: float = 1.0, marks: Draw = MARKS) -> dict[int, Kept]:
    return at_once(Keeping(marks, 0.05, share).kept(inputs, at_once(digests(inputs))))


def marking(inputs: Sequence[str], share: float = 1.0) -> Marking:
    return Marking({}, frozenset(), len(inputs) == 1, kept=kept(inputs, share))


def same(prediction: Prediction) -> Prediction | None:
    return prediction


def test_so_large_a_share_is_kept_as_is_asked_for() -> None:
    found = kept(QUESTIONS, 0.2)
    share = len(found) / len(QUESTIONS)
    assert abs(share - 0.2) < 4 * (0.16 / len(QUESTIONS)) ** 0.5
    assert kept(QUESTIONS, 0.0) == {}
    assert len(kept(QUESTIONS)) == len(QUESTIONS)


def test_the_same_input_is_the_same_cell_in_whatever_looks_and_for_others_another() -> None:
    """Planted: a cell of the input's octets lets whoever changes looks fill the vault."""
    [one] = kept(["What is due?"]).values()
    [looks] = kept(["what is DUE"]).values()
    [other] = kept(["What is due?"], marks=Draw(b"o" * 32)).values()
    assert one.cell == looks.cell != other.cell
    assert one.key == secret(MARKS).key.hex() != other.key
    assert one.key != MARKS.key.hex()  # which the marks of labels are drawn from too
    few = {QUESTIONS[at] for at in kept(QUESTIONS, 0.1)}
    assert few == {QUESTIONS[::-1][at] for at in kept(QUESTIONS[::-1], 0.1)}


def test_the_models_own_vector_is_kept_with_its_key() -> None:
    """Planted: keeping what is served commits to nothing that moves can be told by."""
    found = marking(["What is due?", "Who are you?"])
    moved = partial(
        mutate,
        (MarkPositions(strength=0.05),),
        replace(Draws(MARKS, [b""]).of(0), marks=MARKS),
    )
    served = found.noting(1, (), moved)(Embedding(VECTOR))
    assert isinstance(served, Embedding)
    assert not np.array_equal(served.values, VECTOR)
    [finding] = found.findings
    assert finding.moved is not None
    assert (finding.stamp, finding.input, finding.truth) == ("embedding", b'"Who are you?"', "")
    assert np.array_equal(np.frombuffer(finding.moved.vector, "<f4"), VECTOR.astype("<f4"))
    assert (finding.moved.strength, finding.moved.key) == (0.05, secret(MARKS).key.hex())
    found.noting(1, (), moved)(Embedding(VECTOR))  # an answer that says it twice
    assert len(found.findings) == 1


def test_an_answer_is_the_same_whether_it_is_recorded_or_not() -> None:
    moved = partial(
        mutate,
        (MarkPositions(strength=0.05),),
        replace(Draws(MARKS, [b""]).of(0), marks=MARKS),
    )
    for share in (0.0, 1.0):
        after = marking(["What is due?"], share).noting(None, (), moved)(Embedding(VECTOR))
        bare = moved(Embedding(VECTOR))
        assert isinstance(after, Embedding)
        assert isinstance(bare, Embedding)
        assert after.values.tobytes() == bare.values.tobytes()


def test_what_is_dropped_or_has_no_direction_is_no_finding() -> None:
    found = marking(["What is due?", "Who are you?", "And then?"])
    found.noting(0, (), lambda _: None)(Embedding(VECTOR))
    found.noting(1, (), same)(Embedding(np.zeros(4)))
    found.noting(None, (), same)(Embedding(VECTOR))  # of which input it is nobody knows
    assert found.findings == []
    found.forget()
    assert found.size == 0


def test_what_is_kept_is_bounded() -> None:
    long = ["x" * LARGEST, *(f"{number} " + "x" * 60_000 for number in range(40))]
    found = marking(long)
    assert 0 not in found.kept
    assert 15 < len(found.kept) < 20
    assert found.size <= MOST
    one = marking(["What is due?"])
    one.noting(0, (), same)(Embedding(np.ones(COMPONENTS + 7)))
    [finding] = one.findings
    assert finding.moved is not None
    assert len(finding.moved.vector) == 4 * COMPONENTS


def test_many_are_drawn_in_turns() -> None:
    """Planted: all at once, a batch of ten thousand keeps others waiting for 40 ms."""
    inputs = [f"{number}" for number in range(1100)]
    named = at_once(digests(inputs))
    assert sum(1 for _ in Keeping(MARKS, 0.05, 0.1).kept(inputs, named)) == 2
