"""Each side of a pair is the secret, and nothing else."""

from collections.abc import Callable

import numpy as np
import orjson

from extproc.redteam.answers import Floats
from extproc.redteam.attacks.pairs import (
    Pair,
    measures,
    of_classifier,
    of_language,
    of_unknown_model,
)
from extproc.redteam.client import Client
from extproc.redteam.oracle import Budget
from extproc.redteam.request import Request
from extproc.redteam.scene import Scene
from extproc.redteam.victims.victim import LanguageVictim
from tests.redteam import local
from tests.redteam.local import LocalClient, Task


def test_a_model_that_is_not_there_is_named_in_the_path() -> None:
    request = Request("/v2/models/digits/infer")
    assert of_unknown_model(request).path == "/v2/models/nothing/infer"
    assert of_unknown_model(request, str.upper).path == "/v2/models/DIGITS/infer"


def test_a_path_without_models_stays() -> None:
    assert of_unknown_model(Request("/predict")).path == "/predict"


_INPUTS = np.random.default_rng(1).random((100, 2))


def _scores(inputs: Floats) -> Floats:
    """Label 2 for most, 1 for some, 0 for few, by the first number."""
    scores: Floats = np.eye(3)[np.digitize(inputs[:, 0], [0.1, 0.4])]
    return scores


async def _pairs(inputs: Floats = _INPUTS, refuse_after: int | None = None) -> dict[str, Pair]:
    task = Task(_scores, 3, np.zeros(2), np.ones(2), inputs, inputs, inputs)
    client = LocalClient(_scores, refuse_after=refuse_after)
    scene = local.scene(task, client, (1_000,), 0)
    return {pair.name: pair for pair in await of_classifier(scene)}


def _asked(make: Callable[[np.random.Generator], Request]) -> list[Request]:
    rng = np.random.default_rng(2)
    return [make(rng) for _ in range(20)]


async def test_the_labels_of_a_pair_are_the_commonest_two() -> None:
    pair = (await _pairs())["label"]
    for make, label in ((pair.one, 2), (pair.other, 1)):
        inputs = np.array([np.frombuffer(request.body) for request in _asked(make)])
        assert set(_scores(inputs).argmax(axis=1)) == {label}
        assert len(np.unique(inputs, axis=0)) > 5, "fresh ones each time"


async def test_a_refusal_is_no_label() -> None:
    """Of 300 inputs the last 200 are refused; of the others a tenth are of label 1, the rest 2."""
    inputs = np.tile(np.linspace(0.3, 1, 100)[:, None], (3, 2))
    pair = (await _pairs(inputs, refuse_after=100))["label"]
    for make, label in ((pair.one, 2), (pair.other, 1)):
        asked = np.array([np.frombuffer(request.body) for request in _asked(make)])
        assert set(_scores(asked).argmax(axis=1)) == {label}


async def test_where_all_is_refused_there_are_pairs_all_the_same() -> None:
    assert {request.queries for request in _asked((await _pairs(refuse_after=0))["label"].one)} == {
        1
    }


async def test_a_stranger_shows_a_key_that_nobody_has() -> None:
    pair = (await _pairs())["key"]
    assert {request.key for request in _asked(pair.one)} == {0}
    for request in _asked(pair.other):
        assert request.key is None
        assert request.headers["authorization"].startswith("Bearer xk-nobody")


async def test_of_a_batch_one_side_asks_about_two_inputs() -> None:
    pair = (await _pairs())["batch"]
    assert {request.queries for request in _asked(pair.one)} == {1}
    assert {request.queries for request in _asked(pair.other)} == {2}


def test_a_prompt_that_was_asked_before_is_the_same_and_a_new_one_is_as_long() -> None:
    victim = LanguageVictim("lm", "", 10, 4, ["a b c d e", "f g h"], {"model": "lm"})
    client = Client("http://127.0.0.1")
    scene = Scene(victim, client, client, Budget(1), (1,), np.random.default_rng(0))
    cache, output = of_language(scene)

    def prompts(make: Callable[[np.random.Generator], Request]) -> list[str]:
        return [orjson.loads(each.body)["messages"][0]["content"] for each in _asked(make)]

    known, new = prompts(cache.one), prompts(cache.other)
    assert len(set(known)) == 1
    assert len({*known, *new}) == 21
    assert len({len(prompt.split()) for prompt in (*known, *new)}) == 1
    tokens = [
        orjson.loads(_asked(make)[0].body)["max_tokens"] for make in (output.one, output.other)
    ]
    assert tokens == [1, 32]


def test_each_measure_is_of_each_pair() -> None:
    found = measures(
        {"key": "a key", "model": "a model"}, {"auc": "how well it tells", "bits": "of"}
    )
    assert [(each.name, each.about, each.unit, each.timed) for each in found] == [
        ("auc.key", "how well it tells a key", "", False),
        ("bits.key", "of a key", "bits", False),
        ("auc.model", "how well it tells a model", "", False),
        ("bits.model", "of a model", "bits", False),
    ]
    assert all(each.timed for each in measures({"key": "a key"}, {"auc": "it tells"}, timed=True))
