from typing import Any

import numpy as np
import pytest
from starlette.applications import Starlette
from starlette.testclient import TestClient

from extproc.demo.server.apis.kserve import KserveApi
from extproc.demo.server.app import _refuse
from extproc.demo.server.errors import ApiError
from extproc.demo.server.models.classifier import Floats, Scores, Signature, softmax
from extproc.demo.server.models.digits import split
from extproc.demo.server.models.forest import Forest
from extproc.demo.server.models.softmax_regression import SoftmaxRegression

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


def test_the_scores_come_with_all_their_digits(
    client: TestClient, digits: SoftmaxRegression
) -> None:
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


def test_logits_are_given_only_when_asked_for(
    client: TestClient, digits: SoftmaxRegression
) -> None:
    assert [output["name"] for output in _infer(client)["outputs"]] == ["probabilities", "label"]
    (logits,) = _infer(client, outputs=[{"name": "logits"}])["outputs"]
    expected = digits.score(IMAGES).logits
    assert expected is not None
    assert logits["data"] == expected.ravel().tolist()


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


def test_each_model_answers_under_its_own_name(client: TestClient, forest: Forest) -> None:
    answer = _infer(client, model="digits-forest")
    assert answer["model_name"] == "digits-forest"
    expected = forest.score(IMAGES).probabilities.ravel().tolist()
    assert answer["outputs"][0]["data"] == expected != _infer(client)["outputs"][0]["data"]
    assert client.get("/v2/models/digits-forest").json()["name"] == "digits-forest"


def test_a_model_without_logits_gives_none(client: TestClient) -> None:
    refused = _infer(client, model="digits-forest", outputs=[{"name": "logits"}])
    assert refused["status"] == 400
    assert "unexpected inference output 'logits' for model 'digits-forest'" in refused["error"]


def test_an_ensemble_tells_its_votes_and_nothing_else(client: TestClient) -> None:
    (votes,) = _infer(client, model="digits-teachers")["outputs"]
    assert (votes["name"], votes["datatype"], votes["shape"]) == ("votes", "INT64", [3, 10])
    assert np.reshape(votes["data"], (3, 10)).sum(axis=1).tolist() == [100] * 3
    for name in ("probabilities", "label", "logits"):
        refused = _infer(client, model="digits-teachers", outputs=[{"name": name}])
        assert refused["status"] == 400
    (public,) = client.get("/v2/models/digits-teachers").json()["outputs"]
    assert public == {"name": "votes", "datatype": "INT64", "shape": [-1, 10]}


def test_what_is_no_ensemble_has_no_votes(client: TestClient) -> None:
    refused = _infer(client, outputs=[{"name": "votes"}])
    assert "unexpected inference output 'votes' for model 'digits'" in refused["error"]


@pytest.mark.parametrize("rows", [1, 128, 129, 1024])
def test_large_batches_are_answered_as_small_ones_are(client: TestClient, rows: int) -> None:
    images = np.tile(IMAGES[:1], (rows, 1))
    tensor = _tensor(shape=[rows, 64], data=images.ravel().tolist())
    labels = _infer(client, inputs=[tensor])["outputs"][1]["data"]
    assert labels == _infer(client)["outputs"][1]["data"][:1] * rows


@pytest.mark.parametrize("value", [-0.1, 256.5])
def test_what_is_outside_of_a_models_bounds_is_refused(value: float) -> None:
    app = Starlette(
        routes=KserveApi({"bounded": Bounded()}).routes(), exception_handlers={ApiError: _refuse}
    )
    with TestClient(app) as client:
        within, outside = (
            _infer(client, model="bounded", inputs=[_tensor(name="bytes", shape=[1, 2], data=data)])
            for data in ([0.0, 256.0], [0.0, value])
        )
    assert (within["status"], outside["status"]) == (200, 400)
    assert outside["error"] == "input 'bytes' must be numbers of 0 to 256"


class Bounded:
    """Of two bytes, and slow: answers come from a thread."""

    signature = Signature("bounded", "bytes", 2, 2, bounds=(0, 256), slow=True)

    def score(self, rows: Floats) -> Scores:
        return softmax(rows)
