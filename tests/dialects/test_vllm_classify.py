"""Classification: probabilities and labels, and never logits."""

from typing import Any

import orjson
import pytest

from extproc.dialects import VllmClassify
from extproc.errors import UpstreamError
from extproc.mutators import LabelOnly, Round
from extproc.prediction import Query
from extproc.refusal import UNKNOWN_MODEL
from tests.dialects.tiers import MODEL, OPEN, Edits, tier
from tests.dialects.ways import GRANTED, Swept, goes_on_as_it_is, keep_the_laws, left, refusing

CLASSIFY = VllmClassify()


def shown(probs: Any, edits: Edits = OPEN) -> Any:
    data = [{"index": 0, "label": "a", "probs": probs, "num_classes": 2}]
    document = orjson.dumps({"object": "list", "data": data, "model": MODEL})
    return left(CLASSIFY.answer(), document, edits)["data"][0]


def test_real_answers_keep_the_laws_and_a_known_request_goes_on_as_it_is() -> None:
    keep_the_laws(CLASSIFY, "vllm_classify")
    goes_on_as_it_is(CLASSIFY, "vllm_classify/request.json")


def test_every_input_is_a_query() -> None:
    asked = CLASSIFY.read(orjson.dumps({"model": "m", "input": ["a", "b"]}), {}, GRANTED)
    assert asked.query == Query("m", inputs=2)
    assert asked.inputs == ["a", "b"]
    assert "'input'" in refusing(CLASSIFY, {"model": "m"})


def test_probabilities_are_served_at_the_tier() -> None:
    assert shown([0.74, 0.26], tier({"probabilities": [Round(digits=1)]})) == {
        "index": 0,
        "probs": [0.7, 0.3],
        "num_classes": 2,
    }
    assert shown([0.74, 0.26], {"label": None})["probs"] is None
    one_hot = OPEN | tier({"probabilities": [LabelOnly()]})
    assert shown([0.74, 0.26], one_hot)["probs"] == [1, 0]


@pytest.mark.parametrize(
    "logits", [[2.1, -0.3], [-0.25, 0.75], [1.5, -0.75], [0.9, 0.8], [1.2], "0.5", {"a": 0.5}]
)
def test_logits_do_not_pass_whatever_the_tier(logits: Any) -> None:
    for edits in (OPEN, tier({"probabilities": [Round(digits=1)]})):
        with pytest.raises(UpstreamError):
            shown(logits, edits)


def test_who_may_see_labels_alone_sees_nothing_else() -> None:
    served = orjson.loads(Swept.read("vllm_classify_document").served())
    assert served["data"] == [
        {"index": 0, "label": "track", "probs": None, "num_classes": 2},
        {"index": 1, "label": "cancel", "probs": None, "num_classes": 2},
    ]
    assert served.keys() == {"id", "object", "created", "model", "data"}


def test_an_error_has_openais_shape() -> None:
    assert orjson.loads(CLASSIFY.error(UNKNOWN_MODEL))["error"]["code"] == "model_not_found"


def test_only_their_places_name_its_classes() -> None:
    assert CLASSIFY.positional()
