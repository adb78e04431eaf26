"""The inputs that a target file names, read and dealt.

Rule: the judge's and the attacker's are apart, and the same in every run.
"""

from collections.abc import Sequence
from pathlib import Path
from typing import Final

import numpy as np

from extproc.redteam.answers import Floats, Ints

LEAST: Final = 20
"""Inputs: half of fewer would judge nothing."""
_SEED: Final = 20_261_128


def numbers(path: Path) -> Floats:
    """Rows [N, d] of a .npy, of the ``inputs`` of a .npz, or of a .csv without a header.

    Raise ValueError where there are none, fewer than `LEAST`, or some that are no finite numbers.
    """
    try:
        match path.suffix:
            case ".npy":
                found = np.load(path, allow_pickle=False)
            case ".npz":
                found = np.load(path, allow_pickle=False)["inputs"]
            case ".csv":
                found = np.loadtxt(path, delimiter=",", ndmin=2)
            case _:
                raise ValueError(f"{path}: write inputs as .npy, .npz or .csv")
        rows = np.asarray(found, np.float64)
    except (OSError, EOFError, KeyError) as error:
        raise ValueError(f"{path}: no rows of inputs can be read from it") from error
    if rows.ndim != 2 or len(rows) < LEAST or not np.isfinite(rows).all():
        raise ValueError(f"{path}: needs {LEAST} rows or more, of finite numbers")
    return rows


def texts(path: Path) -> list[str]:
    """A text each line of a .txt.  Raise ValueError where there are fewer than `LEAST`."""
    if path.suffix != ".txt":
        raise ValueError(f"{path}: write texts as .txt, one a line")
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise ValueError(f"{path}: cannot be read as text") from error
    found = list(dict.fromkeys(line.strip() for line in lines if line.strip()))
    if len(found) < LEAST:
        raise ValueError(f"{path}: needs {LEAST} texts or more, none of them twice")
    return found


def dealt(count: int) -> tuple[Ints, Ints]:
    """Places of the judge's half and of the attacker's."""
    order = np.random.default_rng(_SEED).permutation(count)
    return order[: count // 2], order[count // 2 :]


def bounds(
    rows: Floats, low: float | Sequence[float] | None, high: float | Sequence[float] | None
) -> tuple[Floats, Floats]:
    """Of inputs [d]; of ``rows`` where none are given.  Raise ValueError where they are none."""
    shape = rows.shape[1]
    try:
        least = np.array(np.broadcast_to(rows.min(axis=0) if low is None else low, shape), float)
        most = np.array(np.broadcast_to(rows.max(axis=0) if high is None else high, shape), float)
    except ValueError as error:
        raise ValueError(
            f"low and high: write one number, or {shape}, one for each input"
        ) from error
    if (least > most).any():
        raise ValueError("low and high: low is above high")
    return least, most
