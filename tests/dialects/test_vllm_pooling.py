"""Pooled outputs: hidden states, unless the operator says that they are embeddings."""

from typing import Any

import orjson
import pytest

from extproc.dialects import VllmPooling
from extproc.errors import UpstreamError
from extproc.mutators import Truncate
from extproc.prediction import Query
from extproc.refusal import UNKNOWN_MODEL
from tests.corpus import answers
from tests.dialects.tiers import tier
from tests.dialects.ways import GRANTED, Swept, goes_on_as_it_is, keep_the_laws, left, refusing

POOLING, EMBEDDING = VllmPooling(), VllmPooling(holds="embedding")


@pytest.mark.parametrize("dialect", [POOLING, EMBEDDING])
def test_real_answers_keep_the_laws_and_a_known_request_goes_on_as_it_is(
    dialect: VllmPooling,
) -> None:
    keep_the_laws(dialect, "vllm_pooling")
    goes_on_as_it_is(dialect, "vllm_pooling/request.json")


def test_every_input_is_a_query() -> None:
    asked = POOLING.read(orjson.dumps({"model": "m", "input": [[1, 2], [3]]}), {}, GRANTED)
    assert asked.query == Query("m", inputs=2)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("encoding_format", "bytes"),
        ("encoding_format", "bytes_only"),
        ("embed_dtype", "float16"),
        ("embed_dtype", "fp8_e4m3"),
        ("endianness", "big"),
        ("task", "token_embed"),
        ("task", "plugin"),
        ("data", {}),
    ],
)
def test_what_mutators_could_not_write_is_refused(name: str, value: Any) -> None:
    assert name in refusing(EMBEDDING, {"model": "m", "input": "a", name: value})


@pytest.mark.parametrize("document", answers("vllm_pooling"))
def test_what_nobody_declared_is_a_tensor_and_passes_for_no_embedding(document: bytes) -> None:
    served = left(POOLING.answer(), document, {"embedding": None})
    for item in served["data"]:
        assert item["data"] is None or all(token is None for token in item["data"])
    assert left(POOLING.answer(), document, {"tensor": None})["data"][0]["data"]


def test_each_vector_of_a_declared_embedding_is_edited() -> None:
    first = tier({"embedding": [Truncate(dimensions=1)]})
    shapes = [
        [
            [len(token) for token in item["data"]]
            if isinstance(item["data"][0], list)
            else len(item["data"])
            for item in left(EMBEDDING.answer(), document, first)["data"]
        ]
        for document in answers("vllm_pooling")
    ]
    assert shapes == [[1, 1], [8], [[1, 1], [1]]]


@pytest.mark.parametrize("wrong", [{}, 7, [[[0.5]]], [["a"]], "????", [{"logits": 1}]])
@pytest.mark.parametrize("dialect", [POOLING, EMBEDDING])
def test_what_is_no_vector_is_unreadable(dialect: VllmPooling, wrong: Any) -> None:
    document = orjson.dumps({"data": [{"index": 0, "data": wrong}]})
    with pytest.raises(UpstreamError):
        left(dialect.answer(), document, {"tensor": None, "embedding": None})


@pytest.mark.parametrize("name", ["tensor", "embedding"])
def test_who_may_see_labels_alone_sees_how_many_there_are(name: str) -> None:
    served = orjson.loads(Swept.read(f"vllm_pooling_{name}").served())
    assert [item["data"] for item in served["data"]] == [None, [None, None], None]


def test_an_error_has_openais_shape() -> None:
    assert orjson.loads(POOLING.error(UNKNOWN_MODEL))["error"]["code"] == "model_not_found"
