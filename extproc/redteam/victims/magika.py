"""A real deep classifier: Magika, which tells a file's kind from its first and last 1,024 bytes.

Rule: inputs are made as the `magika` wheel makes them (Fratantonio et al., 2025, "Magika:
AI-Powered Content-Type Detection").  Nobody but its makers knows what it was trained on, so that
there are no members to tell; and it takes ten milliseconds an input, so that it is judged on fewer.
"""

import base64
import json
import sys
from collections.abc import Sequence
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from typing import Final

import numpy as np

from extproc.redteam.adapters.kserve import Kserve
from extproc.redteam.answers import Floats
from extproc.redteam.victims.files import files
from extproc.redteam.victims.source_files import Words
from extproc.redteam.victims.victim import ClassifierVictim, Secret

_AT_ONCE: Final = 24
"""Files of one request: 100 would be more than the MiB that the gateway takes."""
SIDE: Final = 1_024
"""Bytes of a file that are read at each of its ends."""
PADDING: Final = 256
"""What stands where a file has no more bytes."""

_BLOCK: Final = 4_096
"""Bytes at each end in which blanks are passed over."""
_MODEL: Final = "standard_v3_3"
_SEED: Final = 0
_TASK: Final = 2_000
_NATURAL: Final = 2_000
_JUDGED: Final = 270


def victim() -> ClassifierVictim:
    """Raise ModuleNotFoundError where the `magika` package, which names the kinds, is missing."""
    labels = _labels()
    rng = np.random.default_rng(_SEED)
    kinds, judged = files(_JUDGED, rng)
    none, nobody = np.zeros((0, 2 * SIDE)), np.zeros(0, np.int64)
    return ClassifierVictim(
        name="magika",
        about=(
            "Magika, a deep network for kinds of files: 2,048 bytes, 214 classes; tells 99 % of"
            " small files of 27 kinds rightly."
        ),
        adapter=Kserve("magika", "bytes", len(labels), most=_AT_ONCE),
        dimensions=2 * SIDE,
        classes=len(labels),
        low=np.zeros(2 * SIDE),
        high=np.full(2 * SIDE, float(PADDING)),
        task=_rows(files(_TASK, rng)[1]),
        natural=_rows(_strange(_NATURAL, rng)),
        secret=Secret(
            _rows(judged),
            np.array([labels.index(kind) for kind in kinds]),
            none,
            nobody,
            none,
            nobody,
        ),
        slow=True,
    )


def features(content: bytes) -> Floats:
    """The input [2048] that a file becomes."""
    row = np.full(2 * SIDE, float(PADDING))
    head, tail = content[:_BLOCK].lstrip()[:SIDE], content[-_BLOCK:].rstrip()[-SIDE:]
    row[: len(head)] = np.frombuffer(head, np.uint8)
    row[2 * SIDE - len(tail) :] = np.frombuffer(tail, np.uint8)
    return row


def _rows(contents: Sequence[bytes]) -> Floats:
    return np.array([features(content) for content in contents])


def _strange(count: int, rng: np.random.Generator) -> list[bytes]:
    """Bytes of other kinds: noise, text in two bytes, base64, hexadecimal, pieces of a program."""
    words, program = Words(rng), Path(sys.executable).read_bytes()
    made = []
    for place in range(count):
        match place % 5:
            case 0:
                made.append(rng.bytes(words.count(300, 4_000)))
            case 1:
                made.append(words.text().encode("utf-16"))
            case 2:
                made.append(base64.encodebytes(rng.bytes(words.count(300, 2_000))))
            case 3:
                made.append(rng.bytes(words.count(300, 1_000)).hex(" ", 2).encode())
            case _:
                start = words.count(0, max(0, len(program) - _BLOCK))
                made.append(program[start : start + words.count(300, _BLOCK)])
    return made


@cache
def _labels() -> tuple[str, ...]:
    """Magika's names of kinds, in the order of its scores."""
    spec = find_spec("magika")
    if spec is None or not spec.submodule_search_locations:
        raise ModuleNotFoundError("magika needs its package: pip install 'extproc[redteam]'")
    directory = Path(spec.submodule_search_locations[0]) / "models" / _MODEL
    return tuple(json.loads((directory / "config.min.json").read_bytes())["target_labels_space"])
