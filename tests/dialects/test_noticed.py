"""What detectors learn of answers: buckets, of what the model said before anything was changed."""

import math

import numpy as np
import orjson
import pytest

from extproc.detectors.features import LABELS, MARGINS, NORMS
from extproc.detectors.observation import SAMPLE
from extproc.dialects.confidences import PROBABILITIES, ScoredLabels
from extproc.dialects.mutation import Batched, Mutation
from extproc.dialects.noticed import Noticed
from extproc.dialects.ranking import MEMBERS
from extproc.dialects.shape import Items, Node, Rewrite
from extproc.dialects.told import Told
from extproc.dialects.vectors import VECTOR
from extproc.prediction import Embedding, Kind, Prediction, Probabilities, Score


def probabilities(*values: float) -> Probabilities:
    return Probabilities(np.array(values))


def noticed(*predictions: Prediction, key: bytes = b"key") -> Noticed:
    found = Noticed(key)
    for each in predictions:
        found.see(each)
    return found


def noticed_in(node: Node, value: object, edits: dict[Kind, Mutation | None]) -> Noticed:
    """The same whether bits are counted as well or not."""
    found = Noticed(b"key")
    rewritten(node, value, edits, Told(noticed=found))
    return found


def rewritten(node: Node, value: object, edits: dict[Kind, Mutation | None], told: Told) -> None:
    node.rewrite(orjson.loads(orjson.dumps(value)), Rewrite(edits, "m", told=told), "")


@pytest.mark.parametrize(
    ("values", "bucket"),
    [
        ((0.5, 0.5), 0),
        ((0.502, 0.498), 0),
        ((0.51, 0.49), 2),
        ((0.55, 0.45), 4),
        ((0.4, 0.25, 0.35), 3),
        ((0.7, 0.3), 6),
        ((0.75, 0.25), 7),
        ((1.0, 0.0), 7),
        ((0.98,), 7),
        ((0.02,), 7),
        ((0.5,), 0),
    ],
)
def test_a_margin_is_in_the_bucket_of_its_octave(values: tuple[float, ...], bucket: int) -> None:
    assert noticed(probabilities(*values)).margins == [bucket]


@pytest.mark.parametrize(
    ("length", "bucket"),
    [(0.0, 0), (1e-9, 0), (0.3, 2), (0.9999999, 4), (1.0000001, 4), (1.9, 5), (1e300, 7)],
)
def test_a_vector_is_in_the_bucket_of_its_length(length: float, bucket: int) -> None:
    assert noticed(Embedding(np.array([0.0, length]))).norms == [bucket]
    found = Noticed(b"key")
    found.see_rows("embedding", np.array([[0.0, length]]))
    assert found.norms == [bucket]


def test_vectors_too_long_for_a_number_are_in_the_last_bucket() -> None:
    assert noticed(Embedding(np.array([1e308, 1e308, 1e308]))).norms == [NORMS - 1]


def test_classes_are_told_apart_by_a_digest_that_only_the_key_knows() -> None:
    each = [probabilities(*np.eye(40)[number]) for number in range(40)]
    labels = noticed(*each).labels
    assert len(labels) == 40
    assert len(set(labels)) > LABELS // 2
    assert all(0 <= label < LABELS for label in labels)
    assert labels == noticed(*each).labels
    assert labels != noticed(*each, key=b"another").labels


def test_one_of_two_classes_has_the_label_of_either() -> None:
    several = [noticed(probabilities(0.9), key=bytes([n])).labels for n in range(20)]
    others = [noticed(probabilities(0.1), key=bytes([n])).labels for n in range(20)]
    assert several != others


def test_a_few_of_the_answers_are_enough_and_other_kinds_are_not_looked_at() -> None:
    each: list[Prediction] = [probabilities(0.9, 0.1), Embedding(np.ones(3)), Score(0.5)]
    found = noticed(*each * (SAMPLE + 9))
    assert len(found.labels) == len(found.margins) == len(found.norms) == SAMPLE
    found.see_rows("probabilities", np.full((5, 2), 0.5))
    found.see_rows("embedding", np.full((5, 2), 0.5))
    found.see_rows("score", np.full((5, 1), 0.5))
    assert len(found.labels) == len(found.margins) == len(found.norms) == SAMPLE


def test_no_class_is_no_answer() -> None:
    assert noticed(probabilities()).labels == []


def test_many_rows_are_noticed_as_one_by_one() -> None:
    rng = np.random.default_rng(0)
    rows = rng.dirichlet(np.full(7, 0.3), SAMPLE)
    found = Noticed(b"key")
    found.see_rows("probabilities", rows)
    one_by_one = noticed(*(Probabilities(row) for row in rows))
    assert (found.labels, found.margins) == (one_by_one.labels, one_by_one.margins)
    assert set(found.margins) <= set(range(MARGINS))


def test_it_is_what_the_model_said_and_not_what_a_mutator_made_of_it() -> None:
    def flattened(_source: object, _prediction: Prediction) -> Prediction:
        return probabilities(0.5, 0.5)

    for edits in ({"probabilities": flattened}, {"probabilities": None}):
        found = noticed_in(Items(PROBABILITIES), [[0.9, 0.1]], edits)  # type: ignore[arg-type]
        assert found.margins == [MARGINS - 1]


def test_it_is_noticed_where_only_the_label_passes() -> None:
    ranked = [{"label": "a", "score": 0.51}, {"label": "b", "score": 0.49}]
    assert noticed_in(ScoredLabels(), ranked, {"label": None}).margins == [2]


def test_classes_with_names_are_told_apart_by_these_and_not_by_their_order() -> None:
    edits: dict[Kind, Mutation | None] = {"label": None, "probabilities": None}

    def labels(node: Node, value: object) -> list[int]:
        return noticed_in(node, value, edits).labels

    names = [f"class {number}" for number in range(30)]
    first = [labels(MEMBERS, {name: 0.8, "other": 0.2}) for name in names]
    last = [labels(MEMBERS, {"other": 0.2, name: 0.8}) for name in names]
    assert first == last
    assert len({tuple(each) for each in first}) > LABELS // 2
    scored = [
        labels(ScoredLabels(), [{"label": name, "score": 0.8}, {"label": "other", "score": 0.2}])
        for name in names
    ]
    assert scored == first


def test_a_name_is_that_of_one_prediction_alone() -> None:
    found = Noticed(b"key")
    found.names = [["dog"], []]
    found.see(probabilities(1.0, 0.0))
    found.see(probabilities(1.0, 0.0))
    found.names = [["dog"], []]
    found.see(probabilities(0.0, 1.0))
    assert found.labels == [found._label("dog"), found._label("0"), found._label("1")]


def test_rows_that_are_edited_at_once_are_noticed_as_they_were() -> None:
    found = Noticed(b"key")
    run = Rewrite({"embedding": Batched(lambda _s, p: p, lambda r: r * 0)}, "m")
    run.told = Told(noticed=found)
    edit = run.rows("embedding")
    assert edit is not None
    assert edit(np.full((3, 4), 0.5)).sum() == 0.0
    assert found.norms == [4, 4, 4]


def test_where_nothing_looks_an_edit_is_left_as_it_is() -> None:
    def edit(prediction: Prediction) -> Prediction:
        return prediction

    assert Told().edit("score", edit) is edit
    assert Told().rows("score", np.copy) is np.copy
    Told().name([["a"]])
    Told().notice(Score(1.0))


def test_vectors_of_a_document_are_noticed() -> None:
    found = noticed_in(Items(VECTOR), [[0.6, 0.8], [3.0, 4.0]], {"embedding": None})
    assert found.norms == [4, 6]
    assert not math.isnan(sum(found.norms))
