import betterproto2

from extproc.envoyconf.addresses import to_address
from extproc.envoyconf.settings import Pipe, Socket


def test_a_pipe_is_a_path_and_a_socket_an_address_with_its_port() -> None:
    pipe, socket = to_address(Pipe("/run/a.sock")), to_address(Socket("::1", 0))

    assert pipe.to_dict(casing=betterproto2.Casing.SNAKE) == {"pipe": {"path": "/run/a.sock"}}
    assert socket.to_dict(casing=betterproto2.Casing.SNAKE) == {
        "socket_address": {"address": "::1", "port_value": 0}
    }
