"""OpenAI's own client, which reads answers that a test gives it."""

import httpx2
import openai


def client_of(body: bytes, content_type: str = "application/json") -> openai.OpenAI:
    """A client to whom every request is answered with this body."""

    def answer(request: httpx2.Request) -> httpx2.Response:
        return httpx2.Response(200, content=body, headers={"content-type": content_type})

    transport = httpx2.Client(transport=httpx2.MockTransport(answer))
    return openai.OpenAI(
        api_key="none", base_url="http://model.test/v1", http_client=transport, max_retries=0
    )
