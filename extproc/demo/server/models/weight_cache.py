"""Trained weights between two starts, as safetensors.

Rule: a file that cannot be read is as good as none, and one that cannot be written is done without;
safetensors holds numbers only, so that a planted file cannot run code.
"""

import os
from pathlib import Path
from tempfile import NamedTemporaryFile

import numpy as np
from numpy.typing import NDArray
from safetensors import SafetensorError
from safetensors.numpy import load_file, save

Weights = dict[str, NDArray[np.float32]]


def read(file: Path) -> Weights | None:
    try:
        return load_file(file)
    except (OSError, SafetensorError):
        return None


def write(file: Path, weights: Weights) -> None:
    """Write beside and rename, so that a start at the same time never reads half a file."""
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        with NamedTemporaryFile(dir=file.parent, delete=False) as beside:
            beside.write(save(weights))
        Path(beside.name).replace(file)
    except OSError:
        return


def directory() -> Path:
    """Where caches belong: XDG Base Directory Specification, ``$XDG_CACHE_HOME``."""
    home = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(home) / "extproc"
