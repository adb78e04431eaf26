import json
from typing import Any

import numpy as np
import pytest
from starlette.testclient import TestClient

from extproc.demo.server.models.tiny_lm import TinyLm, log_softmax

PATH = "/v1/chat/completions"
PROMPT = "The import statement"


def _body(**fields: Any) -> dict[str, Any]:
    messages = [{"role": "user", "content": PROMPT}]
    return {"model": "tiny-lm", "messages": messages, "max_tokens": 24, "seed": 5} | fields


def _document(client: TestClient, **fields: Any) -> Any:
    response = client.post(PATH, json=_body(**fields))
    assert response.status_code == 200, response.text
    return response.json()


def _chunks(client: TestClient, **fields: Any) -> list[Any]:
    response = client.post(PATH, json=_body(stream=True, **fields))
    assert response.headers["content-type"] == "text/event-stream; charset=utf-8"
    *events, done, nothing = response.text.split("\n\n")
    assert (done, nothing) == ("data: [DONE]", "")
    assert all(event.startswith("data: ") for event in events)
    return [json.loads(event.removeprefix("data: ")) for event in events]


def _joined(chunks: list[Any], index: int, key: str) -> str:
    deltas = [c["delta"] for chunk in chunks for c in chunk["choices"] if c["index"] == index]
    return "".join(delta.get(key) or "" for delta in deltas)


def test_logprobs_are_the_log_softmax_of_the_models_logits(
    client: TestClient, tiny_lm: TinyLm
) -> None:
    answer = _document(client, logprobs=True, top_logprobs=20, temperature=1.3)
    context = tiny_lm.vocabulary.encode(PROMPT)
    by_spelling = {spelling: id_ for id_, spelling in enumerate(tiny_lm.vocabulary.spellings)}
    content = answer["choices"][0]["logprobs"]["content"]
    assert content
    for entry in content:
        logprobs = log_softmax(tiny_lm.logits(context))
        token = by_spelling[bytes(entry["bytes"])]
        assert entry["logprob"] == logprobs[token]
        given = {by_spelling[bytes(top["bytes"])]: top["logprob"] for top in entry["top_logprobs"]}
        assert given == {id_: logprobs[id_] for id_ in np.argsort(-logprobs)[:20]}
        context.append(token)
    spelled = b"".join(bytes(entry["bytes"]) for entry in content)
    assert spelled.decode("utf-8", "replace") == answer["choices"][0]["message"]["content"]


@pytest.mark.parametrize(
    "fields",
    [
        {},
        {"n": 3, "logprobs": True, "top_logprobs": 2},
        {"stop": ["the", " a"], "max_tokens": 80, "logprobs": True},
        {"temperature": 0, "reasoning_effort": "low"},
        {"temperature": 2, "max_tokens": 200, "seed": -3},  # spells halves of characters
    ],
)
def test_a_stream_says_what_the_document_says(client: TestClient, fields: dict[str, Any]) -> None:
    document = _document(client, **fields)
    chunks = _chunks(client, stream_options={"include_usage": True}, **fields)
    for choice in document["choices"]:
        index, message = choice["index"], choice["message"]
        for key in ("content", "reasoning_content"):
            assert _joined(chunks, index, key) == message.get(key, "")
        mine = [c for chunk in chunks for c in chunk["choices"] if c["index"] == index]
        assert [c["finish_reason"] for c in mine][-1] == choice["finish_reason"]
        logprobs = [entry for c in mine if c["logprobs"] for entry in c["logprobs"]["content"]]
        assert logprobs == (choice["logprobs"] or {"content": []})["content"]
    usage = chunks[-1]["usage"]
    assert usage["completion_tokens"] == document["usage"]["completion_tokens"]
    assert usage["prompt_tokens"] == document["usage"]["prompt_tokens"]


def test_usage_is_in_the_last_chunk_and_null_in_all_others_if_asked_for(
    client: TestClient,
) -> None:
    *others, last = _chunks(client, stream_options={"include_usage": True})
    assert {chunk["usage"] for chunk in others} == {None}
    assert (last["choices"], last["usage"]["completion_tokens"] > 0) == ([], True)
    assert all("usage" not in chunk for chunk in _chunks(client))


def test_the_same_seed_says_the_same_and_another_something_else(client: TestClient) -> None:
    def said(seed: int | None) -> str:
        content: str = _document(client, seed=seed)["choices"][0]["message"]["content"]
        return content

    assert said(1) == said(1)
    assert len({said(seed) for seed in range(5)}) > 1
    assert len({said(None) for _ in range(5)}) > 1


def test_choices_differ_and_are_numbered(client: TestClient) -> None:
    choices = _document(client, n=4)["choices"]
    assert [choice["index"] for choice in choices] == [0, 1, 2, 3]
    assert len({choice["message"]["content"] for choice in choices}) > 1


def test_text_stops_before_a_stop_string(client: TestClient) -> None:
    whole = _document(client, max_tokens=60)["choices"][0]["message"]["content"]
    stop = whole[10:13]
    (choice,) = _document(client, max_tokens=60, stop=stop)["choices"]
    assert choice["message"]["content"] == whole[: whole.find(stop)]
    assert choice["finish_reason"] == "stop"


def test_bias_forces_and_bans_tokens(client: TestClient, tiny_lm: TinyLm) -> None:
    (token,) = tiny_lm.vocabulary.encode("import")[:1]
    spelling = tiny_lm.vocabulary.spellings[token].decode()
    forced = _document(client, max_tokens=3, logit_bias={str(token): 100})
    assert forced["choices"][0]["message"]["content"] == spelling * 3
    assert forced["choices"][0]["finish_reason"] == "length"


def test_reasoning_is_given_when_effort_is_asked_for_and_is_the_same_each_time(
    client: TestClient,
) -> None:
    thoughts = [_document(client, seed=seed, reasoning_effort="low") for seed in (1, 2)]
    texts = {thought["choices"][0]["message"]["reasoning_content"] for thought in thoughts}
    assert len(texts) == 1
    assert texts != {""}
    details = thoughts[0]["usage"]["completion_tokens_details"]
    assert 0 < details["reasoning_tokens"] <= 8
    assert "reasoning_content" not in _document(client)["choices"][0]["message"]
    assert (
        "reasoning_content"
        not in _document(client, reasoning_effort="none")["choices"][0]["message"]
    )


def test_a_prompt_sent_before_shows_as_cached_unless_salted(client: TestClient) -> None:
    messages = [{"role": "user", "content": "A prompt no other test sends."}]

    def cached(salt: str | None) -> int:
        usage = _document(client, messages=messages, cache_salt=salt)["usage"]
        count: int = usage["prompt_tokens_details"]["cached_tokens"]
        assert count in {0, usage["prompt_tokens"]}
        return count

    assert [cached(None) > 0, cached(None) > 0, cached("tenant") > 0] == [False, True, False]


def test_an_answer_is_stamped(client: TestClient, tiny_lm: TinyLm) -> None:
    first, second = _document(client), _document(client)
    assert first["id"].startswith("chatcmpl-")
    assert first["id"] != second["id"]
    assert (first["created"], first["model"]) == (1_700_000_000, "tiny-lm")
    assert first["system_fingerprint"] == f"fp_{tiny_lm.fingerprint}"
    chunks = _chunks(client)
    assert len({chunk["id"] for chunk in chunks}) == 1


def test_what_cannot_be_completed_is_refused(client: TestClient) -> None:
    unknown = client.post(PATH, json=_body(model="gpt"))
    assert (unknown.status_code, unknown.json()["error"]["code"]) == (404, "model_not_found")
    assert client.post(PATH, json=_body(n=0)).status_code == 400
    alternatives = client.post(PATH, json=_body(top_logprobs=1, stream=True))
    assert alternatives.json()["error"]["param"] == "top_logprobs"
