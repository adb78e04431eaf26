"""Rankings: the order is the answer, the scores are the tier's, the documents the caller's own."""

from collections.abc import Mapping
from typing import Any

import orjson
import pytest

from extproc.canonical import digest
from extproc.dialects import Rerank
from extproc.dialects.shape import Rewrite
from extproc.draw import Draw, Draws, Source
from extproc.errors import UpstreamError
from extproc.mutators import Round
from extproc.prediction import Prediction, Query, Score
from extproc.refusal import UNKNOWN_MODEL
from tests.corpus import answers
from tests.dialects.tiers import MODEL, OPEN, tier
from tests.dialects.ways import GRANTED, Swept, goes_on_as_it_is, keep_the_laws, left, refusing

RERANK = Rerank()
ASKED: Mapping[str, Any] = {"model": "m", "query": "q", "documents": ["a", {"text": "b"}]}


def test_real_answers_keep_the_laws_and_a_known_request_goes_on_as_it_is() -> None:
    keep_the_laws(RERANK, "rerank")
    goes_on_as_it_is(RERANK, "rerank/request.json")


def test_every_document_is_a_query() -> None:
    asked = RERANK.read(orjson.dumps(ASKED), {}, GRANTED)
    assert asked.query == Query("m", inputs=2)
    assert len(set(map(digest, asked.inputs))) == 2


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("query", None),
        ("query", ["q"]),
        ("documents", []),
        ("documents", "a"),
        ("documents", [1]),
        ("documents", None),
        ("model", ""),
        ("return_embeddings", True),
        ("use_activation", False),
        ("return_logits", True),
    ],
)
def test_what_is_no_ranking_or_asks_for_more_is_refused(name: str, value: Any) -> None:
    assert name in refusing(RERANK, {**ASKED, name: value})


def test_a_prefix_cache_is_not_the_clients_to_share() -> None:
    asked = RERANK.read(orjson.dumps({**ASKED, "cache_salt": "theirs"}), {}, GRANTED)
    assert orjson.loads(asked.body) == ASKED


@pytest.mark.parametrize("document", answers("rerank"))
def test_scores_are_served_at_the_tier_in_the_servers_order(document: bytes) -> None:
    before = orjson.loads(document)["results"]
    served = left(RERANK.answer(), document, OPEN | tier({"score": [Round(digits=0)]}))["results"]
    assert [item["index"] for item in served] == [item["index"] for item in before]
    assert all(item["relevance_score"] in {0.0, 1.0} for item in served)
    assert served[0].get("document", 0) in (0, {"text": "Paris."})


@pytest.mark.parametrize("document", [{"score": 0.5}, {"text": {"a": 1}}, ["a"], 7])
def test_a_document_is_a_text_or_holds_one(document: Any) -> None:
    body = orjson.dumps({"results": [{"index": 0, "document": document}]})
    if document == {"score": 0.5}:
        assert left(RERANK.answer(), body, OPEN) == {"results": [{"index": 0, "document": {}}]}
        return
    with pytest.raises(UpstreamError):
        left(RERANK.answer(), body, OPEN)


def test_what_is_drawn_for_a_score_is_drawn_for_its_document_wherever_it_ranks() -> None:
    drawn: dict[float, bytes] = {}

    def noting(source: Source | None, prediction: Prediction) -> Prediction:
        assert isinstance(prediction, Score)
        assert source is not None
        drawn[prediction.value] = source.input.key
        return prediction

    asked = RERANK.read(orjson.dumps(ASKED), {}, GRANTED)
    draws = Draws(Draw(b"model"), tuple(map(digest, asked.inputs)))
    for ranking in ([(0, 0.9), (1, 0.1)], [(1, 0.8), (0, 0.2)]):
        results = [{"index": i, "relevance_score": score} for i, score in ranking]
        RERANK.answer().rewrite({"results": results}, Rewrite({"score": noting}, MODEL, draws), "")
    assert drawn[0.9] == drawn[0.2] != drawn[0.1] == drawn[0.8]


@pytest.mark.parametrize("fault", ["error", "message"])
def test_an_answer_that_reports_an_error_does_not_pass(fault: str) -> None:
    with pytest.raises(UpstreamError, match="reports an error"):
        left(RERANK.answer(), orjson.dumps({fault: "gpu-07"}), OPEN)


@pytest.mark.parametrize("name", ["plain", "v1", "v2"])
def test_who_may_see_text_and_labels_sees_the_order_and_the_documents(name: str) -> None:
    served = orjson.loads(Swept.read(f"rerank_{name}").served())
    assert served["results"] == [
        {"index": 1, "relevance_score": None, "document": {"text": "three"}},
        {"index": 0, "relevance_score": None, "document": "two"},
    ]
    assert served["meta"] == {"api_version": {"version": "2", "is_deprecated": False}}


def test_an_error_has_coheres_shape() -> None:
    assert orjson.loads(RERANK.error(UNKNOWN_MODEL)) == {"message": UNKNOWN_MODEL.message}
