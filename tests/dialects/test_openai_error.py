"""The error shape of OpenAI's APIs, as its own client reads it."""

import httpx2
import openai
import orjson
import pytest

from extproc.dialects.openai_error import openai_error
from extproc.refusal import RATE_LIMITED, UNAUTHENTICATED, UNKNOWN_MODEL, Refusal


def test_every_field_is_there_and_param_is_null() -> None:
    assert orjson.loads(openai_error(UNKNOWN_MODEL.because('no "such" model'))) == {
        "error": {
            "message": 'no "such" model',
            "type": "invalid_request_error",
            "param": None,
            "code": "model_not_found",
        }
    }


@pytest.mark.parametrize(
    ("refusal", "raised"),
    [
        (UNAUTHENTICATED, openai.AuthenticationError),
        (UNKNOWN_MODEL, openai.NotFoundError),
        (RATE_LIMITED, openai.RateLimitError),
    ],
)
def test_the_client_raises_its_own_error_with_our_code_and_words(
    refusal: Refusal, raised: type[openai.APIStatusError]
) -> None:
    def respond(request: httpx2.Request) -> httpx2.Response:
        headers = {"content-type": "application/json"}
        return httpx2.Response(refusal.status, content=openai_error(refusal), headers=headers)

    transport = httpx2.MockTransport(respond)
    with (
        openai.OpenAI(
            api_key="k",
            base_url="http://gateway.test/v1",
            max_retries=0,
            http_client=httpx2.Client(transport=transport),
        ) as client,
        pytest.raises(raised, match=refusal.message) as caught,
    ):
        client.embeddings.create(model="m", input="text")
    assert (caught.value.code, caught.value.type) == (refusal.code, refusal.kind)
