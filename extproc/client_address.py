"""Where a request came from: the peer of the connection, or whom a trusted proxy says it serves.

Rule: ``x-forwarded-for`` is read from its right end, by as many hops as there are proxies of ours,
and only where the peer is one of them; what a client wrote into it stands to the left of that.
Envoy appends its own peer before anyone sees the field (``use_remote_address``); where it did not,
or anything else is missing, the peer it is.
"""

from collections.abc import Collection
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network

from extproc.events import CheckedRequest


@dataclass(frozen=True, slots=True)
class Proxies:
    """Those between clients and Envoy, who write down whom they serve."""

    networks: Collection[IPv4Network | IPv6Network] = ()
    hops: int = 0
    """How many of them a request passes."""


def client_address(request: CheckedRequest, proxies: Proxies) -> str:
    """The IP address in its usual text; "" where Envoy told none, as of a Unix socket."""
    peer = _address(request.peer.address)
    if peer is None:
        return ""
    if proxies.hops and any(peer in network for network in proxies.networks):
        told = request.headers.get("x-forwarded-for", "").rsplit(",", proxies.hops + 1)
        # Of a peer on this machine Envoy appends the machine's address instead.
        appended = peer.is_loopback or _address(told[-1]) == peer
        if appended and len(told) > proxies.hops:
            return str(_address(told[-1 - proxies.hops]) or peer)
    return str(peer)


def network(address: str, prefix: tuple[int, int]) -> str:
    """The network that an address is in, by the length of its prefix in IPv4 and in IPv6; an IPv4
    address in IPv6's clothes (RFC 4291, section 2.5.5.2) is one of IPv4.
    """
    found = _address(address)
    if found is None:
        return ""
    mapped = found.ipv4_mapped if isinstance(found, IPv6Address) else None
    number, length = mapped or found, prefix[0 if mapped or found.version == 4 else 1]
    return str(ip_network(f"{number}/{length}", strict=False))


def _address(text: str) -> IPv4Address | IPv6Address | None:
    try:
        return ip_address(text.strip(" \t"))
    except ValueError:
        return None
