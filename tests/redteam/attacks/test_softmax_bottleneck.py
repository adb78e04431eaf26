"""The width of a planted language model is found where its biased log probabilities are told."""

from collections.abc import Callable
from hashlib import sha256
from typing import Any

import numpy as np
import orjson
import pytest

from extproc.redteam.attack import Finding
from extproc.redteam.attacks.softmax_bottleneck import ATTACK, HELD_OUT
from extproc.redteam.client import Client
from extproc.redteam.firing_range.firing_range import model_server
from extproc.redteam.oracle import Budget
from extproc.redteam.request import Request
from extproc.redteam.scene import Scene
from extproc.redteam.victims.victim import LanguageVictim
from tests.redteam import planted

VOCABULARY, HIDDEN = 96, 12
LAST = 1.2 * np.random.default_rng(5).normal(size=(VOCABULARY, HIDDEN))


def _victim() -> LanguageVictim:
    prompts = [f"prompt {at}" for at in range(200)]
    return LanguageVictim("planted", "A planted one.", VOCABULARY, HIDDEN, prompts, {"model": "p"})


def _say(asked: dict[str, Any]) -> list[dict[str, Any]]:
    """Greedily; a context's hidden state is drawn from its digest."""
    context, told = asked["messages"][0]["content"], []
    for _ in range(asked["max_tokens"]):
        seed = list(sha256(context.encode()).digest()[:8])
        logits = LAST @ np.random.default_rng(seed).normal(size=HIDDEN)
        for token, bias in (asked.get("logit_bias") or {}).items():
            logits[int(token)] += bias
        logprobs = logits - logits.max() - np.log(np.exp(logits - logits.max()).sum())
        order = np.argsort(-logprobs)[: asked["top_logprobs"]]
        entries = [{"bytes": [int(at)], "logprob": float(logprobs[at])} for at in order]
        told.append({"top_logprobs": entries})
        context += f" {order[0]}"
    return told


Rule = Callable[[Request, dict[str, Any]], bool]


def _server(refuses: Rule) -> Callable[[Request], tuple[int, object]]:
    def answer(request: Request) -> tuple[int, object]:
        asked = orjson.loads(request.body)
        if request.path != "/v1/chat/completions" or refuses(request, asked):
            return 400, {}
        return 200, {"choices": [{"index": 0, "logprobs": {"content": _say(asked)}}]}

    return answer


async def _tried(
    gateway: Callable[[Request], tuple[int, object]],
    public: Callable[[Request], tuple[int, object]] | None = None,
    budget: int = 1_000,
    seed: int = 0,
) -> dict[str, float]:
    scene = Scene(
        _victim(),
        planted.Planted(gateway, "gateway"),
        planted.Planted(public or _server(lambda _request, _asked: False), "public"),
        Budget(budget),
        (budget,),
        np.random.default_rng(seed),
    )
    found = {}
    async for gain in ATTACK.run(scene):
        assert isinstance(gain, Finding)
        found[gain.measure] = gain.value
    assert scene.client.meter.requests <= budget
    return found


async def _findings(refuses: Rule, budget: int = 1_000, seed: int = 0) -> dict[str, float]:
    return await _tried(_server(refuses), budget=budget, seed=seed)


async def test_width_and_space_are_exact_without_a_defence() -> None:
    found = await _findings(lambda _request, _asked: False)
    assert found["hidden_size"] == HIDDEN
    assert found["hidden_size.error"] == 0
    assert found["subspace.energy"] > 0.99
    # Carlini et al.: N |V| / (K - 1), and here four contexts of each answer.
    assert found["bottleneck.requests"] == 16 + 20 * 5


async def test_nothing_is_found_where_bias_and_log_probabilities_exclude_each_other() -> None:
    found = await _findings(lambda _request, asked: bool(asked.get("logit_bias")))
    assert found["aliases.open"] == 0
    assert found["hidden_size"] == found["subspace.energy"] == 0
    assert found["hidden_size.error"] == HIDDEN


async def test_one_forgotten_way_in_is_enough() -> None:
    found = await _findings(lambda _request, asked: not asked.get("stream"))
    assert found["aliases.open"] == 1
    assert found["hidden_size"] == HIDDEN


async def test_too_small_a_budget_finds_nothing() -> None:
    assert (await _findings(lambda _request, _asked: False, budget=60))["hidden_size"] == 0


async def test_the_same_seed_finds_the_same() -> None:
    runs = [await _findings(lambda _request, _asked: False, seed=3) for _ in range(2)]
    assert runs[0] == runs[1]


async def test_an_answer_that_tells_of_one_token_is_no_way_in() -> None:
    def only_the_first(request: Request) -> tuple[int, object]:
        told = _say(orjson.loads(request.body))
        content = [{"top_logprobs": each["top_logprobs"][:1]} for each in told]
        return 200, {"choices": [{"index": 0, "logprobs": {"content": content}}]}

    found = await _tried(only_the_first)
    assert found["aliases.open"] == found["hidden_size"] == 0


async def test_contexts_that_come_again_and_again_are_no_dimensions() -> None:
    """A model of so short a memory that all prompts but for ten are alike to it."""

    def forgetful(request: Request) -> tuple[int, object]:
        asked = orjson.loads(request.body)
        asked["messages"][0]["content"] = asked["messages"][0]["content"][-1]
        told = _say({**asked, "max_tokens": 1}) * asked["max_tokens"]
        return 200, {"choices": [{"index": 0, "logprobs": {"content": told}}]}

    assert (await _tried(forgetful))["hidden_size"] == 0


async def test_the_verdict_is_on_contexts_that_nothing_was_learnt_from() -> None:
    asked: dict[str, set[str]] = {"gateway": set(), "public": set()}

    def heard(place: str) -> Callable[[Request], tuple[int, object]]:
        answer = _server(lambda _request, _asked: False)

        def hear(request: Request) -> tuple[int, object]:
            fields = orjson.loads(request.body)
            if fields["max_tokens"] > 1:
                asked[place].add(fields["messages"][0]["content"])
            return answer(request)

        return hear

    assert (await _tried(heard("gateway"), heard("public")))["hidden_size"] == HIDDEN
    assert len(asked["public"]) == HELD_OUT
    assert asked["gateway"]
    assert not asked["gateway"] & asked["public"]


@pytest.mark.slow
async def test_the_demo_model_gives_away_its_sixty_four_dimensions() -> None:
    prompts = [f"Statement number {at * 7919}" for at in range(300)]
    victim = LanguageVictim("tiny-lm", "", 1_024, 64, prompts, {"model": "tiny-lm"})
    async with model_server(["tiny-lm"]) as url, Client(url) as client, Client(url) as public:
        rng = np.random.default_rng(1)
        scene = Scene(victim, client, public, Budget(3_500), (3_500,), rng)
        found = {
            gain.measure: gain.value
            async for gain in ATTACK.run(scene)
            if isinstance(gain, Finding)
        }
    assert found["hidden_size"] == 64
    assert found["subspace.energy"] > 0.99
