from typing import Any

import numpy as np
import pytest
from starlette.testclient import TestClient

from extproc.demo.server.models.digits import Digits, split

IMAGES = split()[1][:3]


def _tensor(**fields: Any) -> dict[str, Any]:
    tensor = {
        "name": "image",
        "shape": [3, 64],
        "datatype": "FP64",
        "data": IMAGES.ravel().tolist(),
    }
    return tensor | fields


def _infer(client: TestClient, model: str = "digits", **fields: Any) -> Any:
    body = {"inputs": [_tensor()]} | fields
    response = client.post(f"/v2/models/{model}/infer", json=body)
    return response.json() | {"status": response.status_code}


def test_the_scores_come_with_all_their_digits(client: TestClient, digits: Digits) -> None:
    scores = digits.score(IMAGES)
    probabilities, label = _infer(client)["outputs"]
    assert probabilities == {
        "name": "probabilities",
        "datatype": "FP64",
        "shape": [3, 10],
        "data": scores.probabilities.ravel().tolist(),
    }
    assert label == {
        "name": "label",
        "datatype": "INT64",
        "shape": [3],
        "data": scores.labels.tolist(),
    }
    np.testing.assert_allclose(np.reshape(probabilities["data"], (3, 10)).sum(axis=1), 1)


def test_nested_and_fp32_data_are_read_too(client: TestClient) -> None:
    flat = _infer(client)["outputs"]
    assert _infer(client, inputs=[_tensor(data=IMAGES.tolist())])["outputs"] == flat
    assert _infer(client, inputs=[_tensor(datatype="FP32")])["outputs"] == flat  # whole numbers


def test_logits_are_given_only_when_asked_for(client: TestClient, digits: Digits) -> None:
    assert [output["name"] for output in _infer(client)["outputs"]] == ["probabilities", "label"]
    (logits,) = _infer(client, outputs=[{"name": "logits"}])["outputs"]
    assert logits["data"] == digits.score(IMAGES).logits.ravel().tolist()


def test_the_id_is_given_back_only_if_there_was_one(client: TestClient) -> None:
    assert list(_infer(client, id="7")) == [
        "model_name",
        "model_version",
        "id",
        "outputs",
        "status",
    ]
    assert "id" not in _infer(client)


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({"inputs": []}, "$.inputs"),
        ({"inputs": [_tensor(name="pixels")]}, "unexpected inference input 'pixels'"),
        ({"inputs": [_tensor(shape=[192])]}, "must have shape"),
        ({"inputs": [_tensor(shape=[0, 64], data=[])]}, "must have shape"),
        ({"inputs": [_tensor(shape=[1025, 64])]}, "must have shape"),
        ({"inputs": [_tensor(shape=[2, 64])]}, "as many data as its shape"),
        ({"inputs": [_tensor(data=[[1.0], [1.0, 2.0]])]}, "as many data as its shape"),
        ({"inputs": [_tensor(datatype="BYTES")]}, "$.inputs[0].datatype"),
        ({"inputs": [_tensor(data=[1e300] * 192)]}, "must be finite"),
        ({"outputs": [{"name": "weights"}]}, "unexpected inference output 'weights'"),
    ],
)
def test_what_cannot_be_inferred_is_refused(
    client: TestClient, fields: dict[str, Any], said: str
) -> None:
    refused = _infer(client, **fields)
    assert refused["status"] == 400
    assert said in refused["error"]


def test_binary_tensors_are_refused(client: TestClient) -> None:
    headers = {"Inference-Header-Content-Length": "2"}
    refused = client.post("/v2/models/digits/infer", content=b"{}", headers=headers)
    assert refused.status_code == 400
    assert refused.json() == {"error": "binary tensors are not supported"}


def test_another_model_is_not_found(client: TestClient) -> None:
    assert _infer(client, model="minilm")["status"] == 404
    assert client.get("/v2/models/nothing").json() == {"error": "unknown model 'nothing'"}


def test_metadata_names_what_is_public(client: TestClient) -> None:
    metadata = client.get("/v2/models/digits").json()
    assert metadata["inputs"] == [{"name": "image", "datatype": "FP64", "shape": [-1, 64]}]
    assert [output["name"] for output in metadata["outputs"]] == ["probabilities", "label"]
    assert client.get("/v2/health/ready").json() == {"ready": True}
