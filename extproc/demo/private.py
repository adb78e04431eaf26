"""Asks an ensemble whose votes are answered privately, until nothing is told any more."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from extproc.demo import cases
from extproc.demo.answer import Answer
from extproc.demo.client import Client, bearer

VOTES: Final = "/v2/models/digits-teachers/infer"
ASKED: Final = 30
"""Images, one after another; the private key is told what fewer of them show."""


@dataclass(frozen=True, slots=True)
class Private:
    """What was answered."""

    said: Answer
    """By the ensemble itself."""
    told: Sequence[Answer]
    """Of each image, the first of which is the one that the ensemble was asked about."""
    again: Answer
    """Of the first, when nothing is left."""


async def probe(model: Client, gateway: Client, keys: Mapping[str, str]) -> Private:
    """Ask all of it; ``keys`` are by tenant."""
    headers = bearer(keys["private"])
    said = await model.post(VOTES, cases.infer())
    told = [await gateway.post(VOTES, _image(at), headers=headers) for at in range(ASKED)]
    return Private(said, told, await gateway.post(VOTES, _image(0), headers=headers))


def _image(number: int) -> dict[str, Any]:
    """That of the case, another pixel of it a little brighter each time."""
    asked = cases.infer()
    [tensor] = asked["inputs"]
    pixels = [value + (place < number) for place, value in enumerate(tensor["data"])]
    return {"inputs": [{**tensor, "data": pixels}]}
