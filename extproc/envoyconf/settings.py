"""What differs from one gateway to the next: its four addresses, its TLS and two bounds.

Rule: addresses are parsed here, once; what renders them cannot meet a wrong one.
"""

from dataclasses import dataclass
from datetime import timedelta
from ipaddress import ip_address
from typing import Final
from urllib.parse import SplitResult, urlsplit

from extproc.errors import ConfigError

_PORTS: Final = {"http": 80, "https": 443, "grpc": 80, "grpcs": 443}
TRUSTED_CA: Final = "/etc/ssl/certs/ca-certificates.crt"
"""Where Debian, its kin and Envoy's own images keep the authorities."""
_LONGEST_SOCKET_PATH: Final = 107
"""Of sun_path (unix(7)) less its final NUL; Envoy refuses longer ones when it starts."""


@dataclass(frozen=True, slots=True)
class Socket:
    """A TCP address.  Port 0 lets the kernel choose one."""

    host: str
    port: int

    @property
    def numeric(self) -> bool:
        """True where the host is an IP address and no name to look up."""
        try:
            ip_address(self.host)
        except ValueError:
            return False
        return True

    def __str__(self) -> str:
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"


@dataclass(frozen=True, slots=True)
class Pipe:
    """A Unix domain socket, by its absolute path."""

    path: str

    def __str__(self) -> str:
        return f"unix://{self.path}"


Address = Socket | Pipe


@dataclass(frozen=True, slots=True)
class Upstream:
    """The model server."""

    socket: Socket
    tls: bool = False
    http2: bool = False
    """Speaks HTTP/2 without being asked, as gRPC does; else it is spoken to in HTTP/1.1."""

    @property
    def authority(self) -> str:
        """What it is called in the Host header: the port only where it is not the scheme's."""
        text = str(self.socket)
        usual = _PORTS["https" if self.tls else "http"]
        return text.rpartition(":")[0] if self.socket.port == usual else text


@dataclass(frozen=True, slots=True)
class Tls:
    """Files, in PEM, by the paths that Envoy reads them from."""

    certificate: str
    """The gateway's own, with what is between it and its authority."""
    key: str
    client_ca: str = ""
    """Of the authorities that vouch for clients, each of which then needs a certificate."""


@dataclass(frozen=True, slots=True)
class Gateway:
    """One Envoy in front of one model server, with its sidecar."""

    upstream: Upstream
    sidecar: Address = Pipe("/run/extproc/extproc.sock")
    """Where the sidecar answers ext_authz and ext_proc."""
    listen: Socket = Socket("0.0.0.0", 8080)  # noqa: S104 - serving the network is its purpose
    admin: Socket | None = Socket("127.0.0.1", 9901)
    """Envoy's own pages, which can stop it and read its configuration; never for the network."""
    trusted_ca: str = TRUSTED_CA
    """File of the authorities that vouch for an ``https`` upstream."""
    stream_idle: timedelta = timedelta(minutes=15)
    """How long a request may see no byte move: longer than the model ever thinks."""
    max_connections: int = 10_000
    """Of clients at once, over all workers; Envoy refuses more."""
    tls: Tls | None = None
    """How clients connect; None is in the clear."""
    peer_certificate: bool = False
    """Whether the sidecar is told the client's certificate, by whose digest a policy may know it;
    its URI it is told anyway."""

    def __post_init__(self) -> None:
        for name, socket in (("listen", self.listen), ("admin", self.admin)):
            if socket is not None and not socket.numeric:
                raise ConfigError(f"{name}: {socket.host!r} is not an IP address, as Envoy needs")


def parse_address(text: str) -> Address:
    """``unix:///absolute/path`` or ``host:port``.  Raise ConfigError for anything else."""
    if text.startswith("unix:"):
        return _pipe(text)
    return parse_socket(text)


def parse_socket(text: str) -> Socket:
    """``host:port`` or ``[v6]:port``.  Raise ConfigError for anything else."""
    parts = _split(f"//{text}", text)
    if not parts.hostname or parts.port is None or parts.netloc != text or "@" in text:
        raise ConfigError(f"{text!r} is not an address: write host:port or unix:///path")
    return Socket(parts.hostname, parts.port)


def parse_upstream(url: str) -> Upstream:
    """``http[s]://host[:port]``, or ``grpc[s]://`` for HTTP/2.  Raise ConfigError for anything
    else.

    The route decides the path, so that one in the URL would be a promise not kept.
    """
    parts = _split(url, url)
    if parts.scheme not in _PORTS or not parts.hostname or "@" in parts.netloc:
        raise ConfigError(f"upstream {url!r} is not a URL such as http://127.0.0.1:8000")
    if parts.path not in {"", "/"} or parts.query or parts.fragment:
        raise ConfigError(f"upstream {url!r} must end after the port: paths come from the client")
    port = _PORTS[parts.scheme] if parts.port is None else parts.port
    if port == 0:
        raise ConfigError(f"upstream {url!r} has no port to connect to")
    secure, http2 = parts.scheme in {"https", "grpcs"}, parts.scheme.startswith("grpc")
    return Upstream(Socket(parts.hostname, port), tls=secure, http2=http2)


def parse_tls(certificate: str, key: str, client_ca: str) -> Tls | None:
    """Files, or "" where none is given.  Raise ConfigError where one lacks another."""
    if bool(certificate) != bool(key):
        raise ConfigError("a certificate and its key come together: give both or none")
    if client_ca and not certificate:
        raise ConfigError("clients show certificates over TLS alone: give --certificate and --key")
    return Tls(certificate, key, client_ca) if certificate else None


def _pipe(text: str) -> Pipe:
    path = text.removeprefix("unix:").removeprefix("//")
    if not path.startswith("/"):
        raise ConfigError(f"{text!r} is not a socket's absolute path: write unix:///path")
    if len(path.encode()) > _LONGEST_SOCKET_PATH:
        raise ConfigError(f"{text!r} is longer than the {_LONGEST_SOCKET_PATH} bytes a socket has")
    return Pipe(path)


def _split(url: str, told: str) -> SplitResult:
    try:
        parts = urlsplit(url)
        _ = parts.port  # is read, and out of range, only on access
    except ValueError as error:
        raise ConfigError(f"{told!r} is not an address: {error}") from error
    return parts
