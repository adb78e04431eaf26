"""A few questions to a victim."""

from dataclasses import replace

import numpy as np
import orjson

from extproc.redteam import probe
from extproc.redteam.adapters.openai_embeddings import OpenAiEmbeddings
from extproc.redteam.client import Client
from extproc.redteam.victims.victim import ClassifierVictim, EmbeddingVictim, LanguageVictim
from tests.redteam.planted_servers import VICTIM, honest, serving

EMBEDDING = EmbeddingVictim(
    "e", "", OpenAiEmbeddings("m", 2), 2, ["a", "b"], ["c"], np.zeros(1, int)
)
LANGUAGE = LanguageVictim("l", "", 10, 4, ["p"] * 9, {"model": "m", "max_tokens": 3})


async def test_a_classifier_is_asked_about_its_own_inputs_and_uniform_ones() -> None:
    async with serving(honest) as url, Client(url) as client:
        said = await probe.ask(VICTIM, client)
        assert client.meter.requests == 1
    assert len(said) == probe.COUNT
    assert all(each.value and each.label >= 0 for each in said)


def test_half_of_what_a_classifier_is_asked_is_like_no_input_of_its_own() -> None:
    (request,) = probe.requests(VICTIM)
    asked = np.reshape(orjson.loads(request.body)["inputs"][0]["data"], (probe.COUNT, 4))
    half = probe.COUNT // 2
    assert np.array_equal(asked[:half], VICTIM.task[:half])
    own = {tuple(row) for row in VICTIM.task.tolist()}
    assert not own & {tuple(row) for row in asked[half:].tolist()}
    assert (np.abs(asked[half:]) <= 1).all(), "within what the model takes"


async def test_what_was_refused_was_not_said() -> None:
    async with serving(honest, "xk-other") as url, Client(url) as client:
        assert await probe.ask(VICTIM, client) == [probe.Said(None)] * probe.COUNT


def test_other_kinds_are_asked_as_their_api_wants_it() -> None:
    (embedding,) = probe.requests(EMBEDDING)
    assert orjson.loads(embedding.body)["input"] == ["a", "b"]
    prompts = probe.requests(LANGUAGE)
    assert len(prompts) == probe.PROMPTS
    assert orjson.loads(prompts[0].body)["max_tokens"] == 3


def test_a_model_that_nobody_has_is_asked_for_where_the_api_names_one() -> None:
    for victim in (VICTIM, EMBEDDING, LANGUAGE):
        wrong = probe.misnamed(victim)
        assert wrong is not None
        request = probe.requests(wrong)[0]
        assert probe.NOBODY.encode() in request.path.encode() + request.body
    class_of_other: ClassifierVictim = replace(VICTIM, adapter=_Nameless())
    assert probe.misnamed(class_of_other) is None


class _Nameless:
    request = VICTIM.adapter.request
    read = VICTIM.adapter.read
