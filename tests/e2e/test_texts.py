"""Marks of texts behind a real Envoy: a real model that writes by a list, and canaries."""

from collections.abc import Iterator
from itertools import count
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import orjson

from extproc.auditor.verifying import verify
from extproc.canonical import at_once
from extproc.config import compile_table, load
from extproc.config.texts import list_key
from extproc.draw import Draw
from extproc.marks.green_list import evidence
from extproc.policy import Policy
from tests.e2e import bodies
from tests.e2e.client import post
from tests.e2e.gateway import LiveGateway, live_gateway, write_policy
from tests.e2e.test_marks import KEPT, entries, folder
from tests.e2e.upstream import Reply, Request, Script, Upstream, answering, streaming
from tests.marks.wordlists import words
from tests.watermarks.writer import victim, vocabulary, write

__all__ = ["folder"]
LIST = "text: [{kind: green_list, vocabulary: words.json, bias: 2}]"
CANARY = "text: [{kind: canary, rate: 0.5}]"
PROSE = "It is a long answer, and it ends as sentences do, so that nobody takes it for data."


def marked(chain: str) -> Any:
    def changed(text: str) -> str:
        standard = text.index("  standard:\n")
        return text[:standard] + text[standard:].replace("text: pass", chain, 1) + KEPT

    return changed


def writer() -> Script:
    """tiny-lm, with the bias that it is asked for."""
    seeds: Iterator[int] = count()

    async def script(request: Request, reply: Reply) -> None:
        asked = orjson.loads(request.body)
        bias = asked.get("logit_bias") or {}
        [text] = write(victim(), 1, bias, next(seeds), length=60).texts
        if asked.get("stream"):
            await streaming(bodies.chat_stream(text[:30], text[30:]))(request, reply)
        else:
            await answering(answer(text))(request, reply)

    return script


def answer(text: str) -> bytes:
    document = orjson.loads(bodies.chat_answer())
    document["choices"][0]["message"]["content"] = text
    return orjson.dumps(document)


def ending(text: str) -> Script:
    """A stream that says so, of several pieces."""
    last = orjson.loads(bodies.chat_chunk())
    last["choices"][0] |= {"delta": {}, "finish_reason": "stop"}
    pieces = [bodies.chat_chunk(text[at : at + 20]) for at in range(0, len(text), 20)]
    events = (*pieces, orjson.dumps(last), b"[DONE]")
    return streaming(b"".join(b"data: " + event + b"\n\n" for event in events))


def text_of(response: Any) -> str:
    assert response.status_code == 200
    if response.headers["content-type"].startswith("application/json"):
        return str(response.json()["choices"][0]["message"]["content"])
    lines = [line.removeprefix(b"data: ") for line in response.content.split(b"\n\n")]
    events = [orjson.loads(line) for line in lines if line.startswith(b"{")]
    deltas = [each["choices"][0]["delta"] for each in events if each["choices"]]
    return "".join(delta.get("content") or "" for delta in deltas)


def policy(folder: Path, tenant: str) -> Policy:
    table = compile_table(load(folder / "policy.yaml"))
    return table.policies[tenant, "POST /v1/chat/completions"]


def test_what_a_model_writes_for_a_tenant_shows_its_list_and_no_others(
    folder: Path, upstream: Upstream
) -> None:
    (folder / "words.json").write_bytes(msgspec.json.encode(vocabulary()))
    write_policy(folder, "unix:///nowhere", marked(LIST))
    own = policy(folder, "standard").pledges[0].key
    other = list_key(Draw(b"of nobody's"), vocabulary())

    upstream.script = writer()
    with live_gateway(folder, upstream.port, policy=marked(LIST)) as gateway:
        texts = [
            text_of(post(gateway, bodies.CHAT, bodies.chat_request(stream=bool(number % 2))))
            for number in range(12)
        ]
        refused = post(gateway, bodies.CHAT, bodies.chat_request(logit_bias={"5": 100}))
        free = post(gateway, bodies.CHAT, bodies.chat_request(logit_bias={"5": 1}), "full")
        assert (refused.status_code, free.status_code) == (400, 200)
        asked = [orjson.loads(request.body).get("logit_bias") for request in upstream.requests]
        assert asked == [policy(folder, "standard").terms.imposed["logit_bias"]] * 12 + [{"5": 1}]

    [kept] = entries(folder)
    assert (kept.stamp, kept.tenant, kept.model) == ("green_list", "standard", "tiny-lm")
    assert kept.other == own.key.hex()
    counts = vocabulary().counts(texts)
    assert evidence(counts, vocabulary(), own).tail.p <= 1e-6
    assert evidence(counts, vocabulary(), other).tail.p > 1e-4


def prompts(count: int) -> list[str]:
    every = np.random.default_rng(1).choice(words(120), (count, 9)).tolist()
    return [" ".join(row) for row in every]


def asking(said: str, **fields: Any) -> bytes:
    messages = [{"role": "user", "content": said}]
    return orjson.dumps({"model": "tiny-lm", "messages": messages, **fields})


def reference(policy: Policy, said: str) -> str:
    asked = policy.route.dialect.read(asking(said), {}, policy.terms)
    marking = at_once(policy.marking(asked))
    planted = marking.planted if marking is not None else None
    return planted.ending.words if planted is not None else ""


def test_a_canary_stands_behind_the_answers_to_some_prompts_and_is_committed_to(
    folder: Path, upstream: Upstream
) -> None:
    write_policy(folder, "unix:///nowhere", marked(CANARY))
    every = prompts(5)
    own = policy(folder, "standard")
    ends = {said: reference(own, said) for said in (*every, *map(str.upper, every))}
    planted = [said for said in every if ends[said]]
    assert 0 < len(planted) < len(every)

    with live_gateway(folder, upstream.port, policy=marked(CANARY)) as gateway:
        for said in every:
            assert ends[said] == ends[said.upper()]
            upstream.script = answering(answer(PROSE))
            assert text_of(post(gateway, bodies.CHAT, asking(said))) == PROSE + ends[said]
            assert text_of(post(gateway, bodies.CHAT, asking(said), "full")) == PROSE
            upstream.script = ending(PROSE)
            streamed = post(gateway, bodies.CHAT, asking(said, stream=True))
            assert text_of(streamed) == PROSE + ends[said]
            assert streamed.content.endswith(b"data: [DONE]\n\n")
        unchanged(gateway, upstream, planted[0])

    kept = entries(folder)
    assert [each.stamp for each in kept] == ["canary"] * len(planted)
    assert [str(each.other) in ends[said] for each, said in zip(kept, planted, strict=True)]
    told = [orjson.loads(bytes(each.input))[0]["content"] for each in kept]
    assert told == planted
    assert verify([folder / "audit.jsonl"], [folder / "audit.pub"], None, live=False).marks == len(
        planted
    )


def unchanged(gateway: LiveGateway, upstream: Upstream, said: str) -> None:
    """What a program reads is left as it is."""
    upstream.script = answering(answer(PROSE))
    for fields in ({"response_format": {"type": "json_object"}}, {"stop": ["x"]}):
        assert text_of(post(gateway, bodies.CHAT, asking(said, **fields))) == PROSE
    data = f'{{"said": "{PROSE}"}}'
    upstream.script = answering(answer(data))
    assert text_of(post(gateway, bodies.CHAT, asking(said))) == data


def lowering(text: str) -> str:
    """Who has asked once is lowered to a tier that marks, as whoever is suspected is."""
    own = 'standard: {models: ["text-*", digits, tiny-lm, minilm], fidelity: standard'
    assert own in text
    budget = "name: few, per: tenant, count: queries, max: 1, window: 1d"
    text = text.replace(own, f"{own}, budgets: [{{{budget}, exhausted: {{fidelity: labels}}}}]")
    labels = text.index("  labels:\n")
    chain = f"{LIST[:-1]}, {{kind: canary, rate: 0.5}}]"
    return text[:labels] + text[labels:].replace("text: pass", chain, 1) + KEPT


def test_whoever_is_lowered_to_a_tier_that_marks_is_marked_from_then_on(
    folder: Path, upstream: Upstream
) -> None:
    """Planted: a request that goes on as it was read before it was lowered has no list."""
    (folder / "words.json").write_bytes(msgspec.json.encode(vocabulary()))
    upstream.script = answering(answer(PROSE))
    with live_gateway(folder, upstream.port, policy=lowering) as gateway:
        lowered = policy(folder, "standard").lower["labels"]
        said = next(each for each in prompts(9) if reference(lowered, each))
        texts = [text_of(post(gateway, bodies.CHAT, asking(said))) for _ in range(3)]
        assert texts == [PROSE, *[PROSE + reference(lowered, said)] * 2]
        asked = [orjson.loads(request.body).get("logit_bias") for request in upstream.requests]
        assert asked == [None, *[lowered.terms.imposed["logit_bias"]] * 2]
        refused = post(gateway, bodies.CHAT, asking(said, logit_bias={"1": 1}))
        assert refused.status_code == 400
