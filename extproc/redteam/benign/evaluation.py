"""An evaluation: labelled inputs, as many of each class, once each, as no real traffic comes."""

from collections.abc import Iterator
from typing import Final

import numpy as np

from extproc.redteam.answers import Ints
from extproc.redteam.benign.customer import Customer

OF_EACH: Final = 2
"""Inputs of each class in one request."""


async def run(customer: Customer) -> None:
    secret = customer.victim.secret
    for places in balanced(secret.truth, customer.rng):
        await customer.ask(secret.test[places])


def balanced(truth: Ints, rng: np.random.Generator) -> Iterator[Ints]:
    """Places of inputs, as many of each class, until a class has none left."""
    classes = [rng.permutation(np.flatnonzero(truth == label)) for label in np.unique(truth)]
    for at in range(0, min(map(len, classes)) - OF_EACH + 1, OF_EACH):
        yield np.concatenate([places[at : at + OF_EACH] for places in classes])
