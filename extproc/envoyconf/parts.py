"""What a control plane puts into the Envoys that it configures: our two filters, our cluster."""

from typing import Any

import betterproto2

from extproc.envoyconf import clusters, http_filters
from extproc.envoyconf.settings import Address


def cluster(sidecar: Address) -> dict[str, Any]:
    """``envoy.config.cluster.v3.Cluster``, of the sidecar."""
    return clusters.sidecar(sidecar).to_dict(casing=betterproto2.Casing.SNAKE)


def filters(*, peer_certificate: bool) -> list[dict[str, Any]]:
    """``HttpFilter`` of the connection manager: ext_authz, then ext_proc; both before the router,
    which is the control plane's own.
    """
    chain = http_filters.chain(peer_certificate=peer_certificate)
    return [each.to_dict(casing=betterproto2.Casing.SNAKE) for each in chain[:-1]]
