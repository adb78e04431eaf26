"""Victims within the test: what they know was planted, so that what is recovered can be checked.

Rule: they answer the bytes that an attack sends, as the API would; nothing of the attack is known.
"""

from collections.abc import Callable, Sequence
from hashlib import sha256

import numpy as np
import orjson

from extproc.redteam.adapters.openai_embeddings import OpenAiEmbeddings
from extproc.redteam.answers import Floats
from extproc.redteam.client import Client
from extproc.redteam.oracle import Budget
from extproc.redteam.request import Reply, Request
from extproc.redteam.scene import Scene
from extproc.redteam.victims.victim import EmbeddingVictim

BASE = 32
HEAD = 24


class Planted(Client):
    """A client whose server is a function from request to status and document."""

    def __init__(self, answer: Callable[[Request], tuple[int, object]], name: str) -> None:
        super().__init__(f"http://{name}.test")
        self._answer = answer

    async def _reply(self, request: Request, *, follow: bool = False) -> Reply:
        status, document = self._answer(request)
        return Reply(status, (), orjson.dumps(document), 0.0, 0.0)


Serve = Callable[[Floats, int, Sequence[str]], Floats]
"""From exact vectors [B, D], the key and the texts to what is served."""


def public_vector(text: str) -> Floats:
    """A unit vector of BASE numbers: the mean of one for each word, as a bag of words has it."""
    words = [
        np.random.default_rng(list(sha256(word.encode()).digest()[:8])).normal(size=BASE)
        for word in text.lower().split()
    ]
    mean: Floats = np.mean(words, axis=0)
    unit: Floats = mean / np.linalg.norm(mean)
    return unit


def head() -> Floats:
    """The secret: from BASE to HEAD."""
    drawn: Floats = np.random.default_rng(7).normal(size=(BASE, HEAD))
    return drawn


def private_vectors(texts: Sequence[str]) -> Floats:
    vectors: Floats = np.array([public_vector(text) for text in texts]) @ head()
    unit: Floats = vectors / np.linalg.norm(vectors, axis=1, keepdims=True)
    return unit


def exact(vectors: Floats, _key: int, _texts: Sequence[str]) -> Floats:
    return vectors


def texts(count: int, seed: int = 0) -> list[str]:
    """Different ones of eight words of three hundred."""
    rng = np.random.default_rng(seed)
    return [
        " ".join(f"word{at}" for at in rng.integers(300, size=8)) + f" number{seed}x{place}"
        for place in range(count)
    ]


def victim(pool: int, *, based: bool = True) -> EmbeddingVictim:
    return EmbeddingVictim(
        name="planted",
        about="Bags of words through a secret map.",
        adapter=OpenAiEmbeddings("private", HEAD),
        dimensions=HEAD,
        task=texts(pool),
        test=texts(120, seed=1),
        topics=np.zeros(120, np.int64),
        base=OpenAiEmbeddings("public", BASE) if based else None,
    )


def scene(
    target: EmbeddingVictim,
    budgets: Sequence[int],
    serve: Serve = exact,
    *,
    seed: int = 0,
    refuse: Callable[[Request], bool] = lambda _request: False,
) -> Scene:
    def gateway(request: Request) -> tuple[int, object]:
        if refuse(request):
            return 429, {"error": "no"}
        asked = orjson.loads(request.body)["input"]
        return 200, _document(serve(private_vectors(asked), request.key or 0, asked))

    def public(request: Request) -> tuple[int, object]:
        asked = orjson.loads(request.body)
        if asked["model"] == "private":
            return 200, _document(private_vectors(asked["input"]))
        return 200, _document(np.array([public_vector(text) for text in asked["input"]]))

    return Scene(
        target,
        Planted(gateway, "gateway"),
        Planted(public, "public"),
        Budget(budgets[-1]),
        tuple(budgets),
        np.random.default_rng(seed),
    )


def _document(vectors: Floats) -> object:
    return {"data": [{"embedding": [float(value) for value in vector]} for vector in vectors]}
