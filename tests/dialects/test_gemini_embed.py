"""Gemini's embeddings: one content or a batch, and the model of the path alone."""

from typing import Any

import orjson
import pytest

from extproc.dialects import GeminiEmbed
from extproc.dialects.gate import Terms
from extproc.errors import ClientError, UpstreamError
from extproc.mutators import Quantize, Truncate
from extproc.prediction import Query
from extproc.refusal import UNKNOWN_MODEL
from tests.corpus import answers, body
from tests.dialects.replay import walked
from tests.dialects.tiers import OPEN, is_untouched, served, tier

EMBED = GeminiEmbed()
ANSWER = EMBED.answer()
PATH = {"model": "gemini-embedding-001"}
MODEL = "models/gemini-embedding-001"
CONTENT = {"parts": [{"text": "one"}]}


class TestRequest:
    def test_one_content_is_one_input(self) -> None:
        original = body("gemini_embed/request.json")
        asked = EMBED.read(original, PATH, Terms(()))
        assert asked.body is original
        assert asked.query == Query("gemini-embedding-001", inputs=1)
        assert asked.inputs == [{"parts": [{"text": "What is 27 * 453?"}]}]

    def test_a_batch_is_as_many_inputs_as_it_has_requests(self) -> None:
        asked = EMBED.read(body("gemini_embed/batch.json"), PATH, Terms(()))
        assert asked.query == Query("gemini-embedding-001", inputs=2)
        assert asked.inputs == [CONTENT, {"parts": [{"text": "two"}]}]

    @pytest.mark.parametrize(
        ("wrong", "words"),
        [
            ({}, "Either 'content' or 'requests'"),
            ({"content": None}, "Either"),
            ({"content": CONTENT, "requests": [{"content": CONTENT}]}, "Either"),
            ({"content": CONTENT, "requests": []}, "Either"),
            ({"content": "one"}, "'content' must be an object"),
            ({"requests": []}, "'requests' must not be empty"),
            ({"requests": {}}, "'requests' must be an array"),
            ({"requests": [None]}, "'model'"),
            ({"requests": [7]}, "must be an object"),
            ({"requests": [{}]}, "'content' must be an object"),
            ({"requests": [{"content": CONTENT, "x": 1}]}, r"requests\[\].x"),
            ({"requests": [{"content": CONTENT, "model": "models/other"}]}, "'model'"),
            ({"requests": [{"content": CONTENT}], "model": "models/other"}, "'model'"),
            ({"content": CONTENT, "model": "models/other"}, "'model'"),
            ({"content": CONTENT, "model": "gemini-embedding-001"}, "'model'"),
            ({"content": CONTENT, "model": [MODEL]}, "'model'"),
            ({"content": CONTENT, "output_dimensionality": 2}, "output_dimensionality"),
        ],
    )
    def test_a_wrong_request_is_refused(self, wrong: dict[str, Any], words: str) -> None:
        with pytest.raises(ClientError, match=words):
            EMBED.read(orjson.dumps(wrong), PATH, Terms(()))

    def test_the_model_may_stay_unsaid(self) -> None:
        for asked in ({"content": CONTENT}, {"requests": [{"content": CONTENT, "model": None}]}):
            assert EMBED.read(orjson.dumps(asked), PATH, Terms(())).query.inputs == 1


class TestAnswer:
    def test_vectors_pass_as_the_tier_makes_them(self) -> None:
        edits = tier({"embedding": [Truncate(dimensions=2)]})
        left, dropped = served(ANSWER, body("gemini_embed/answer.json"), edits)
        assert left.keys() == {"embedding"}
        assert len(left["embedding"]["values"]) == 2
        assert dropped["embedding.*"] == 1
        batch, _ = served(ANSWER, body("gemini_embed/answer_batch.json"), edits)
        assert [len(each["values"]) for each in batch["embeddings"]] == [2, 2]

    @pytest.mark.parametrize("document", answers("gemini_embed"))
    def test_what_is_not_granted_is_gone(self, document: bytes) -> None:
        left, _ = served(ANSWER, document, {"text": None, "label": None})
        assert left in ({"embedding": {}}, {"embeddings": [{}, {}]})
        full, _ = served(ANSWER, document, OPEN)
        assert is_untouched(ANSWER, orjson.dumps(full), OPEN)

    @pytest.mark.parametrize("document", answers("gemini_embed"))
    def test_large_documents_are_rewritten_like_small_ones(self, document: bytes) -> None:
        for edits in (OPEN, {}, tier({"embedding": [Quantize(bits=8)]})):
            assert (
                orjson.loads(walked(ANSWER, document, edits)) == served(ANSWER, document, edits)[0]
            )

    @pytest.mark.parametrize(
        "wrong",
        [
            {"embedding": [0.5]},
            {"embedding": {"values": "AAAA"}},
            {"embeddings": {"values": [0.5]}},
            {"error": {"message": "s3cret"}},
        ],
    )
    def test_another_shape_is_unreadable(self, wrong: Any) -> None:
        with pytest.raises(UpstreamError):
            served(ANSWER, orjson.dumps(wrong), OPEN)


def test_an_error_has_googles_shape() -> None:
    assert orjson.loads(EMBED.error(UNKNOWN_MODEL))["error"]["status"] == "NOT_FOUND"
