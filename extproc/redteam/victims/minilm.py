"""The demo's two embedding models: MiniLM as it is published, and one made from it in private.

Rule: the judge's texts are as many of each of the fullest documents, and are no text of the
attacker's; the attacker has the rest of those documents and all of the others.
"""

from collections import Counter
from functools import cache
from typing import Final

import numpy as np

from extproc.redteam.adapters.openai_embeddings import OpenAiEmbeddings
from extproc.redteam.answers import Ints
from extproc.redteam.victims.texts import Text, library, reference
from extproc.redteam.victims.victim import EmbeddingVictim

DOCUMENTS: Final = 25
OF_EACH: Final = 48

_TASK: Final = 8_000
_SEED: Final = 0
_PUBLIC: Final = OpenAiEmbeddings("minilm", 384)


def public() -> EmbeddingVictim:
    about = (
        "all-MiniLM-L6-v2, a public sentence encoder of 384 dimensions; of two sentences of 25"
        " documents that it puts nearest to each other, it puts 56 % in the same document."
    )
    task, test, topics = _dealt()
    return EmbeddingVictim("minilm", about, _PUBLIC, 384, task, test, topics)


def private() -> EmbeddingVictim:
    about = (
        "MiniLM followed by a secret linear head to 256 dimensions; of two sentences of 25"
        " documents that it puts nearest to each other, it puts 54 % in the same document."
    )
    task, test, topics = _dealt()
    adapter = OpenAiEmbeddings("minilm-private", 256)
    return EmbeddingVictim("minilm-private", about, adapter, 256, task, test, topics, base=_PUBLIC)


def documents() -> dict[str, list[str]]:
    """All texts but the judge's, by the document that they stand in."""
    found: dict[str, list[str]] = {}
    judged = set(_dealt()[1])
    for text in _shuffled():
        if text.words not in judged:
            found.setdefault(text.document, []).append(text.words)
    return found


@cache
def _dealt() -> tuple[tuple[str, ...], tuple[str, ...], Ints]:
    """The attacker's texts; the judge's, and which document each is of."""
    texts = _shuffled()
    fullest = [name for name, _ in Counter(text.document for text in texts).most_common(DOCUMENTS)]
    left = dict.fromkeys(fullest, OF_EACH)
    test, task = [], []
    for text in texts:
        if left.get(text.document):
            left[text.document] -= 1
            test.append(text)
        else:
            task.append(text.words)
    topics = np.array([fullest.index(text.document) for text in test])
    return tuple(task[:_TASK]), tuple(text.words for text in test), topics


@cache
def _shuffled() -> tuple[Text, ...]:
    """All texts there are, each once, in an order that is the same on every machine."""
    first = {text.words.casefold(): text for text in (*library(), *reference())}
    texts = list(first.values())
    return tuple(texts[place] for place in np.random.default_rng(_SEED).permutation(len(texts)))
