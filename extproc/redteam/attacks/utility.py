"""What a customer keeps of a classifier under a policy.

Sources: Guo et al., 2017, "On Calibration of Modern Neural Networks", for whether confidences are
to be believed.  No attack: it asks as a customer does, about inputs whose labels the customer
knows, and beside it asks the model server itself for the time that the gateway costs.

Where labels alone are told there is no confidence, and no calibration of it; `confidence.told` says
so, and the calibration error has no row then.
"""

from collections.abc import AsyncIterator
from typing import Final

import numpy as np

from extproc.redteam.answers import Answers, Bools
from extproc.redteam.attack import Attack, Family, Finding, Gain, Kind, Measure, Needs
from extproc.redteam.client import Client
from extproc.redteam.form import Grain, of_answers
from extproc.redteam.measures.calibration import calibration_error
from extproc.redteam.request import Request
from extproc.redteam.scene import Scene

TIMED: Final = 60
"""Requests of one input, one after another."""


async def _run(scene: Scene) -> AsyncIterator[Gain]:
    secret = scene.target.secret
    answers = await scene.classifier().ask(secret.test)
    yield Finding("accuracy", np.mean(answers.labels == secret.truth))
    told = of_answers(answers).grain > Grain.LABEL
    yield Finding("confidence.told", told)
    if told:
        yield Finding("calibration_error", _calibration(answers, answers.labels == secret.truth))
    requests = [scene.target.adapter.request(secret.test[at : at + 1], 0) for at in range(TIMED)]
    for where, client in (("served", scene.client), ("bare", scene.public)):
        for finding in await timed(client, requests, where):
            yield finding


async def timed(client: Client, requests: list[Request], where: str) -> list[Finding]:
    """Milliseconds of those answered, one after another; nothing where none was."""
    replies = [await client.send(request) for request in requests]
    times = np.array([reply.ended for reply in replies if reply.served]) * 1000
    if not len(times):
        return []
    return [
        Finding(f"latency.{where}.p{share}", float(np.percentile(times, share)))
        for share in (50, 95)
    ]


def _calibration(answers: Answers, right: Bools) -> float:
    """Of the answers that came with scores: the highest is the confidence in the label."""
    assert answers.scores is not None
    told = answers.served & ~np.isnan(answers.scores).any(axis=1)
    return calibration_error(answers.scores[told].max(axis=1), right[told])


LATENCIES: Final = tuple(
    Measure(f"latency.{where}.p{share}", f"time of one answer {how}, {name}", "ms", timed=True)
    for where, how in (("served", "through the gateway"), ("bare", "of the model server itself"))
    for share, name in ((50, "half take less"), (95, "95 of 100 take less"))
)

ATTACK: Final = Attack(
    name="utility",
    paper="Guo et al., ICML 2017",
    family=Family.CONTROL,
    needs=(Needs.NOTHING,),
    kind=Kind.CLASSIFIER,
    run=_run,
    victims=("digits", "digits-plain", "digits-dp-8", "digits-dp-3"),
    quick=("digits",),
    budgets=(1_000,),
    policies=("standard", "coarse", "sealed"),
    measures=(
        Measure("accuracy", "share of the task's inputs labelled rightly", worse="low"),
        Measure("confidence.told", "1 where confidences are told, 0 for labels alone", worse="low"),
        Measure("calibration_error", "distance of confidence and accuracy, over 15 bins"),
        *LATENCIES,
    ),
    alone=True,
)
