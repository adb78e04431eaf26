"""What policy files promise records: `training_privacy` of a route, and budgets of private answers.

Rule: what is said of training is about the model, whatever policy it is asked under; what is said
of answers is about the policy, where its tier lets votes pass and nothing else, since noise on
other outputs promises records nothing.  Of several promises of one kind the strictest is what it is
held to.  A file that no gateway would load declares nothing.
"""

import re
from collections.abc import Collection, Iterator, Mapping, Sequence
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any

import msgspec
import yaml

from extproc.redteam.adapters.kserve import Kserve
from extproc.redteam.report.header import Privacy
from extproc.redteam.victims.victim import ClassifierVictim, Victim

_PARAMETER = re.compile(r"\{\w+\}")


class _Declared(msgspec.Struct, frozen=True):
    """As a route has it."""

    epsilon: float
    delta: float
    models: tuple[str, ...] = ("*",)


class _Route(msgspec.Struct, frozen=True):
    """What matters of it here."""

    path: str
    training_privacy: _Declared | tuple[_Declared, ...] = ()


class _Budget(msgspec.Struct, frozen=True):
    """What matters of it here."""

    count: str = ""
    epsilon: float = 0.0
    delta: float = 0.0


class _Policy(msgspec.Struct, frozen=True):
    """What matters of it here."""

    fidelity: str = ""
    budgets: tuple[_Budget, ...] = ()


class _File(msgspec.Struct, frozen=True):
    routes: tuple[_Route, ...] = ()
    fidelities: Mapping[str, Mapping[str, Any]] = {}
    policies: Mapping[str, _Policy] = {}


def declared(files: Sequence[Path], victims: Mapping[str, Victim]) -> dict[str, Privacy]:
    """By victim; those of whom nothing is declared are left out."""
    routes = [route for file in files for route in _read(file).routes]
    found: dict[str, Privacy] = {}
    for name, victim in victims.items():
        promises = sorted(_promises(victim, routes), key=lambda one: (one.epsilon, one.delta))
        if promises:
            strictest = promises[0]
            found[name] = Privacy(epsilon=strictest.epsilon, delta=strictest.delta)
    return found


def promised(files: Sequence[Path], labels: Collection[str]) -> dict[str, Privacy]:
    """By policy, as rows call it; those that promise nothing of all answers are left out."""
    found: dict[str, Privacy] = {}
    for file in files:
        read = _read(file)
        for name, policy in read.policies.items():
            budgets = [each for each in policy.budgets if each.count == "privacy"]
            if budgets and read.fidelities.get(policy.fidelity, {}).keys() == {"votes"}:
                least = min(budgets, key=lambda one: (one.epsilon, one.delta))
                promise = Privacy(epsilon=least.epsilon, delta=least.delta)
                called = {name, f"{file.name}:{name}"} & {*labels}
                found |= dict.fromkeys(sorted(called), promise)
    return found


def _read(file: Path) -> _File:
    try:
        return msgspec.convert(yaml.safe_load(file.read_text(encoding="utf-8")), _File)
    except (OSError, UnicodeDecodeError, yaml.YAMLError, msgspec.ValidationError):
        return _File()


def _promises(victim: Victim, routes: Sequence[_Route]) -> Iterator[_Declared]:
    match victim:
        case ClassifierVictim(adapter=Kserve() as adapter):
            path = adapter.request(victim.task[:1], 0).path
            for route in routes:
                if _leads(route.path, path):
                    yield from _of_model(route, adapter.model)
        case _:
            return


def _of_model(route: _Route, model: str) -> Iterator[_Declared]:
    """The first that names it."""
    stated = route.training_privacy
    for each in (stated,) if isinstance(stated, _Declared) else stated:
        if any(fnmatchcase(model, pattern) for pattern in each.models):
            yield each
            return


def _leads(template: str, path: str) -> bool:
    return re.fullmatch("[^/]+".join(map(re.escape, _PARAMETER.split(template))), path) is not None
