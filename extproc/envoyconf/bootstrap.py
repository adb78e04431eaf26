"""The bootstrap as a plain document.

Rule: the Envoy types are imported only to render, so that the rest runs without them.
"""

from importlib import import_module
from typing import Any, cast

from extproc.envoyconf.settings import Gateway
from extproc.errors import ConfigError

Document = dict[str, Any]
"""A protobuf message in its JSON mapping, its fields in snake_case as in Envoy's documentation."""


def bootstrap(gateway: Gateway) -> Document:
    """Render ``envoy.config.bootstrap.v3.Bootstrap``.

    Fields at their default, such as ``failure_mode_allow: false``, are left out.
    Raise ConfigError when the package of Envoy's types is not installed.
    """
    try:
        document = import_module("extproc.envoyconf.document")
    except ModuleNotFoundError as error:
        if (error.name or "").partition(".")[0] not in {"betterproto2", "envoy_data_plane"}:
            raise
        raise ConfigError(
            "rendering Envoy's configuration needs its types: pip install 'extproc[envoy]'"
        ) from error
    return cast("Document", document.render(gateway))
