"""OpenAI's embeddings: texts to bytes, and bytes to vectors."""

import numpy as np
import orjson
import pytest

from extproc.redteam.adapters.openai_embeddings import OpenAiEmbeddings
from extproc.redteam.request import Reply

ADAPTER = OpenAiEmbeddings("m", 3)


def test_a_request_is_a_list_of_texts() -> None:
    request = ADAPTER.request(["a", "b"], 1)
    assert (request.path, request.key, request.queries) == ("/v1/embeddings", 1, 2)
    assert orjson.loads(request.body) == {"model": "m", "input": ["a", "b"]}


def test_vectors_are_read_as_wide_as_they_came() -> None:
    body = orjson.dumps({"data": [{"embedding": [1, 2]}, {"embedding": [3, 4]}]})
    vectors = ADAPTER.read(Reply(200, (), body, 0, 0), 2)
    assert vectors.values.tolist() == [[1, 2], [3, 4]]
    assert vectors.served.all()


@pytest.mark.parametrize(
    ("status", "body"),
    [
        (429, b"{}"),
        (429, b'{"data": [{"embedding": [1, 2]}, {"embedding": [3, 4]}]}'),
        (200, b"{}"),
        (200, b"<html>"),
        (200, b'{"data": [{"embedding": [1, 2]}, {"embedding": [3]}]}'),
    ],
)
def test_what_cannot_be_read_was_not_served(status: int, body: bytes) -> None:
    vectors = ADAPTER.read(Reply(status, (), body, 0, 0), 2)
    assert vectors.values.shape == (2, 3)
    assert np.isnan(vectors.values).all()
    assert not vectors.served.any()
