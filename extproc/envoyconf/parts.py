"""What a control plane puts into the Envoys that it configures: our cluster, our two filters, and
what has to be so before them.
"""

from typing import Any

import betterproto2
from envoy_data_plane.google.protobuf import Any as Packed

from extproc.envoyconf import clusters, http_filters, listener
from extproc.envoyconf.settings import Address


def cluster(sidecar: Address) -> dict[str, Any]:
    """``envoy.config.cluster.v3.Cluster``, of the sidecar."""
    return clusters.sidecar(sidecar).to_dict(casing=betterproto2.Casing.SNAKE)


def manager() -> dict[str, Any]:
    """Fields of ``HttpConnectionManager``, with its ``@type``."""
    return Packed.pack(listener.unambiguous()).to_dict(casing=betterproto2.Casing.SNAKE)


def filters(*, peer_certificate: bool) -> list[dict[str, Any]]:
    """``HttpFilter`` of the connection manager: ext_authz, then ext_proc; both before the router,
    which is the control plane's own.
    """
    chain = http_filters.chain(peer_certificate=peer_certificate)
    return [each.to_dict(casing=betterproto2.Casing.SNAKE) for each in chain[:-1]]
