import json

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from starlette.testclient import TestClient

from extproc.demo.server.apis.http import MAX_BODY, render


def test_a_body_above_the_limit_is_refused(client: TestClient) -> None:
    large = client.post("/v1/embeddings", content=b" " * (MAX_BODY + 1))
    assert large.status_code == 413
    assert large.json()["error"]["message"] == "The request body is too large."


def test_a_body_that_does_not_fit_is_refused_with_the_place(client: TestClient) -> None:
    wrong = client.post("/v1/embeddings", json={"model": "minilm", "input": 7})
    assert wrong.status_code == 400
    assert "$.input" in wrong.json()["error"]["message"]
    assert client.post("/v1/embeddings", content=b"{").status_code == 400


@given(st.lists(st.floats(allow_nan=False, allow_infinity=False)))
def test_floats_keep_all_their_digits(values: list[float]) -> None:
    assert json.loads(render(np.array(values))) == values
