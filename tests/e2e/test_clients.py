"""The official OpenAI client, unchanged, reads what the gateway lets through."""

from collections.abc import Iterator
from typing import Any

import numpy as np
import openai
import pybase64
import pytest

from tests.e2e import bodies
from tests.e2e.gateway import KEYS, LiveGateway
from tests.e2e.upstream import Reply, Request, Upstream, answering, streaming

_MADE: list[openai.OpenAI] = []


def client(gateway: LiveGateway, tenant: str = "standard") -> openai.OpenAI:
    made = openai.OpenAI(
        base_url=f"{gateway.url}/v1",
        api_key=KEYS.get(tenant, "xk-nobody"),
        max_retries=0,
    )
    _MADE.append(made)
    return made


@pytest.fixture(autouse=True)
def closed() -> Iterator[None]:
    """A connection that nobody closes is a warning, in whatever test it is found."""
    yield
    while _MADE:
        _MADE.pop().close()


# Any: what is tested is what the client reads, not what it accepts.
MESSAGES: Any = [{"role": "user", "content": "hello"}]


def test_it_reads_a_chat(gateway: LiveGateway, upstream: Upstream) -> None:
    upstream.script = answering(bodies.chat_answer())
    answer = client(gateway).chat.completions.create(
        model="tiny-lm", messages=MESSAGES, logprobs=True, top_logprobs=5
    )
    assert answer.choices[0].message.content == "hi"
    assert answer.choices[0].logprobs is None
    assert answer.usage is not None
    assert answer.usage.total_tokens == 2
    assert answer.model == "tiny-lm"


def test_it_reads_log_probabilities_where_the_tier_grants_them(
    gateway: LiveGateway, upstream: Upstream
) -> None:
    upstream.script = answering(bodies.chat_answer())
    answer = client(gateway, "full").chat.completions.create(
        model="tiny-lm", messages=MESSAGES, logprobs=True
    )
    assert answer.choices[0].logprobs is not None
    assert answer.choices[0].logprobs.content is not None
    assert answer.choices[0].logprobs.content[0].logprob == -float(bodies.SECRET)


def test_it_reads_a_stream(gateway: LiveGateway, upstream: Upstream) -> None:
    upstream.script = streaming(bodies.chat_stream("one ", "two"))
    options: Any = {"include_usage": True}
    stream = client(gateway).chat.completions.create(
        model="tiny-lm", messages=MESSAGES, stream=True, stream_options=options
    )
    chunks = list(stream)
    assert "".join(chunk.choices[0].delta.content or "" for chunk in chunks) == "one two"
    assert all(chunk.choices[0].logprobs is None for chunk in chunks)


@pytest.mark.parametrize("encoding", ["float", "base64", None])
def test_it_reads_embeddings(
    gateway: LiveGateway, upstream: Upstream, encoding: str | None
) -> None:
    """Left to itself the client asks for base64 and decodes it to floats."""

    async def script(request: Request, reply: Reply) -> None:
        encoded = b'"encoding_format":"base64"' in request.body
        assert encoded == (encoding != "float")
        await reply.document(bodies.embeddings_answer(2, encoded=encoded))

    upstream.script = script
    more: Any = {"encoding_format": encoding} if encoding else {}
    answer = client(gateway).embeddings.create(model="minilm", input=["a", "b"], **more)
    for item in answer.data:
        served: Any = item.embedding
        if encoding == "base64":
            served = np.frombuffer(pybase64.b64decode(served), "<f4")
        original = np.array(bodies.vector(item.index))
        cosine = original @ served / np.linalg.norm(original) / np.linalg.norm(served)
        assert 0.999 < cosine < 0.9999999
        assert len(set(np.asarray(served, np.float32).tolist())) <= 256


def test_its_exceptions_name_what_is_wrong(gateway: LiveGateway, upstream: Upstream) -> None:
    upstream.script = answering(bodies.chat_answer())
    with pytest.raises(openai.AuthenticationError, match="Missing or invalid credential"):
        client(gateway, "nobody").chat.completions.create(model="tiny-lm", messages=MESSAGES)
    with pytest.raises(openai.NotFoundError, match="does not exist"):
        client(gateway).chat.completions.create(model="secret", messages=MESSAGES)
    with pytest.raises(openai.BadRequestError, match="surprise"):
        client(gateway).chat.completions.create(
            model="tiny-lm", messages=MESSAGES, extra_body={"surprise": 1}
        )


def test_it_raises_when_a_stream_breaks(gateway: LiveGateway, upstream: Upstream) -> None:
    upstream.script = streaming(b"data: " + bodies.chat_chunk("one") + b"\n\n", b"data: no\n\n")
    stream = client(gateway).chat.completions.create(
        model="tiny-lm", messages=MESSAGES, stream=True
    )
    with pytest.raises(openai.APIError, match="cannot be released"):
        list(stream)
