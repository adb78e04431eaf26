"""A gateway of the user's own, as something that can be attacked.

Rule: what is tried on it is what its file gives the means for; a budget for life that an earlier
trial used up is used up for the next one, unless there are keys enough for each.
"""

from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from itertools import cycle, islice
from pathlib import Path
from typing import Final

import numpy as np

from extproc.declared_api import api_keys, json_place
from extproc.declared_api.json_place import JsonPlace
from extproc.redteam.adapters.declared import Asked, DeclaredClassifier, DeclaredEmbedding
from extproc.redteam.attack import Attack, Kind, Needs
from extproc.redteam.ground import Ground, Place
from extproc.redteam.plan import Planned
from extproc.redteam.policy_choice import BASELINE
from extproc.redteam.target import material, target_file
from extproc.redteam.target.target_file import TargetFile
from extproc.redteam.victims.victim import ClassifierVictim, EmbeddingVictim, Secret, Victim

POLICY: Final = "target"
"""What rows call the policy that holds there, which nobody here knows."""


@dataclass(frozen=True, slots=True)
class Target:
    """What was read of a file, keys too."""

    path: Path
    file: TargetFile
    victim: Victim
    keys: tuple[str, ...]
    reference_keys: tuple[str, ...]

    @property
    def policies(self) -> tuple[str, ...]:
        """With a reference, that is attacked too, as what there is without the gateway."""
        return (BASELINE, POLICY) if self.file.reference else (POLICY,)

    @property
    def files(self) -> tuple[Path, ...]:
        """All that were read, but for keys."""
        named = (self.file.inputs, self.file.other_inputs)
        return (self.path, *(self.path.parent / name for name in named if name))

    def attacks(self, attacks: Mapping[str, Attack]) -> dict[str, Attack]:
        """Those that it can be tried on, with it as their victim."""
        name = self.file.name
        return {
            each.name: replace(each, victims=(name,), quick=(name,))
            for each in attacks.values()
            if self._fits(each)
        }

    @asynccontextmanager
    async def ground(
        self, trials: Sequence[Planned], attacks: Mapping[str, Attack]
    ) -> AsyncIterator[Ground]:
        """Keys are dealt to trials in turn."""
        issued = _deal([t for t in trials if t.policy == POLICY], attacks, self.keys)
        places = {POLICY: Place(self.file.url, issued, self.keys[:1], self.file.parallel)}
        reference = self.file.reference
        if reference is None:
            # The last key: the first ones have the most of their budgets left when trials begin.
            yield Ground(self.file.url, places, self.keys[-1:])
            return
        baseline = [trial for trial in trials if trial.policy == BASELINE]
        lent = _deal(baseline, attacks, self.reference_keys)
        places[BASELINE] = Place(reference.url, lent, (), self.file.parallel)
        yield Ground(reference.url, places, self.reference_keys[:1])

    def _fits(self, attack: Attack) -> bool:
        here = {"classifier": Kind.CLASSIFIER, "embedding": Kind.EMBEDDING}[self.file.kind]
        enough = len(self.keys) >= attack.keys + attack.bystanders and attack.replicas == 1
        return attack.kind is here and set(attack.needs) <= self._means() and enough

    def _means(self) -> set[Needs]:
        means = {Needs.NOTHING, Needs.CLOCK, Needs.MANY_KEYS, Needs.TASK_DATA}
        if self.file.kind == "embedding":
            return means | {Needs.VECTORS}
        means.add(Needs.LABELS)
        if self.file.answer.scores:
            means.add(Needs.SCORES)
        if self.file.other_inputs:
            means.add(Needs.OTHER_DATA)
        return means


def load(path: Path) -> Target:
    """Raise ValueError, in a sentence with its place, where the file or what it names is wrong."""
    file = target_file.read(path)
    reference = file.reference.keys if file.reference else ()
    keys = tuple(api_keys.keys(path, file.keys))
    try:
        victim = _classifier(path, file) if file.kind == "classifier" else _embedding(path, file)
    except ValueError as error:
        told = str(error)
        raise ValueError(
            told if told.startswith(str(path.parent)) else f"{path}: {told}"
        ) from error
    return Target(path, file, victim, keys, tuple(api_keys.keys(path, reference)))


def _classifier(path: Path, file: TargetFile) -> ClassifierVictim:
    rows = material.numbers(path.parent / file.inputs)
    other = material.numbers(path.parent / file.other_inputs) if file.other_inputs else rows[:0]
    low, high = material.bounds(rows, file.low, file.high)
    judged, own = material.dealt(len(rows))
    nothing, unknown = rows[:0], np.zeros(0, np.int64)
    return ClassifierVictim(
        name=file.name,
        about=f"A classifier at {file.url}.",
        adapter=_classifier_adapter(file),
        dimensions=rows.shape[1],
        classes=file.classes,
        low=low,
        high=high,
        task=rows[own],
        natural=other,
        secret=Secret(rows[judged], unknown, nothing, unknown, nothing, unknown),
        linear=file.linear,
        real=len(own),
    )


def _classifier_adapter(file: TargetFile) -> DeclaredClassifier:
    answer = file.answer
    if not answer.scores and not answer.label:
        raise ValueError("answer: say where scores are, or label, or both")
    labels = tuple(answer.labels) or tuple(range(file.classes))
    if len(labels) != file.classes:
        raise ValueError(f"answer.labels: there are {file.classes} classes")
    scores, label = (_place(text) if text else None for text in (answer.scores, answer.label))
    return DeclaredClassifier(_asked(file), file.classes, scores, label, labels, file.request.batch)


def _embedding(path: Path, file: TargetFile) -> EmbeddingVictim:
    if not file.answer.vectors:
        raise ValueError("answer: say where vectors are")
    texts = material.texts(path.parent / file.inputs)
    judged, own = material.dealt(len(texts))
    vectors = _place(file.answer.vectors)
    return EmbeddingVictim(
        name=file.name,
        about=f"An embedding model at {file.url}.",
        adapter=DeclaredEmbedding(_asked(file), file.dimensions, vectors, file.request.batch),
        dimensions=file.dimensions,
        task=[texts[at] for at in own],
        test=[texts[at] for at in judged],
        topics=np.zeros(0, np.int64),
    )


def _asked(file: TargetFile) -> Asked:
    asked = Asked(file.request)
    if unknown := asked.template.unknown():
        raise ValueError(f"request.body: nothing is put into {{{{{unknown[0]}}}}}")
    return asked


def _place(text: str) -> JsonPlace:
    return json_place.parse(text)


def _deal(
    trials: Sequence[Planned], attacks: Mapping[str, Attack], keys: Sequence[str]
) -> dict[str, Sequence[str]]:
    """To those who attack and to bystanders, from the first key on and round again."""
    turn = cycle(keys)
    issued: dict[str, Sequence[str]] = {}
    for trial in trials if keys else ():
        for name, count in _asking(trial, attacks[trial.attack]):
            issued[name] = tuple(islice(turn, count))
    return issued


def _asking(trial: Planned, attack: Attack) -> Iterator[tuple[str, int]]:
    yield trial.party, attack.keys
    for at in range(attack.bystanders):
        yield trial.bystander(at), 1
