"""The Bootstrap message: listener, clusters, admin page and what bounds the process."""

from typing import Any, Final

import betterproto2
from envoy_data_plane.envoy.config.bootstrap.v3 import (
    Admin,
    Bootstrap,
    BootstrapStaticResources,
    LayeredRuntime,
    RuntimeLayer,
)
from envoy_data_plane.envoy.config.overload.v3 import OverloadManager, ResourceMonitor
from envoy_data_plane.envoy.extensions.resource_monitors.downstream_connections.v3 import (
    DownstreamConnectionsConfig,
)
from envoy_data_plane.google.protobuf import Any as Packed
from envoy_data_plane.google.protobuf import Struct

from extproc.envoyconf import clusters, listener
from extproc.envoyconf.addresses import to_address
from extproc.envoyconf.settings import Gateway

# One layer without an admin layer: /runtime_modify must not switch a guard of Envoy's off.
_RUNTIME: Final = LayeredRuntime(
    layers=[RuntimeLayer(name="static", static_layer=Struct.from_dict({}))]
)


def render(gateway: Gateway) -> dict[str, Any]:
    return _message(gateway).to_dict(casing=betterproto2.Casing.SNAKE)


def _message(gateway: Gateway) -> Bootstrap:
    return Bootstrap(
        static_resources=BootstrapStaticResources(
            listeners=[listener.render(gateway)],
            clusters=[clusters.upstream(gateway), clusters.sidecar(gateway.sidecar)],
        ),
        admin=Admin(address=to_address(gateway.admin)) if gateway.admin else None,
        layered_runtime=_RUNTIME,
        overload_manager=OverloadManager(resource_monitors=[_connections(gateway.max_connections)]),
    )


def _connections(most: int) -> ResourceMonitor:
    return ResourceMonitor(
        name="envoy.resource_monitors.global_downstream_max_connections",
        typed_config=Packed.pack(
            DownstreamConnectionsConfig(max_active_downstream_connections=most)
        ),
    )
