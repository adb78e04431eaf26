"""Vertex AI's text embeddings: a vector and its statistics for each instance."""

from typing import Any

import orjson
import pytest

from extproc.dialects import VertexEmbeddings
from extproc.dialects.gate import Terms
from extproc.errors import ClientError, UpstreamError
from extproc.mutators import Quantize, Truncate
from extproc.prediction import Query
from extproc.refusal import UNKNOWN_MODEL
from tests.corpus import body
from tests.dialects.replay import walked
from tests.dialects.tiers import OPEN, is_untouched, served, tier

VERTEX = VertexEmbeddings()
ANSWER = VERTEX.answer()
PATH = {"model": "text-embedding-005"}
DOCUMENT = body("vertex_embeddings/answer.json")


def test_each_instance_is_an_input() -> None:
    original = body("vertex_embeddings/request.json")
    asked = VERTEX.read(original, PATH, Terms(()))
    assert asked.body is original
    assert asked.query == Query("text-embedding-005", inputs=2)
    assert asked.inputs == ["one", "two"]


@pytest.mark.parametrize(
    ("wrong", "words"),
    [
        ({}, "'instances' must be a non-empty array"),
        ({"instances": None}, "'instances'"),
        ({"instances": []}, "'instances'"),
        ({"instances": {}}, "'instances' must be an array"),
        ({"instances": ["one"]}, "must be an object"),
        ({"instances": [None]}, "'content' must be a string"),
        ({"instances": [{}]}, "'content'"),
        ({"instances": [{"content": ["one"]}]}, "'content'"),
        ({"instances": [{"content": "one", "prompt": "x"}]}, r"instances\[\].prompt"),
        ({"instances": [{"content": "one"}], "parameters": {"temperature": 0}}, "temperature"),
        ({"instances": [{"content": "one"}], "model": "x"}, "model"),
    ],
)
def test_a_wrong_request_is_refused(wrong: dict[str, Any], words: str) -> None:
    with pytest.raises(ClientError, match=words):
        VERTEX.read(orjson.dumps(wrong), PATH, Terms(()))


def test_vectors_pass_as_the_tier_makes_them() -> None:
    edits = tier({"embedding": [Truncate(dimensions=1)], "usage": ()})
    left, _ = served(ANSWER, DOCUMENT, edits)
    assert left == {
        "predictions": [
            {"embeddings": {"values": [0.5], "statistics": {"truncated": False, "token_count": 1}}},
            {"embeddings": {"values": [1.0], "statistics": {"truncated": True, "token_count": 2}}},
        ],
        "metadata": {"billableCharacterCount": 6},
    }


def test_what_is_not_granted_is_gone() -> None:
    left, _ = served(ANSWER, DOCUMENT, {"text": None, "label": None})
    assert left == {
        "predictions": [
            {"embeddings": {"statistics": {"truncated": truncated}}} for truncated in (False, True)
        ]
    }
    assert is_untouched(ANSWER, DOCUMENT, OPEN)


def test_large_documents_are_rewritten_like_small_ones() -> None:
    for edits in (OPEN, {}, tier({"embedding": [Quantize(bits=8)]})):
        left, _ = served(ANSWER, DOCUMENT, edits)
        assert orjson.loads(walked(ANSWER, DOCUMENT, edits)) == left


@pytest.mark.parametrize(
    "wrong",
    [
        {"predictions": [[0.5]]},
        {"predictions": [{"embeddings": [0.5]}]},
        {"predictions": {"embeddings": {}}},
        {"error": "s3cret"},
    ],
)
def test_another_shape_is_unreadable(wrong: Any) -> None:
    with pytest.raises(UpstreamError):
        served(ANSWER, orjson.dumps(wrong), OPEN)


@pytest.mark.parametrize("free", [[0.5], 0.5, {"scores": [0.5]}])
def test_predictions_of_another_model_do_not_pass(free: Any) -> None:
    try:
        left, _ = served(ANSWER, orjson.dumps({"predictions": [free]}), OPEN)
    except UpstreamError:
        return
    assert left == {"predictions": [{}]}


def test_an_error_has_googles_shape() -> None:
    assert orjson.loads(VERTEX.error(UNKNOWN_MODEL))["error"]["status"] == "NOT_FOUND"
