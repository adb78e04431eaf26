"""What is known of each line of a traffic file once it has been read.

Rule: an input is in memory only while something is made of it; what is kept of a line is numbers of
a fixed size.
"""

from array import array
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from hashlib import blake2b
from itertools import islice
from pathlib import Path
from typing import Any, Final

import numpy as np
import numpy.typing as npt
from msgspec.structs import replace

from extproc.calibration.parts import Index
from extproc.calibration.traffic import Line, lines
from extproc.canonical import digest
from extproc.detectors.calibration import CLASSES
from extproc.detectors.excerpt import sample
from extproc.detectors.features import Features, without_inputs
from extproc.detectors.observation import Observation
from extproc.detectors.sketch import Sketcher
from extproc.errors import ClientError, ConfigError

_AT_ONCE: Final = 64
_TOLD: Final = 100_000
"""Queries after which progress is told."""
_MODEL: Final = "model"
"""One that is known: traffic does not tell which."""
OF_QUERIES: Final[Mapping[str, Any]] = {
    "digests": np.uint64,
    "simhashes": np.uint64,
    "cells": np.int16,
    "surprises": np.float32,
    "lengths": np.uint8,
    "entropies": np.uint8,
    "scripts": np.uint8,
}
"""Fields of Features that have a value for each query."""

Progress = Callable[[str], None]
Chosen = npt.NDArray[np.intp]
"""Numbers of lines, rising; shape (chosen,)."""


@dataclass(frozen=True, slots=True, eq=False)
class Recorded:
    path: Path
    index: Index
    classes: tuple[str, ...]
    """Names of traffic classes, as the index numbers them."""


def read(path: Path, key: bytes, progress: Progress) -> Recorded:
    """The whole file, once.  Raise ConfigError, with file and line, where it cannot be used."""
    times, clients, classes, digests = array("d"), array("I"), array("B"), array("Q")
    names: dict[str, int] = {}
    known: dict[bytes, int] = {}
    for number, line in enumerate(lines(path), 1):
        times.append(line.time)
        # Of clients no more than so many octets are kept, whatever they are called.
        client = blake2b(line.client.encode(), digest_size=16).digest()
        clients.append(known.setdefault(client, len(known)))
        classes.append(names.setdefault(line.traffic, len(names)))
        if len(names) > CLASSES:
            raise ConfigError(f"{path}:{number}: more than {CLASSES} traffic classes; name fewer")
        digests.append(_digest(line.input, key, f"{path}:{number}"))
    progress(f"{len(times):,} queries of {len(known):,} clients in {len(names)} traffic classes")
    index = Index(
        np.array(times), np.array(clients), np.array(classes), np.array(digests, np.uint64)
    )
    return Recorded(path, index, tuple(names))


def inputs(recorded: Recorded, chosen: Chosen) -> list[Any]:
    """Of these lines, in the order of their times."""
    found = [_cut(line) for line in _chosen(recorded.path, chosen)]
    order = np.argsort(recorded.index.times[chosen], kind="stable")
    return [found[place] for place in order]


def table(recorded: Recorded, chosen: Chosen, sketcher: Sketcher, progress: Progress) -> Features:
    """Features with a row for each of these lines, at no time."""
    found = {name: np.zeros(len(chosen), kind) for name, kind in OF_QUERIES.items()}
    rest, done = _chosen(recorded.path, chosen), 0
    while some := [_observation(line) for line in islice(rest, _AT_ONCE)]:
        for features in sketcher.features(some):
            for name, values in found.items():
                values[done] = getattr(features, name)[0]
            done += 1
        if done // _TOLD > (done - len(some)) // _TOLD:
            progress(f"{done:,} of {len(chosen):,} queries are sketched")
    return replace(without_inputs(0.0, "served", 1), **found)


def _chosen(path: Path, chosen: Chosen) -> Iterator[Line]:
    wanted = iter(chosen.tolist())
    following = next(wanted, None)
    for number, line in enumerate(lines(path)):
        if following is None:
            return
        if number == following:
            yield line
            following = next(wanted, None)


def _observation(line: Line) -> Observation:
    return Observation(
        time=line.time,
        tenant="",
        principal="",
        route="",
        model=_MODEL,
        outcome="served",
        queries=1,
        inputs=(_cut(line),),
    )


def _cut(line: Line) -> Any:
    """As much of an input as the sidecar looks at."""
    return sample([line.input]).inputs[0]


def _digest(value: Any, key: bytes, place: str) -> int:
    try:
        told = digest(value)
    except ClientError as error:
        raise ConfigError(f"{place}: {error} Leave the line out.") from error
    return int.from_bytes(blake2b(told, digest_size=8, key=key).digest(), "little")
