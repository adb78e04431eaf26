from http import HTTPStatus

import pytest
from starlette.testclient import TestClient

from extproc.demo.server.apis.openai import error_body, require_model
from extproc.demo.server.errors import ApiError


def test_errors_have_the_shape_of_openais() -> None:
    error = ApiError(HTTPStatus.BAD_REQUEST, "no", param="n", code="c")
    assert error_body(error) == {
        "error": {"message": "no", "type": "invalid_request_error", "param": "n", "code": "c"}
    }


def test_another_model_is_not_found() -> None:
    require_model("minilm", "minilm")
    with pytest.raises(ApiError, match="`gpt` does not exist") as refused:
        require_model("gpt", "minilm")
    assert (refused.value.status, refused.value.code) == (404, "model_not_found")


def test_all_models_are_listed(client: TestClient) -> None:
    listed = client.get("/v1/models").json()
    assert listed["object"] == "list"
    assert listed["data"] == [
        {"id": name, "object": "model", "created": 1_700_000_000, "owned_by": "extproc-demo"}
        for name in (
            *("digits", "digits-forest", "digits-teachers"),
            *("minilm", "minilm-private", "tiny-lm"),
        )
    ]
