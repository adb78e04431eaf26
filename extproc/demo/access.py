"""Requests that must be refused, or must not get more than their key grants."""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from extproc.demo import cases
from extproc.demo.answer import Answer
from extproc.demo.client import Client, bearer

BURST: Final = 8
"""At once; the trial key has 5 a minute."""

_UNKNOWN_KEY: Final = "xk-" + 43 * "0"
_SPOOFED: Final = {
    "x-tenant": "gold",
    "x-extproc-tenant": "gold",
    "x-extproc-fidelity": "full",
    "x-user-id": "gold",
    "x-forwarded-user": "gold",
    "x-forwarded-client-cert": 'By=spiffe://demo;URI="spiffe://demo/gold"',
    "x-envoy-original-path": "/",
}
"""What a header field could be taken for, if anybody read it."""


@dataclass(frozen=True, slots=True)
class Access:
    """What the gateway answered."""

    strangers: Mapping[str, Answer]
    """By what was wrong with the credential."""
    hidden_path: Answer
    """An unknown path, asked without a key."""
    unknown_path: Answer
    unknown_model: Answer
    forbidden_model: Answer
    permitted_model: Answer
    """The same request with a key that may."""
    unknown_argument: Answer
    biased: Mapping[str, Answer]
    """By what was asked for at tier full: ``logit_bias``, ``logprobs``, or ``both``."""
    honest: Answer
    spoofed: Answer
    """As ``honest``, with header fields that claim to be somebody else."""
    burst: Sequence[Answer]


async def probe(gateway: Client, keys: Mapping[str, str]) -> Access:
    """Ask all of it; ``keys`` are by tenant."""
    bronze, trial = bearer(keys["bronze"]), bearer(keys["trial"])
    infer = cases.infer()
    return Access(
        strangers=await _strangers(gateway, keys),
        hidden_path=await gateway.post("/v1/completions", infer),
        unknown_path=await gateway.post("/v1/completions", infer, headers=bronze),
        unknown_model=await _embed(gateway, trial, "no-such-model"),
        forbidden_model=await _embed(gateway, trial, "minilm"),
        permitted_model=await _embed(gateway, bronze, "minilm"),
        unknown_argument=await gateway.post(
            cases.CHAT, cases.chat(return_logits=True), headers=bronze
        ),
        biased=await _biased(gateway, bearer(keys["gold"])),
        honest=await gateway.post(cases.INFER, infer, headers=bronze),
        spoofed=await gateway.post(cases.INFER, infer, headers={**bronze, **_SPOOFED}),
        burst=await asyncio.gather(
            *(gateway.post(cases.INFER, infer, headers=trial) for _ in range(BURST))
        ),
    )


async def _strangers(gateway: Client, keys: Mapping[str, str]) -> dict[str, Answer]:
    credentials = {
        "no key": {},
        "an unknown key": bearer(_UNKNOWN_KEY),
        "two keys": {**bearer(keys["bronze"]), "x-api-key": keys["gold"]},
        "basic authentication": {"authorization": f"Basic {keys['gold']}"},
    }
    return {
        wrong: await gateway.post(cases.INFER, cases.infer(), headers=headers)
        for wrong, headers in credentials.items()
    }


async def _biased(gateway: Client, headers: Mapping[str, str]) -> dict[str, Answer]:
    bias: dict[str, Any] = {"logit_bias": {"5": 1}}
    logprobs: dict[str, Any] = {"logprobs": True}
    asked = {"logit_bias": bias, "logprobs": logprobs, "both": {**bias, **logprobs}}
    return {
        name: await gateway.post(cases.CHAT, cases.chat(**fields), headers=headers)
        for name, fields in asked.items()
    }


async def _embed(gateway: Client, headers: Mapping[str, str], model: str) -> Answer:
    return await gateway.post(cases.EMBEDDINGS, cases.embeddings(model=model), headers=headers)
