"""The control socket, through which an operator acts on a sidecar that runs.

Rule: a socket file and nothing else: who may open it may act, so that it is never a port.
"""

from typing import Annotated

from msgspec import Meta

ControlSocket = Annotated[
    str,
    Meta(
        pattern=r"^unix:///.+\Z",
        description="unix:///PATH of a socket, such as unix:///run/extproc/control.sock",
    ),
]
