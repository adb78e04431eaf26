from http import HTTPStatus

from extproc.demo.server.errors import ApiError, DemoError, MissingWeights


def test_every_error_of_the_demo_has_one_base() -> None:
    assert issubclass(MissingWeights, DemoError)
    assert issubclass(ApiError, DemoError)


def test_an_api_error_carries_what_its_body_says() -> None:
    error = ApiError(HTTPStatus.NOT_FOUND, "no such model", param="model", code="model_not_found")
    assert (error.status, error.message) == (HTTPStatus.NOT_FOUND, "no such model")
    assert (error.param, error.code, str(error)) == ("model", "model_not_found", "no such model")
