from base64 import b64decode
from typing import Any

import numpy as np
from starlette.testclient import TestClient

from extproc.demo.server.models.minilm import MiniLm
from extproc.demo.server.models.minilm_private import PrivateMiniLm

TEXTS = ["A man is eating food.", "The girl is carrying a baby."]


def _post(client: TestClient, **fields: Any) -> Any:
    response = client.post("/v1/embeddings", json={"model": "minilm", "input": TEXTS} | fields)
    return response.json() | {"status": response.status_code}


def test_floats_and_base64_are_the_models_float32_values(
    client: TestClient, minilm: MiniLm
) -> None:
    vectors = minilm.embed(TEXTS).vectors
    floats, coded = _post(client), _post(client, encoding_format="base64")
    for index, vector in enumerate(vectors):
        listed = np.array(floats["data"][index]["embedding"], np.float32)
        decoded = np.frombuffer(b64decode(coded["data"][index]["embedding"]), "<f4")
        np.testing.assert_array_equal(listed, vector)
        np.testing.assert_array_equal(decoded, vector)


def test_an_answer_has_the_shape_of_openais(client: TestClient) -> None:
    answer = _post(client, input=TEXTS[0], user="someone")
    (embedding,) = answer["data"]
    assert list(embedding) == ["object", "index", "embedding"]
    assert (embedding["object"], embedding["index"]) == ("embedding", 0)
    assert (answer["object"], answer["model"]) == ("list", "minilm")
    assert answer["usage"] == {"prompt_tokens": 8, "total_tokens": 8}


def test_fewer_dimensions_are_the_first_ones_at_length_one(
    client: TestClient, minilm: MiniLm
) -> None:
    first = minilm.embed(TEXTS[:1]).vectors[0, :32]
    (embedding,) = _post(client, input=TEXTS[0], dimensions=32)["data"]
    np.testing.assert_allclose(embedding["embedding"], first / np.linalg.norm(first), rtol=1e-6)


def test_what_cannot_be_embedded_is_refused(client: TestClient) -> None:
    assert _post(client, dimensions=385)["error"]["param"] == "dimensions"
    for wrong in ("", [], [""], [[1, 2]], ["a"] * 2049):
        assert _post(client, input=wrong)["status"] == 400
    assert _post(client, model="tiny-lm")["error"]["code"] == "model_not_found"


def test_each_model_answers_under_its_own_name(client: TestClient, minilm: MiniLm) -> None:
    answer = _post(client, model="minilm-private")
    assert answer["model"] == "minilm-private"
    vectors = np.array([each["embedding"] for each in answer["data"]])
    np.testing.assert_allclose(vectors, PrivateMiniLm.on(minilm).embed(TEXTS).vectors, atol=1e-6)
    assert _post(client, model="minilm-private", dimensions=257)["error"]["param"] == "dimensions"
