"""Modules that hold Envoy's own types, which not everybody has installed.

Rule: they are imported only to render, so that the rest runs without them.
"""

from importlib import import_module
from types import ModuleType

from extproc.errors import ConfigError

_PACKAGES = {"betterproto2", "envoy_data_plane"}


def typed(name: str) -> ModuleType:
    """A module of this package.  Raise ConfigError where Envoy's types are not installed."""
    try:
        return import_module(f"extproc.envoyconf.{name}")
    except ModuleNotFoundError as error:
        if (error.name or "").partition(".")[0] not in _PACKAGES:
            raise
        raise ConfigError(
            "rendering Envoy's configuration needs its types: pip install 'extproc[envoy]'"
        ) from error
