"""What policy files declare of how their models were trained: `training_privacy` of a route.

Rule: a promise is about the model, whatever policy it is asked under; of several that are made of
one, the strictest is what it is held to.  A file that no gateway would load declares nothing.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from fnmatch import fnmatchcase
from pathlib import Path

import msgspec
import yaml

from extproc.redteam.adapters.kserve import Kserve
from extproc.redteam.report.header import TrainingPrivacy
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


class _File(msgspec.Struct, frozen=True):
    routes: tuple[_Route, ...] = ()


def declared(files: Sequence[Path], victims: Mapping[str, Victim]) -> dict[str, TrainingPrivacy]:
    """By victim; those of whom nothing is declared are left out."""
    routes = [route for file in files for route in _routes(file)]
    found: dict[str, TrainingPrivacy] = {}
    for name, victim in victims.items():
        promises = sorted(_promises(victim, routes), key=lambda one: (one.epsilon, one.delta))
        if promises:
            strictest = promises[0]
            found[name] = TrainingPrivacy(epsilon=strictest.epsilon, delta=strictest.delta)
    return found


def _routes(file: Path) -> Sequence[_Route]:
    try:
        return msgspec.convert(yaml.safe_load(file.read_text(encoding="utf-8")), _File).routes
    except (OSError, UnicodeDecodeError, yaml.YAMLError, msgspec.ValidationError):
        return ()


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
