"""Pairs of requests that an onlooker, or a stranger, should not be able to tell apart.

Rule: each side makes a fresh request whenever it is asked for one, so that what is told apart is
the secret (which label, whose key, which model) and not one particular input.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Final

import numpy as np
import orjson

from extproc.redteam.answers import Floats
from extproc.redteam.attack import Measure
from extproc.redteam.request import Request
from extproc.redteam.scene import Scene

CLASSIFIER: Final = {
    "label": "an answer of one label from one of another",
    "key": "a valid key from an invalid one",
    "model": "a model that there is from one that there is not",
    "batch": "a question about one input from one about two",
}
LANGUAGE: Final = {
    "cache": "a prompt that was asked before from a new one",
    "output": "a short answer from a long one",
}
_NOBODY: Final = {"authorization": "Bearer xk-nobody00-000000000000000000000000000000000000"}
_LABELLED: Final = 300
"""Inputs whose labels are asked for first."""
_WORDS: Final = 400
"""Of the prompts whose caching is asked about."""

Make = Callable[[np.random.Generator], Request]


@dataclass(frozen=True, slots=True)
class Pair:
    name: str
    one: Make
    other: Make


def measures(
    pairs: Mapping[str, str], tells: Mapping[str, str], *, timed: bool = False
) -> tuple[Measure, ...]:
    """Of each pair, what is measured of it: ``tells`` has the name and what it says of a pair."""
    return tuple(
        Measure(f"{name}.{pair}", f"{about} {what}", "bits" * (name == "bits"), timed=timed)
        for pair, what in pairs.items()
        for name, about in tells.items()
    )


async def of_classifier(scene: Scene) -> list[Pair]:
    """By what the victim itself says of the attacker's inputs; a refusal is no label."""
    target = scene.target
    own = target.task[:_LABELLED]
    labels = (await scene.classifier().ask(own)).labels
    answered = np.bincount(labels[labels >= 0], minlength=2)
    first, second = (own[labels == label] for label in np.argsort(-answered, kind="stable")[:2])
    first = first if len(first) else own
    second = second if len(second) else first
    ask, any_input = target.adapter.request, own

    def one_of(inputs: Floats, count: int = 1) -> Make:
        return lambda rng: ask(inputs[rng.integers(len(inputs), size=count)], 0)

    def stranger(rng: np.random.Generator) -> Request:
        return replace(one_of(any_input)(rng), key=None, headers={**_JSON, **_NOBODY})

    def elsewhere(rng: np.random.Generator) -> Request:
        return of_unknown_model(one_of(any_input)(rng))

    return [
        Pair("label", one_of(first), one_of(second)),
        Pair("key", one_of(any_input), stranger),
        Pair("model", one_of(any_input), elsewhere),
        Pair("batch", one_of(any_input), one_of(any_input, 2)),
    ]


def of_language(scene: Scene) -> list[Pair]:
    """``cache`` asks the same long prompt again, and a new one of the same length."""
    known = _prompt(scene, scene.rng)
    short = scene.language.prompts[0]
    return [
        Pair(
            "cache",
            lambda _: _chat(scene, known, 1),
            lambda rng: _chat(scene, _prompt(scene, rng), 1),
        ),
        Pair("output", lambda _: _chat(scene, short, 1), lambda _: _chat(scene, short, 32)),
    ]


_JSON: Final = {"content-type": "application/json"}


def of_unknown_model(request: Request, name: str | Callable[[str], str] = "nothing") -> Request:
    """The same of a model that is not there: the folder behind ``models`` names it."""
    folders = request.path.split("/")
    if "models" in folders[:-1]:
        place = folders.index("models") + 1
        folders[place] = name if isinstance(name, str) else name(folders[place])
    return replace(request, path="/".join(folders))


def _prompt(scene: Scene, rng: np.random.Generator) -> str:
    """Words of the victim's prompts in a new order."""
    words = " ".join(scene.language.prompts).split()
    return " ".join(words[place] for place in rng.integers(len(words), size=_WORDS))


def _chat(scene: Scene, text: str, tokens: int) -> Request:
    said = {
        **scene.language.parameters,
        "messages": [{"role": "user", "content": text}],
        "max_tokens": tokens,
        "seed": 1,
    }
    return Request("/v1/chat/completions", orjson.dumps(said), headers=_JSON)
