"""Fresh noise is averaged away by repeats; noise that is the input's own by nothing."""

import unicodedata
from collections.abc import Callable, Sequence
from hashlib import sha256

import numpy as np
import orjson
import pytest

from extproc.redteam.adapters.openai_embeddings import OpenAiEmbeddings
from extproc.redteam.answers import Floats
from extproc.redteam.attack import Finding
from extproc.redteam.attacks import averaging
from extproc.redteam.attacks.averaging import ATTACK, TIMES
from extproc.redteam.oracle import Budget
from extproc.redteam.request import Request
from extproc.redteam.scene import Scene
from extproc.redteam.vector_judge import unit
from extproc.redteam.victims.victim import EmbeddingVictim
from tests.redteam import planted

SIZE = 200
NOISE = 0.3

Serve = Callable[[Floats, Sequence[str]], Floats]


def _drawn(text: str) -> Floats:
    """A direction that is the text's own."""
    seed = list(sha256(text.encode()).digest()[:8])
    [drawn] = unit(np.random.default_rng(seed).normal(size=(1, SIZE)))
    return np.array(drawn)


def _said(text: str) -> str:
    return "".join(filter(str.isalnum, unicodedata.normalize("NFKC", text).casefold()))


def _exact(texts: Sequence[str], drift: float) -> Floats:
    """Of what a text says, and a little of how it looks."""
    return unit(np.array([_drawn(_said(text)) + drift * _drawn(text) for text in texts]))


async def _found(
    serve: Serve, drift: float = 0.0, *, refuse: bool = False
) -> dict[tuple[str, str], float]:
    def gateway(request: Request) -> tuple[int, object]:
        texts = orjson.loads(request.body)["input"]
        return (429 if refuse else 200), _document(serve(_exact(texts, drift), texts))

    def public(request: Request) -> tuple[int, object]:
        return 200, _document(_exact(orjson.loads(request.body)["input"], drift))

    adapter, nothing = OpenAiEmbeddings("open", SIZE), np.zeros(0, np.int64)
    victim = EmbeddingVictim("open", "", adapter, SIZE, planted.texts(20), (), nothing)
    scene = Scene(
        victim,
        planted.Planted(gateway, "gateway"),
        planted.Planted(public, f"public{drift}"),
        Budget(4 * TIMES),
        (4 * TIMES,),
        np.random.default_rng(2),
    )
    gains = [gain async for gain in ATTACK.run(scene)]
    assert scene.budget.left == 0
    return {(g.measure, g.strategy): g.value for g in gains if isinstance(g, Finding)}


def _document(vectors: Floats) -> object:
    return {"data": [{"embedding": vector.tolist()} for vector in vectors]}


def _bare(vectors: Floats, _texts: Sequence[str]) -> Floats:
    return vectors


def _fresh() -> Serve:
    rng = np.random.default_rng(8)
    return lambda vectors, _texts: vectors + NOISE * unit(rng.normal(size=vectors.shape))


def _by_bytes(vectors: Floats, texts: Sequence[str]) -> Floats:
    return vectors + NOISE * np.array([_drawn(f"noise {text}") for text in texts])


def _by_meaning(vectors: Floats, texts: Sequence[str]) -> Floats:
    return vectors + NOISE * np.array([_drawn(f"noise {_said(text)}") for text in texts])


def _signs(vectors: Floats, _texts: Sequence[str]) -> Floats:
    return np.sign(vectors[:, :64])


async def test_the_mean_of_fresh_noise_is_eight_times_better_than_one_answer() -> None:
    found = await _found(_fresh())
    assert found["distinct.repeats", ""] == TIMES
    assert found["distinct.errors", ""] == TIMES
    assert found["error.single", ""] == pytest.approx(NOISE, abs=0.02)
    assert found["error.ratio", "repeats"] == pytest.approx(1 / 8, abs=0.02)
    assert found["error.ratio", "variants"] == pytest.approx(1 / 8, abs=0.02)


async def test_noise_of_the_bytes_is_averaged_over_other_looks() -> None:
    found = await _found(_by_bytes)
    assert found["distinct.repeats", ""] == 1
    assert found["error.ratio", "repeats"] == pytest.approx(1)
    assert found["distinct.errors", ""] == TIMES
    assert found["error.ratio", "variants"] == pytest.approx(1 / 8, abs=0.02)


async def test_noise_of_the_meaning_is_not_averaged_at_all() -> None:
    found = await _found(_by_meaning)
    assert found["distinct.variants", ""] == found["distinct.errors", ""] == 1
    assert found["error.ratio", "variants"] == pytest.approx(1)


async def test_looks_that_move_the_vector_are_told_from_noise() -> None:
    drift = 0.15
    bare, fresh, own = [await _found(s, drift) for s in (_bare, _fresh(), _by_meaning)]
    assert bare["error.drift", ""] == pytest.approx(drift, abs=0.03)
    assert bare["error.mean", "variants"] == pytest.approx(bare["error.drift", ""], abs=1e-6)
    assert bare["distinct.errors", ""] == 0
    assert ("error.ratio", "variants") not in bare
    assert fresh["error.mean", "variants"] == pytest.approx(fresh["error.drift", ""], abs=0.02)
    assert own["distinct.variants", ""] == TIMES
    assert own["distinct.errors", ""] == 1
    assert own["error.mean", "variants"] > own["error.single", ""]


async def test_looks_that_move_the_vector_even_the_errors_of_signs_out() -> None:
    found = await _found(_signs, 0.3)
    assert found["error.single", ""] > 0.5
    assert found["error.mean", "variants"] < found["error.single", ""] - 0.05


async def test_who_is_refused_averages_nothing() -> None:
    assert await _found(_bare, refuse=True) == {}


def test_a_distance_is_of_directions() -> None:
    exact = np.array([1.0, 0.0])
    assert averaging.distance(np.array([[5.0, 0.0], [0.0, 2.0]]), exact) == pytest.approx(
        [0, np.sqrt(2)]
    )
    assert averaging.distance(np.array([-3.0, 0.0]), exact) == pytest.approx(2)
