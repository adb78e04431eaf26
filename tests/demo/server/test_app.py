import pytest
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route
from starlette.testclient import TestClient

from extproc.demo.server.app import Models, create_app
from extproc.demo.server.models.softmax_regression import SoftmaxRegression


def test_a_running_server_is_healthy(client: TestClient) -> None:
    assert client.get("/healthz").text == "ok"


def test_only_loaded_models_are_listed_and_served(digits: SoftmaxRegression) -> None:
    with TestClient(create_app(Models([digits]), lambda: 0)) as client:
        assert [model["id"] for model in client.get("/v1/models").json()["data"]] == ["digits"]
        assert client.get("/v2/models/digits").status_code == 200
        assert client.post("/v1/embeddings", json={}).status_code == 404
        assert client.post("/v1/chat/completions", json={}).status_code == 404


def test_unknown_paths_and_methods_are_refused_in_the_shape_of_their_api(
    client: TestClient,
) -> None:
    unknown = client.get("/v1/nothing")
    assert unknown.status_code == 404
    assert unknown.json()["error"]["type"] == "invalid_request_error"
    assert client.get("/v2/nothing").json() == {"error": "Not Found"}
    method = client.get("/v1/chat/completions")
    assert (method.status_code, method.headers["allow"]) == (405, "POST")


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("/v2/broken", {"error": "The server had an error."}),
        (
            "/v1/broken",
            {
                "error": {
                    "message": "The server had an error.",
                    "type": "server_error",
                    "param": None,
                    "code": None,
                }
            },
        ),
    ],
)
def test_a_bug_answers_500_and_says_nothing_of_itself(path: str, body: object) -> None:
    async def broken(_: Request) -> Response:
        raise RuntimeError("a secret")

    app = create_app(Models(), lambda: 0)
    app.router.routes.append(Route(path, broken))
    with TestClient(app, raise_server_exceptions=False) as client:
        answer = client.get(path)
    assert (answer.status_code, answer.json()) == (500, body)
