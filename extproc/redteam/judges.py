"""A judge for each victim, summoned once and past the gateway."""

from typing import Final

from extproc.redteam.answers import Answers, Floats
from extproc.redteam.client import Client
from extproc.redteam.judge import Ask, Judge, summon
from extproc.redteam.oracle import Budget, Classifier, Embedder
from extproc.redteam.vector_judge import VectorJudge
from extproc.redteam.victims.victim import (
    ClassifierVictim,
    EmbeddingVictim,
    LanguageVictim,
    Victim,
)

_ALL: Final = 10**9


async def judge_of(victim: Victim, client: Client) -> Judge | VectorJudge | None:
    """A language model is not copied whole, and has none.

    Raise ValueError where the victim does not answer the judge all it asks.
    """
    match victim:
        case ClassifierVictim():
            return await summon(victim, _asker(victim, client))
        case EmbeddingVictim():
            embedder = Embedder(client, victim.adapter, Budget(_ALL))
            vectors = await embedder.ask(victim.test)
            _whole(victim, answered=bool(vectors.served.all()))
            return VectorJudge(victim.test, victim.topics, vectors.values)
        case LanguageVictim():
            return None


def _asker(victim: ClassifierVictim, client: Client) -> Ask:
    classifier = Classifier(client, victim.adapter, victim.classes, Budget(_ALL))

    async def ask(inputs: Floats) -> Answers:
        answers = await classifier.ask(inputs)
        _whole(victim, answered=bool(answers.served.all()))
        return answers

    return ask


def _whole(victim: Victim, *, answered: bool) -> None:
    if not answered:
        raise ValueError(f"{victim.name} did not answer all that copies of it are judged on")
