"""Searches of a vector store: texts of the caller's own, and how near each is to the question."""

from typing import Any

import orjson
import pytest

from extproc.dialects import OpenAIVectorSearch
from extproc.dialects.gate import Terms
from extproc.errors import ClientError, UpstreamError
from extproc.mutators import Round
from extproc.prediction import KINDS, Kind, Query
from extproc.refusal import UNKNOWN_MODEL
from tests.corpus import body
from tests.dialects.openai_client import client_of
from tests.dialects.tiers import OPEN, is_untouched, released, served, tier

SEARCH = OpenAIVectorSearch()
ANSWER = SEARCH.answer()
DOCUMENT = body("openai_vector_search/answer.json")


def asking(**fields: Any) -> bytes:
    return orjson.dumps({"query": "a"} | fields)


def test_a_request_of_known_fields_goes_on_byte_for_byte() -> None:
    original = body("openai_vector_search/request.json")
    asked = SEARCH.read(original, {"model": "vs_1"}, Terms(()))
    assert asked.body is original
    assert asked.query == Query("vs_1", inputs=2)
    assert asked.inputs == ["What is the return policy?", "refunds"]


def test_the_route_says_which_store_it_is_where_the_path_does_not() -> None:
    asked = OpenAIVectorSearch(model="manuals").read(asking(), {}, Terms(()))
    assert (asked.query, asked.inputs) == (Query("manuals", inputs=1), ["a"])


def test_a_threshold_which_would_tell_scores_exactly_does_not_go_on() -> None:
    asked = SEARCH.read(
        asking(ranking_options={"ranker": "none", "score_threshold": 0.5}), {}, Terms(KINDS)
    )
    assert orjson.loads(asked.body)["ranking_options"] == {"ranker": "none"}
    assert asked.changed == {"ranking_options.score_threshold": 1}


@pytest.mark.parametrize(
    "wrong",
    [
        {"query": None},
        {"query": []},
        {"query": [1]},
        {"query": ["a", ["b"]]},
        {"max_num_results": 0},
        {"max_num_results": 51},
        {"max_num_results": "all"},
        {"ranking_options": {"return_vectors": True}},
        {"ranking_options": "none"},
        {"include_vectors": True},
    ],
)
def test_a_wrong_value_is_refused(wrong: dict[str, Any]) -> None:
    with pytest.raises(ClientError):
        SEARCH.read(asking(**wrong), {}, Terms(KINDS))


@pytest.mark.parametrize("granted", [(), ("text",), ("score",), KINDS])
def test_no_secret_passes_and_the_stock_client_reads_the_rest(granted: tuple[Kind, ...]) -> None:
    shown = released(SEARCH.answers()["application/json"], DOCUMENT, dict.fromkeys(granted))
    assert b"s3cret" not in shown
    assert (b"31337" in shown) is ("score" in granted)
    read = client_of(shown).vector_stores.search("vs_1", query="a").data
    assert [result.file_id for result in read] == ["file-1", "file-2"]
    if "text" in granted:
        assert [result.content[0].text for result in read] == ["Within 30 days.", "No refunds."]
        assert [result.filename for result in read] == ["returns.md", "terms.md"]
    if "score" in granted:
        assert [result.score for result in read] == [0.8731337, 0.4131337]


def test_scores_are_rounded_and_the_order_stays() -> None:
    shown, _ = served(ANSWER, DOCUMENT, tier({"score": [Round(digits=1)], "text": []}))
    assert [(each["file_id"], each["score"]) for each in shown["data"]] == [
        ("file-1", 0.9),
        ("file-2", 0.4),
    ]


@pytest.mark.parametrize("question", ["returns", ["returns", "refunds"], None])
def test_the_question_as_a_model_rewrote_it_is_text(question: Any) -> None:
    document = orjson.dumps({"search_query": question})
    assert is_untouched(ANSWER, document, OPEN)
    shown, dropped = served(ANSWER, document, {})
    assert shown == ({} if question else {"search_query": None})
    assert dropped == ({"search_query": 1} if question else {})


def test_attributes_pass_where_the_route_allows_them() -> None:
    tree = OpenAIVectorSearch(allow_response=("data.attributes",)).answer()
    shown, _ = served(tree, DOCUMENT, OPEN)
    assert [each["attributes"] for each in shown["data"]] == [{"s3cret": "s3cret"}, None]


def test_an_answer_of_known_fields_is_untouched() -> None:
    known, dropped = served(ANSWER, DOCUMENT, OPEN)
    assert is_untouched(ANSWER, orjson.dumps(known), OPEN)
    assert dropped == {"*": 2, "data[].*": 4, "data[].content[].*": 1}


@pytest.mark.parametrize(
    "wrong",
    [
        {"error": {"message": "gpu-07"}},
        {"data": [{"score": "0.8"}]},
        {"data": [{"score": [0.8]}]},
        {"data": {}},
        {"data": [{"content": "text"}]},
    ],
)
def test_an_answer_that_is_none_does_not_pass(wrong: dict[str, Any]) -> None:
    with pytest.raises(UpstreamError):
        served(ANSWER, orjson.dumps(wrong), OPEN)


def test_an_error_has_openais_shape() -> None:
    assert orjson.loads(SEARCH.error(UNKNOWN_MODEL))["error"]["code"] == "model_not_found"
