"""The width of a planted language model is found from what it draws, without any bias."""

from collections.abc import Callable
from functools import cache
from hashlib import sha256
from typing import Any

import numpy as np
import orjson
import pytest

from extproc.redteam.answers import Floats
from extproc.redteam.attack import Finding
from extproc.redteam.attacks.softmax_sampling import ATTACK
from extproc.redteam.client import Client
from extproc.redteam.firing_range.firing_range import model_server
from extproc.redteam.oracle import Budget
from extproc.redteam.request import Request
from extproc.redteam.scene import Scene
from extproc.redteam.victims import tiny_lm
from extproc.redteam.victims.victim import LanguageVictim
from tests.redteam import planted

VOCABULARY, HIDDEN, SHOWN = 96, 12, 4
LAST = np.random.default_rng(5).normal(size=(VOCABULARY, HIDDEN)) / 3
WORDS = [first + second for first in "abcdefghijklmnopqrst" for second in "uvwxyz"]
PROMPTS = [" ".join(np.random.default_rng(at).choice(WORDS, 6)) for at in range(200)]

Told = Callable[[Floats], Floats]
Refuses = Callable[[Request, dict[str, Any]], bool]


def _victim() -> LanguageVictim:
    return LanguageVictim("planted", "A planted one.", VOCABULARY, HIDDEN, PROMPTS, {"model": "p"})


def _noise(text: str) -> Floats:
    return np.random.default_rng(list(sha256(text.encode()).digest()[:8])).normal(size=HIDDEN)


@cache
def _logits(context: str) -> Floats:
    """Contexts of one end are much alike."""
    state = 2 * _noise(" ".join(context.split()[-3:])) + 0.5 * _noise(context)
    logits: Floats = LAST @ state
    return logits


def _logprobs(asked: dict[str, Any]) -> Floats:
    logits = _logits(asked["messages"][0]["content"]).copy()
    for token, bias in (asked.get("logit_bias") or {}).items():
        logits[int(token)] += bias
    logprobs: Floats = logits - logits.max() - np.log(np.exp(logits - logits.max()).sum())
    return logprobs


def _entry(asked: dict[str, Any], exact: Floats, values: Floats, token: int) -> dict[str, Any]:
    most = asked.get("top_logprobs") or 0
    shown = np.argsort(-exact)[: most if asked.get("logit_bias") else min(most, SHOWN)]
    told = [{"bytes": [int(at)], "logprob": float(values[at])} for at in (token, *shown)]
    return {**told[0], "top_logprobs": told[1:]}


def _choice(asked: dict[str, Any], exact: Floats, index: int, told: Told) -> dict[str, Any]:
    heat = asked.get("temperature", 1)
    likely = np.exp((exact if heat == 0 else exact / heat) - exact.max())
    place = np.random.default_rng([asked.get("seed", 0), index]).random()
    token = int(np.searchsorted(np.cumsum(likely / likely.sum()), place))
    if heat == 0:
        token = int(exact.argmax())
    logprobs = None
    if asked.get("logprobs"):
        logprobs = {"content": [_entry(asked, exact, told(exact), token)]}
    return {"index": index, "message": {"content": chr(token)}, "logprobs": logprobs}


def _server(refuses: Refuses, told: Told) -> Callable[[Request], tuple[int, object]]:
    def answer(request: Request) -> tuple[int, object]:
        asked = orjson.loads(request.body)
        if request.path != "/v1/chat/completions" or refuses(request, asked):
            return 400, {}
        exact = _logprobs(asked)
        choices = [_choice(asked, exact, index, told) for index in range(asked.get("n") or 1)]
        return 200, {"choices": choices}

    return answer


async def _findings(
    refuses: Refuses = lambda _request, _asked: False,
    told: Told = lambda exact: exact,
    budget: int = 3_000,
) -> dict[str, float]:
    scene = Scene(
        _victim(),
        planted.Planted(_server(refuses, told), "gateway"),
        planted.Planted(_server(lambda _request, _asked: False, lambda exact: exact), "public"),
        Budget(budget),
        (budget,),
        np.random.default_rng(0),
    )
    found = {}
    async for gain in ATTACK.run(scene):
        assert isinstance(gain, Finding)
        found[gain.measure] = gain.value
    assert scene.client.meter.requests <= budget
    assert set(found) == {measure.name for measure in ATTACK.measures}
    return found


async def test_width_and_space_are_exact_without_a_defence() -> None:
    found = await _findings()
    assert found["hidden_size"] == HIDDEN
    assert found["hidden_size.error"] == 0
    # Two more than it has dimensions: one for the mean, and one in which nothing is left.
    assert found["known.side"] == HIDDEN + 2
    assert found["subspace.energy"] > 0.9999
    assert found["subspace.gain"] > 0.999


async def test_rounding_probabilities_hides_it_but_not_what_counts_tell() -> None:
    found = await _findings(
        told=lambda exact: np.log(np.maximum(np.exp(exact).round(2), 0.01)), budget=1_800
    )
    assert found["hidden_size"] == found["subspace.energy"] == found["subspace.gain"] == 0
    assert found["hidden_size.error"] == HIDDEN
    assert found["counted.gain"] > 0.3
    assert found["counted.dimensions"] > 0


async def test_it_gives_up_where_a_request_gives_one_draw() -> None:
    found = await _findings(lambda _request, asked: asked["n"] > 1 and "logprobs" in asked)
    assert found["hidden_size"] == 0
    assert 2 <= found["known.side"] <= HIDDEN
    assert found["counted.gain"] > 0.3


async def test_text_alone_gives_a_part_of_the_space_and_no_width() -> None:
    found = await _findings(
        lambda _request, asked: "logprobs" in asked and "logit_bias" not in asked
    )
    assert found["aliases.open"] == found["bottleneck.requests"] == found["hidden_size"] == 0
    assert found["counted.energy"] > 0.5
    assert found["counted.requests"] == 480


async def test_one_forgotten_way_in_is_enough() -> None:
    found = await _findings(lambda _request, asked: not asked.get("stream"))
    assert found["aliases.open"] == 1
    assert found["hidden_size"] == HIDDEN


async def test_a_budget_too_small_for_log_probabilities_counts() -> None:
    found = await _findings(budget=600)
    assert found["hidden_size"] == found["bottleneck.requests"] == 0
    assert found["counted.gain"] > 0.3


async def test_the_same_seed_finds_the_same() -> None:
    assert await _findings() == await _findings()


@pytest.mark.slow
async def test_the_demo_model_gives_away_its_sixty_four_dimensions() -> None:
    async with model_server(["tiny-lm"]) as url, Client(url) as client, Client(url) as public:
        budget = ATTACK.budgets[-1]
        rng = np.random.default_rng(1)
        scene = Scene(tiny_lm.victim(), client, public, Budget(budget), (budget,), rng)
        found = {
            gain.measure: gain.value
            async for gain in ATTACK.run(scene)
            if isinstance(gain, Finding)
        }
    assert found["hidden_size"] == 64
    assert found["subspace.energy"] > 0.9999
    assert found["subspace.gain"] > 0.99
    assert found["counted.gain"] > 0.3
