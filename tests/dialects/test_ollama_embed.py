"""Ollama's embeddings: as many vectors as inputs, and an array whatever the tier."""

from typing import Any

import httpx
import ollama
import orjson
import pytest

from extproc.dialects import OllamaEmbed
from extproc.dialects.gate import Terms
from extproc.errors import ClientError, UpstreamError
from extproc.mutators import Quantize, Truncate
from extproc.prediction import KINDS, Query
from extproc.refusal import UNKNOWN_MODEL
from tests.corpus import body
from tests.dialects.replay import played, walked
from tests.dialects.tiers import MODEL, OPEN, Edits, is_untouched, served, tier

EMBED = OllamaEmbed()
ANSWER = EMBED.answer()
DOCUMENT = body("ollama_embed/answer.json")
JSON = "application/json"


def test_each_input_counts() -> None:
    asked = EMBED.read(body("ollama_embed/request.json"), {}, Terms(KINDS))
    assert asked.query == Query("all-minilm", inputs=2)
    assert asked.inputs == ["one", "two"]
    assert asked.changed == {"keep_alive": 1}
    one = orjson.dumps({"model": "m", "input": "one"})
    read = EMBED.read(one, {}, Terms(()))
    assert read.body is one
    assert (read.query, read.inputs) == (Query("m", inputs=1), ["one"])


@pytest.mark.parametrize(
    ("wrong", "words"),
    [
        ({"model": None}, "'model'"),
        ({"model": ""}, "'model'"),
        ({"input": None}, "'input'"),
        ({"input": []}, "'input'"),
        ({"input": [7]}, "'input'"),
        ({"input": ["one", 7]}, "'input'"),
        ({"input": 7}, "'input'"),
        ({"prompt": "one"}, "prompt"),
        ({"options": {"num_gpu": 1}}, "options.num_gpu"),
        ({"stream": False}, "stream"),
    ],
)
def test_a_wrong_request_is_refused(wrong: dict[str, Any], words: str) -> None:
    asked = {"model": "m", "input": "one"} | wrong
    with pytest.raises(ClientError, match=words):
        EMBED.read(orjson.dumps(asked), {}, Terms(()))


def test_vectors_pass_as_the_tier_makes_them() -> None:
    edits = tier({"embedding": [Truncate(dimensions=1)], "usage": ()})
    left, _ = served(ANSWER, DOCUMENT, edits)
    assert left == {"model": MODEL, "embeddings": [[0.5], [1.0]], "prompt_eval_count": 8}
    assert is_untouched(ANSWER, DOCUMENT, OPEN)


def test_large_documents_are_rewritten_like_small_ones() -> None:
    for edits in (OPEN, {}, tier({"embedding": [Quantize(bits=8)]})):
        left, _ = served(ANSWER, DOCUMENT, edits)
        assert orjson.loads(walked(ANSWER, DOCUMENT, edits)) == left


@pytest.mark.parametrize(
    "wrong",
    [{"embeddings": [0.5]}, {"embeddings": {"0": [0.5]}}, {"error": "s3cret"}, []],
)
def test_another_shape_is_unreadable(wrong: Any) -> None:
    with pytest.raises(UpstreamError):
        served(ANSWER, orjson.dumps(wrong), OPEN)


@pytest.mark.parametrize(
    ("edits", "vectors"),
    [(OPEN, [[0.5, -0.25], [0.125, -1.0]]), ({"text": None}, []), ({}, [])],
)
def test_ollamas_client_reads_it(edits: Edits, vectors: list[list[float]]) -> None:
    out = played(EMBED.answers(), JSON, [DOCUMENT], edits)

    def answered(_request: httpx.Request) -> httpx.Response:
        return httpx.Response(200, headers={"content-type": JSON}, content=out)

    client = ollama.Client(host="http://localhost", transport=httpx.MockTransport(answered))
    assert client.embed(MODEL, "one").embeddings == vectors


def test_an_error_is_a_message_alone() -> None:
    assert orjson.loads(EMBED.error(UNKNOWN_MODEL)) == {"error": UNKNOWN_MODEL.message}
