"""Vectors in a space of their tenant's own, and vectors that are compared instead of served."""

import re

import httpx
import numpy as np
import orjson
import pybase64
import pytest

from tests.e2e import bodies
from tests.e2e.client import post
from tests.e2e.gateway import LiveGateway
from tests.e2e.upstream import Upstream, answering

SPACE = "x-extproc-space-id"
THEIRS = "s3cret-space"


def asked(gateway: LiveGateway, tenant: str, count: int, **fields: object) -> httpx.Response:
    body = bodies.embeddings_request(**{"input": ["a"] * count, **fields})
    return post(gateway, bodies.EMBEDDINGS, body, tenant)


def test_an_answer_with_rotated_vectors_names_their_space(
    gateway: LiveGateway, upstream: Upstream
) -> None:
    upstream.script = answering(bodies.embeddings_answer(2), **{SPACE: THEIRS})
    first, again = asked(gateway, "rotated", 2), asked(gateway, "rotated", 2)
    other = asked(gateway, "rotated", 2, model="other")
    assert [each.status_code for each in (first, again, other)] == [200] * 3
    assert re.fullmatch("[0-9a-f]{16}", first.headers[SPACE])
    assert first.headers.get_list(SPACE) == again.headers.get_list(SPACE)
    assert other.headers[SPACE] != first.headers[SPACE]
    assert SPACE not in asked(gateway, "standard", 2).headers


@pytest.mark.parametrize("encoded", [False, True])
@pytest.mark.parametrize(("count", "dimensions"), [(2, 384), (48, 1536)])
def test_vectors_are_compared_and_none_leaves(
    gateway: LiveGateway, upstream: Upstream, count: int, dimensions: int, *, encoded: bool
) -> None:
    upstream.script = answering(bodies.embeddings_answer(count, dimensions, encoded=encoded))
    response = asked(gateway, "compared", count)
    assert response.status_code == 200
    vectors = np.array([bodies.vector(index, dimensions) for index in range(count)])
    vectors /= np.linalg.norm(vectors, axis=1)[:, np.newaxis]
    rows = [each["embedding"] for each in orjson.loads(response.content)["data"]]
    if encoded:
        rows = [np.frombuffer(pybase64.b64decode(row), "<f4") for row in rows]
    np.testing.assert_allclose(np.array(rows), vectors @ vectors.T, atol=0.011)


def test_what_cannot_be_compared_is_no_answer(gateway: LiveGateway, upstream: Upstream) -> None:
    upstream.script = answering(bodies.embeddings_answer(3))
    assert asked(gateway, "compared", 2).status_code == 502
    refused = asked(gateway, "compared", 129)
    assert refused.status_code == 400
    assert "128 inputs" in refused.json()["error"]["message"]
