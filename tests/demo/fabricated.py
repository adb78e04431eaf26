"""Answers as a model server and a gateway that keeps its promises would give them, and others."""

import copy
import json
from base64 import b64encode
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from extproc.demo.access import BURST, Access
from extproc.demo.answer import Answer
from extproc.demo.cases import CASES, Case
from extproc.demo.dialogue import REPEATS, Observed
from extproc.demo.failure import Failure
from extproc.demo.policy_file import TIERS

Documents = list[dict[str, Any]]
"""Of one answer: one, or one per event of a stream."""

PROBABILITIES = [0.064474062716, 0.0, 0.727889609312, 0.206250154411, 0.00138617356, *5 * [0.0]]
LOGITS = [5.056712345, -2.970412345, 7.480612345]
LOGPROBS = [-2.36852345678, -0.01005123456]
ALTERNATIVES = [-2.36852345678, -3.12345678912]
FINGERPRINT = "fp_30d2f053efb64a18"
TEXT = "negative numbers."
REASONING = "the user wants"
VECTOR = [
    float(str(value)) for value in np.random.default_rng(0).normal(0, 0.05, 384).astype("<f4")
]


def answer(
    documents: Sequence[dict[str, Any]],
    *,
    stream: bool = False,
    status: int = 200,
    headers: Mapping[str, str] = {},
) -> Answer:
    kind = "text/event-stream" if stream else "application/json"
    texts = [json.dumps(document) for document in documents]
    body = "".join(f"data: {text}\n\n" for text in (*texts, "[DONE]")) if stream else texts[0]
    return Answer(status, {"content-type": kind, **headers}, body.encode())


def error(status: int, code: str, headers: Mapping[str, str] = {}) -> Answer:
    return answer([{"error": {"message": "No.", "code": code}}], status=status, headers=headers)


def observed() -> Observed:
    """What it takes for every protection to hold."""
    direct = {
        (case.name, tier): REPEATS * [_rendered(case, None)] for case in CASES for tier in TIERS
    }
    served = {
        (case.name, tier): REPEATS * [_rendered(case, tier)] for case in CASES for tier in TIERS
    }
    return Observed(direct, served)


def changed(
    seen: Observed, case: Case, tier: str | None, change: Callable[[Documents], None]
) -> Observed:
    """With another answer to one case at one tier; None is the model server itself."""
    documents = copy.deepcopy(_documents(case, tier))
    change(documents)
    return exchanged(seen, case, tier, _render(case, tier, documents))


def exchanged(seen: Observed, case: Case, where: str | None, by: Answer) -> Observed:
    if where is None:
        said = {(case.name, tier): REPEATS * [by] for tier in TIERS}
        return replace(seen, direct={**seen.direct, **said})
    return replace(seen, served={**seen.served, (case.name, where): REPEATS * [by]})


def case_of(name: str) -> Case:
    return next(case for case in CASES if case.name == name)


def _rendered(case: Case, tier: str | None) -> Answer:
    return _render(case, tier, _documents(case, tier))


def _render(case: Case, tier: str | None, documents: Documents) -> Answer:
    headers = {"server": "uvicorn"} if tier is None else {}
    return answer(documents, stream=bool(case.body.get("stream")), headers=headers)


def _documents(case: Case, tier: str | None) -> Documents:
    match case.api:
        case "infer":
            return [_infer(case, tier)]
        case "embeddings":
            return [_embeddings(case, tier)]
        case "chat":
            return _chat(case, tier)


def _infer(case: Case, tier: str | None) -> dict[str, Any]:
    told = {
        "standard": [0.06, 0.0, 0.73, 0.21, *6 * [0.0]],
        "coarse": [0.0, 0.0, 1.0, *7 * [0.0]],
    }
    outputs = [
        {"name": "probabilities", "data": told.get(tier or "full", PROBABILITIES)},
        {"name": "label", "data": [2]},
    ]
    if tier is None and "outputs" in case.body:
        outputs.append({"name": "logits", "data": LOGITS})
    return {"model_name": "digits", "outputs": outputs}


def _embeddings(case: Case, tier: str | None) -> dict[str, Any]:
    vector = np.array(VECTOR)
    if tier == "standard":
        vector = np.rint(vector / 0.0015) * 0.0015  # steps of the largest would show it exactly
    if tier == "coarse":
        vector = np.where(vector[:64] < 0, -0.125, 0.125)
    return {"data": [{"index": 0, "embedding": written(case, vector)}], "model": "minilm"}


def written(case: Case, vector: Any) -> Any:
    """A vector as the case asks for it."""
    single = np.asarray(vector).astype("<f4")
    if case.body["encoding_format"] == "base64":
        return b64encode(single.tobytes()).decode()
    return [float(str(value)) for value in single]


def _chat(case: Case, tier: str | None) -> Documents:
    if case.body.get("stream"):
        return [
            {**_head(tier), "choices": [_choice(case, tier, "delta", TEXT)]},
            {**_head(tier), "choices": [], **_usage(tier)},
        ]
    document = {**_head(tier), "choices": [_choice(case, tier, "message", TEXT)], **_usage(tier)}
    return [document]


def _head(tier: str | None) -> dict[str, Any]:
    head = {"id": "chatcmpl-1", "created": 1795623325, "model": "tiny-lm"}
    identity = {"system_fingerprint": FINGERPRINT, "service_tier": "default"}
    return head | (identity if tier in {None, "full"} else {})


def _usage(tier: str | None) -> dict[str, Any]:
    if tier == "coarse":
        return {}
    details = {"prompt_tokens_details": {"cached_tokens": 0}, "completion_tokens_details": {}}
    return {"usage": {"total_tokens": 5, **(details if tier is None else {})}}


def _choice(case: Case, tier: str | None, part: str, text: str) -> dict[str, Any]:
    message: dict[str, Any] = {"content": text}
    if tier is None:
        message["annotations"] = []
    if "reasoning_effort" in case.body and tier in {None, "full"}:
        message["reasoning_content"] = REASONING
    logprobs = {"content": _tokens(tier)} if "logprobs" in case.body and tier != "coarse" else None
    return {"index": 0, part: message, "logprobs": logprobs}


def _tokens(tier: str | None) -> list[dict[str, Any]]:
    chosen, others = (
        ([-2.4079, -0.0101], [-2.4079]) if tier == "standard" else (LOGPROBS, ALTERNATIVES)
    )
    alternatives = [{"token": "b", "logprob": logprob} for logprob in others]
    return [{"token": "a", "logprob": logprob, "top_logprobs": alternatives} for logprob in chosen]


def access() -> Access:
    """What it takes for every protection to hold."""
    nobody = error(401, "invalid_api_key")
    nothing, served = error(404, "not_found"), answer([{"outputs": []}])
    no_model = error(404, "model_not_found")
    wrongs = ("no key", "an unknown key", "two keys", "basic authentication")
    later = error(429, "rate_limit_exceeded", {"retry-after": "12"})
    return Access(
        strangers=dict.fromkeys(wrongs, nobody),
        hidden_path=nobody,
        unknown_path=nothing,
        unknown_model=no_model,
        forbidden_model=no_model,
        permitted_model=served,
        unknown_argument=error(400, "invalid_request"),
        biased={"logit_bias": served, "logprobs": served, "both": error(400, "invalid_request")},
        honest=served,
        spoofed=served,
        burst=[*3 * [served], *(BURST - 3) * [later]],
    )


def failure() -> Failure:
    """What it takes for every protection to hold."""
    stream, document = case_of("chat, stream"), case_of("chat, document")
    begun = _rendered(stream, "standard").body.partition(b"\n\n")[0]
    return Failure(
        model_down=error(503, "upstream_error"),
        model_back=_rendered(document, "standard"),
        uncut=_rendered(stream, None),
        cut=Answer(200, {"content-type": "text/event-stream"}, begun, complete=False),
        sidecar_down=error(503, "upstream_error"),
        unprocessed=_rendered(document, None),
    )
