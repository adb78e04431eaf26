"""Addresses as Envoy's messages."""

from envoy_data_plane.envoy.config.core.v3 import Address as EnvoyAddress
from envoy_data_plane.envoy.config.core.v3 import Pipe as EnvoyPipe
from envoy_data_plane.envoy.config.core.v3 import SocketAddress

from extproc.envoyconf.settings import Address, Pipe, Socket


def to_address(address: Address) -> EnvoyAddress:
    match address:
        case Pipe(path):
            return EnvoyAddress(pipe=EnvoyPipe(path=path))
        case Socket(host, port):
            return EnvoyAddress(socket_address=SocketAddress(address=host, port_value=port))
