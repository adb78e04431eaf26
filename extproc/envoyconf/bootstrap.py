"""The bootstrap as a plain document."""

from typing import Any, cast

from extproc.envoyconf.settings import Gateway
from extproc.envoyconf.typed import typed

Document = dict[str, Any]
"""A protobuf message in its JSON mapping, its fields in snake_case as in Envoy's documentation."""


def bootstrap(gateway: Gateway) -> Document:
    """Render ``envoy.config.bootstrap.v3.Bootstrap``.

    Fields at their default, such as ``failure_mode_allow: false``, are left out.
    Raise ConfigError when the package of Envoy's types is not installed.
    """
    return cast("Document", typed("document").render(gateway))
