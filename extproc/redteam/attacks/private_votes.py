"""Get more out of an ensemble whose votes are answered privately than its promise has room for.

Paper: Papernot, Song, Mironov, Raghunathan, Talwar and Erlingsson, 2018, "Scalable Private Learning
with PATE", ICLR, section 4, for what an answer costs.

What policy ``private`` has room for is no secret: 234 answers for the life of a tenant.  A thief
with two keys of one tenant asks about inputs like the model's own, first in batches and then one
by one, until nothing is told any more; then asks again what was told, which noise that is thrown
anew would show by another answer.  Of all that a copy is made.  A customer with another tenant asks
meanwhile about inputs whose labels the customer knows.
"""

from collections.abc import AsyncIterator
from itertools import cycle
from typing import Final

import numpy as np

from extproc.redteam.answers import Answers, Floats
from extproc.redteam.attack import Attack, Copy, Family, Finding, Gain, Kind, Measure, Needs
from extproc.redteam.scene import Scene
from extproc.redteam.surrogates.choice import Chooser
from extproc.redteam.surrogates.gathered import Gathered

GRANTED: Final = 234
"""Answers that a tenant of ``private`` may have, as its documentation says."""
ASKED: Final = 250
"""Inputs that the thief asks about, and asks about again."""
BATCH: Final = 20
_THIEF: Final = (0, 2)
_CUSTOMER: Final = 1
"""Places of keys; of two tenants in turn."""
_SINGLY: Final = GRANTED - GRANTED % BATCH
"""From this one on inputs are asked about one by one."""


async def _run(scene: Scene) -> AsyncIterator[Gain]:
    target, secret = scene.target, scene.target.secret
    told = await scene.classifier().ask(secret.test, key=_CUSTOMER, batch=BATCH)
    yield Finding("answers.right", np.mean(told.labels == secret.truth))
    inputs = _inputs(scene)
    first = await _ask(scene, inputs)
    answered = int(first.served.sum())
    yield Finding("answers.told", answered)
    yield Finding("answers.over", max(0, answered - GRANTED))
    again = await _ask(scene, inputs)
    once = first.served & again.served
    yield Finding("again.told", once.sum() / max(1, answered))
    yield Finding("again.other", (first.labels != again.labels)[once].sum() / max(1, once.sum()))
    yield Finding("again.more", int((again.served & ~first.served).sum()))
    learnt = Gathered.nothing(target.dimensions, target.classes).with_answers(inputs, first)
    chooser = Chooser(target.low, target.high, scene.rng.spawn(1)[0], typical=target.real)
    yield Copy(ASKED, chooser.fit(learnt))


def _inputs(scene: Scene) -> Floats:
    """Real ones first, each once: what was told before is told again, and costs nothing."""
    target = scene.target
    real = scene.rng.permutation(target.task[: target.real])
    made = scene.rng.permutation(target.task[target.real :])
    inputs = np.concatenate([real, made])
    places = np.sort(np.unique(inputs, axis=0, return_index=True)[1])
    return inputs[places[:ASKED]]


async def _ask(scene: Scene, inputs: Floats) -> Answers:
    """With both keys in turn."""
    oracle, keys = scene.classifier(), cycle(_THIEF)
    sizes = (*[BATCH] * (_SINGLY // BATCH), *[1] * (len(inputs) - _SINGLY))
    parts = np.split(inputs, np.cumsum(sizes)[:-1])
    found = [await oracle.ask(part, key=next(keys)) for part in parts]
    return Answers.joined(found, scene.target.classes)


ATTACK: Final = Attack(
    name="private-votes",
    paper="Papernot et al., ICLR 2018",
    family=Family.PRIVACY,
    needs=(Needs.TASK_DATA, Needs.MANY_KEYS),
    kind=Kind.CLASSIFIER,
    run=_run,
    victims=("digits-teachers",),
    quick=("digits-teachers",),
    budgets=(1_000,),
    measures=(
        Measure("answers.right", "share of a customer's inputs labelled rightly", worse="low"),
        Measure("answers.told", "inputs that a thief was told a class of"),
        Measure("answers.over", "inputs answered beyond those that the promise has room for"),
        Measure("again.told", "share of them that is told again when nothing is left", worse="low"),
        Measure("again.other", "share of these of which another class is told then"),
        Measure("again.more", "inputs answered then that were refused before"),
    ),
    keys=4,
    tenants=2,
    linked=False,
    apart="private",
    policies=("private",),
    quick_policies=("private",),
)
