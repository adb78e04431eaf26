"""Cohere's classification: three places that tell how sure the model is, and one answer."""

from collections.abc import Mapping
from typing import Any

import orjson
import pytest

from extproc.dialects import CohereClassify
from extproc.errors import UpstreamError
from extproc.mutators import Drop, LabelOnly, Round, TopK
from extproc.prediction import Query
from extproc.refusal import UNKNOWN_MODEL
from tests.corpus import body
from tests.dialects.tiers import OPEN, Edits, tier
from tests.dialects.ways import GRANTED, Swept, goes_on_as_it_is, keep_the_laws, left, refusing

CLASSIFY = CohereClassify()
ASKED: Mapping[str, Any] = {"model": "m", "inputs": ["a", "b"]}
ONE: Mapping[str, Any] = {
    "id": "1",
    "prediction": "Spam",
    "predictions": ["Spam"],
    "confidence": 0.76,
    "confidences": [0.76],
    "labels": {"Ham": {"confidence": 0.2}, "Spam": {"confidence": 0.76}, "X": {"confidence": 0.04}},
    "classification_type": "single-label",
}


def shown(edits: Edits, **fields: Any) -> Any:
    document = orjson.dumps({"classifications": [{**ONE, **fields}]})
    return left(CLASSIFY.answer(), document, edits)["classifications"][0]


def test_real_answers_keep_the_laws_and_a_known_request_goes_on_as_it_is() -> None:
    keep_the_laws(CLASSIFY, "cohere_classify")
    goes_on_as_it_is(CLASSIFY, "cohere_classify/request.json")


def test_every_input_is_a_query() -> None:
    asked = CLASSIFY.read(orjson.dumps(ASKED), {}, GRANTED)
    assert asked.query == Query("m", inputs=2)
    for name, wrong in (("inputs", "a"), ("inputs", []), ("model", None), ("output", 1)):
        assert name in refusing(CLASSIFY, {**ASKED, name: wrong})


def test_all_three_places_tell_what_the_edited_distribution_tells() -> None:
    rounded = shown(OPEN | tier({"probabilities": [Round(digits=1)]}))
    assert rounded["labels"] == {"Ham": {"confidence": 0.2}, "Spam": {"confidence": 0.8}}
    assert (rounded["confidence"], rounded["confidences"]) == (0.8, [0.8])
    one = shown(OPEN | tier({"probabilities": [LabelOnly()]}))
    assert one["labels"] == {"Spam": {"confidence": 1.0}}
    assert (one["confidence"], one["confidences"]) == (1.0, [1.0])


def test_an_answer_that_tells_of_no_class_stays_without() -> None:
    assert shown(OPEN, labels=None, confidence=None, confidences=None)["labels"] is None


def test_a_copy_with_more_digits_does_not_survive_where_the_distribution_needs_no_change() -> None:
    edits = OPEN | tier({"probabilities": [TopK(k=3)]})
    served = shown(edits, confidence=0.7612345, confidences=[0.7612345])
    assert (served["confidence"], served["confidences"]) == (0.76, [0.76])


@pytest.mark.parametrize("edits", [{"label": None}, {"probabilities": None}, {"text": None}])
def test_without_the_names_or_the_numbers_there_is_no_distribution(edits: Edits) -> None:
    served = shown(edits)
    assert (served["labels"], served["confidence"], served["confidences"]) == (None, None, None)
    assert ("prediction" in served) is ("label" in edits)


def test_where_a_mutator_withholds_it_the_label_stays() -> None:
    served = shown({"label": None, "probabilities": lambda source, prediction: None})
    assert served["prediction"] == "Spam"
    assert served["labels"] is None


def test_of_several_labels_each_has_a_score_of_its_own() -> None:
    document = body("cohere_classify/answer_multi.json")
    rounded = left(CLASSIFY.answer(), document, OPEN | tier({"score": [Round(digits=1)]}))
    served = rounded["classifications"][0]
    assert served["labels"]["b"] == {"confidence": 0.8}
    assert served["confidences"] == [0.9, 0.8]
    assert "confidence" not in served
    closed = left(CLASSIFY.answer(), document, {"label": None, "probabilities": None})
    assert closed["classifications"][0]["labels"] is None
    withheld = left(CLASSIFY.answer(), document, OPEN | {"score": lambda source, prediction: None})[
        "classifications"
    ][0]
    assert (withheld["labels"], withheld["confidences"]) == ({}, [None, None])


def test_an_unknown_field_of_a_label_does_not_pass_even_where_all_does() -> None:
    labels = {"Spam": {"confidence": 0.75, "logit": 3.5}, "Ham": {"confidence": 0.25}}
    assert shown(OPEN, labels=labels)["labels"] == {
        "Spam": {"confidence": 0.75},
        "Ham": {"confidence": 0.25},
    }


@pytest.mark.parametrize(
    "labels",
    [
        [],
        "Spam",
        {"Spam": None},
        {"Spam": 0.5},
        {"Spam": {}},
        {"Spam": {"confidence": None}},
        {"Spam": {"confidence": "0.5"}},
        {"Spam": {"confidence": True}},
        {"Spam": {"confidence": 2.5}},
        {"Spam": {"confidence": [0.5]}},
        {"Spam": {"confidence": 0.8}, "Ham": {"confidence": 0.8}},
    ],
)
def test_what_is_no_distribution_is_unreadable_even_where_all_passes(labels: Any) -> None:
    for edits in (OPEN, tier({"probabilities": [Round(digits=1)], "label": []})):
        with pytest.raises(UpstreamError):
            shown(edits, labels=labels)


@pytest.mark.parametrize("field", ["confidence", "confidences", "prediction", "predictions"])
def test_a_place_holds_numbers_or_names_and_no_more(field: str) -> None:
    for wrong in ({"logits": [1.5]}, [[1.5]], [{"a": 1}]):
        with pytest.raises(UpstreamError):
            shown(OPEN, **{field: wrong})


def test_null_is_no_answer_and_stays() -> None:
    document = b'{"classifications":[null]}'
    assert left(CLASSIFY.answer(), document, OPEN) == {"classifications": [None]}


def test_who_may_see_labels_alone_sees_which() -> None:
    served = orjson.loads(Swept.read("cohere_classify_document").served())["classifications"]
    assert [item.get("prediction") for item in served] == ["Spam", None]
    assert [item["predictions"] for item in served] == [["Spam"], ["Spam"]]
    assert [item["labels"] for item in served] == [None, None]


def test_an_error_has_coheres_shape() -> None:
    assert orjson.loads(CLASSIFY.error(UNKNOWN_MODEL)) == {"message": UNKNOWN_MODEL.message}


def test_what_is_hidden_may_be_told_as_one_label_and_makes_nothing_surer() -> None:
    edits = OPEN | tier({"probabilities": [TopK(k=1, other=True), Round(digits=2)]})
    one = shown(edits)
    assert one["labels"] == {"Spam": {"confidence": 0.76}, "other": {"confidence": 0.24}}
    assert (one["confidence"], one["confidences"]) == (0.76, [0.76])


def test_without_its_probabilities_it_tells_nothing_of_them() -> None:
    one = shown(OPEN | tier({"probabilities": [Drop()]}))
    assert (one["labels"], one["confidence"]) == (None, None)
