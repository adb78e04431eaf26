"""A few questions to a victim, and what it said of each, so that two answers can be compared."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Final

import numpy as np
import orjson

from extproc.redteam.adapters.kserve import Kserve
from extproc.redteam.adapters.openai_embeddings import OpenAiEmbeddings
from extproc.redteam.answers import Floats
from extproc.redteam.client import Client
from extproc.redteam.request import Reply, Request
from extproc.redteam.victims.victim import ClassifierVictim, EmbeddingVictim, LanguageVictim, Victim

COUNT: Final = 20
"""Questions to a classifier or an embedding model; half of a classifier's are uniform inputs."""
PROMPTS: Final = 4
NOBODY: Final = "no-such-model"
_SEED: Final = 20_261_127


@dataclass(frozen=True, slots=True)
class Said:
    """Of one question: ``value`` is all of the answer that counts, None where there was none;
    ``label`` is a classifier's, -1 elsewhere.
    """

    value: bytes | None
    label: int = -1


async def ask(victim: Victim, client: Client) -> list[Said]:
    """What it says, in the order of the questions; with the first of the client's keys."""
    asked = requests(victim)
    replies = await client.send_all(asked)
    return [
        said
        for request, reply in zip(asked, replies, strict=True)
        for said in _read(victim, reply, request.queries)
    ]


def requests(victim: Victim) -> list[Request]:
    """All questions, in as few requests as there may be."""
    match victim:
        case ClassifierVictim():
            return [victim.adapter.request(_inputs(victim), 0)]
        case EmbeddingVictim():
            return [victim.adapter.request(list(victim.task[:COUNT]), 0)]
        case LanguageVictim():
            return [_prompt(victim, prompt) for prompt in victim.prompts[:PROMPTS]]


def misnamed(victim: Victim) -> Victim | None:
    """The same with a model's name that nobody has; None where its API names no model."""
    match victim:
        case ClassifierVictim(adapter=Kserve() as adapter):
            return replace(victim, adapter=replace(adapter, model=NOBODY))
        case EmbeddingVictim(adapter=OpenAiEmbeddings() as embedding):
            return replace(victim, adapter=replace(embedding, model=NOBODY))
        case LanguageVictim():
            return replace(victim, parameters={**victim.parameters, "model": NOBODY})
        case _:
            return None


def _inputs(victim: ClassifierVictim) -> Floats:
    natural = victim.task[: COUNT // 2]
    rng = np.random.default_rng(_SEED)
    uniform = rng.uniform(victim.low, victim.high, (COUNT - len(natural), victim.dimensions))
    return np.concatenate([natural, uniform])


def _prompt(victim: LanguageVictim, prompt: str) -> Request:
    fields = {"messages": [{"role": "user", "content": prompt}], "max_tokens": 8}
    return Request(
        "/v1/chat/completions",
        orjson.dumps(fields | victim.parameters),
        headers={"content-type": "application/json"},
    )


def _read(victim: Victim, reply: Reply, count: int) -> Sequence[Said]:
    match victim:
        case ClassifierVictim():
            return list(_classified(victim, reply, count))
        case EmbeddingVictim():
            vectors = victim.adapter.read(reply, count)
            return [
                Said(vector.tobytes() if served else None)
                for vector, served in zip(vectors.values, vectors.served, strict=True)
            ]
        case LanguageVictim():
            return [Said(_choices(reply))]


def _classified(victim: ClassifierVictim, reply: Reply, count: int) -> Iterator[Said]:
    answers = victim.adapter.read(reply, count)
    for at in range(count):
        if not answers.served[at]:
            yield Said(None)
            continue
        label = int(answers.labels[at])
        scores = b"" if answers.scores is None else answers.scores[at].tobytes()
        yield Said(b"%d " % label + scores, label)


def _choices(reply: Reply) -> bytes | None:
    try:
        return orjson.dumps(orjson.loads(reply.body)["choices"]) if reply.served else None
    except (ValueError, KeyError, TypeError):
        return None
