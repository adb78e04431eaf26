"""``python -m tests.bench.redteam``: how fast the red team asks the bare demo victim.

Goal: 1,000 requests a second of one input each; told as numbers, and never a reason to fail.
"""

import asyncio
from statistics import median
from time import monotonic
from typing import Final

import numpy as np

from extproc.redteam.answers import Floats
from extproc.redteam.client import Client
from extproc.redteam.firing_range.firing_range import model_server
from extproc.redteam.oracle import Budget, Classifier
from extproc.redteam.victims.digits import regression

ROUNDS: Final = 5
ONES: Final = 2_000
MANY: Final = 20_000


async def main() -> None:
    victim = regression()
    async with model_server(("digits",)) as url, Client(url) as client:
        oracle = Classifier(client, victim.adapter, victim.classes, Budget(10**9))
        for count, batch, called in ((ONES, 1, "requests"), (MANY, 100, "inputs, 100 a request,")):
            inputs = victim.task[np.arange(count) % len(victim.task)]
            rates = [await _rate(oracle, inputs, batch) for _ in range(ROUNDS)]
            print(
                f"{median(rates):,.0f} {called} a second ({min(rates):,.0f} to {max(rates):,.0f})"
            )


async def _rate(oracle: Classifier, inputs: Floats, batch: int) -> float:
    began = monotonic()
    answers = await oracle.ask(inputs, batch=batch)
    assert answers.served.all()
    return len(inputs) / (monotonic() - began)


if __name__ == "__main__":
    asyncio.run(main())
