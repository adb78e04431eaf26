"""The official client, over a socket, against the process itself."""

from collections.abc import Iterator

import numpy as np
import openai
import pytest
from openai.types.chat import ChatCompletionMessageParam

MESSAGES: list[ChatCompletionMessageParam] = [{"role": "user", "content": "The import statement"}]


@pytest.fixture(scope="module")
def sdk(served: str) -> Iterator[openai.OpenAI]:
    with openai.OpenAI(base_url=f"{served}/v1", api_key="none", max_retries=0) as client:
        yield client


def test_the_client_reads_a_chat(sdk: openai.OpenAI) -> None:
    completion = sdk.chat.completions.create(
        model="tiny-lm", messages=MESSAGES, seed=1, logprobs=True, top_logprobs=3, max_tokens=8
    )
    (choice,) = completion.choices
    assert choice.message.content
    assert choice.logprobs is not None
    assert choice.logprobs.content is not None
    assert all(len(token.top_logprobs) == 3 for token in choice.logprobs.content)
    assert completion.usage is not None
    assert completion.usage.completion_tokens == len(choice.logprobs.content)


def test_the_client_reads_a_stream(sdk: openai.OpenAI) -> None:
    whole = sdk.chat.completions.create(model="tiny-lm", messages=MESSAGES, seed=2, max_tokens=20)
    with sdk.chat.completions.create(
        model="tiny-lm", messages=MESSAGES, seed=2, max_tokens=20, stream=True
    ) as stream:
        content = "".join(chunk.choices[0].delta.content or "" for chunk in stream)
    assert content == whole.choices[0].message.content


def test_the_client_reads_embeddings_either_way(sdk: openai.OpenAI) -> None:
    texts = ["A man is eating food.", "A man is eating a piece of bread."]
    by_default = sdk.embeddings.create(model="minilm", input=texts)  # asks for base64
    floats = sdk.embeddings.create(model="minilm", input=texts, encoding_format="float")
    vectors = np.array([embedding.embedding for embedding in by_default.data])
    np.testing.assert_array_equal(
        vectors.astype(np.float32),
        np.array([embedding.embedding for embedding in floats.data], np.float32),
    )
    assert abs(vectors[0] @ vectors[1] - 0.7553368806838989) < 2e-6


def test_the_client_lists_models_and_understands_refusals(sdk: openai.OpenAI) -> None:
    assert [model.id for model in sdk.models.list()] == ["digits", "minilm", "tiny-lm"]
    with pytest.raises(openai.NotFoundError) as unknown:
        sdk.chat.completions.create(model="gpt", messages=MESSAGES)
    assert unknown.value.code == "model_not_found"
    with pytest.raises(openai.BadRequestError):
        sdk.chat.completions.create(model="tiny-lm", messages=MESSAGES, n=99)
