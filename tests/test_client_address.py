"""Whose address a request has, and that nobody can choose another."""

from ipaddress import ip_network

import pytest
from hypothesis import given
from hypothesis import strategies as st

from extproc.client_address import Proxies, client_address, network
from extproc.events import CheckedRequest, Peer

NETWORKS = (ip_network("10.0.0.0/8"), ip_network("fd00::/8"), ip_network("127.0.0.0/8"))
CLIENT = "203.0.113.7"


def address(forwarded: str | None, peer: str = "10.0.0.1", hops: int = 1) -> str:
    headers = {} if forwarded is None else {"x-forwarded-for": forwarded}
    request = CheckedRequest("GET", "/", headers, Peer(peer))
    return client_address(request, Proxies(NETWORKS, hops))


@pytest.mark.parametrize(
    ("forwarded", "peer", "hops", "client"),
    [
        (f"{CLIENT}, 10.0.0.1", "10.0.0.1", 1, CLIENT),
        (f"{CLIENT},10.0.0.1", "10.0.0.1", 1, CLIENT),
        (f"{CLIENT},\t10.0.0.1", "10.0.0.1", 1, CLIENT),
        (f"1.1.1.1, {CLIENT}, 10.0.0.1", "10.0.0.1", 1, CLIENT),
        (f"1.1.1.1, {CLIENT}, 10.0.0.2, 10.0.0.1", "10.0.0.1", 2, CLIENT),
        ("2001:db8::0001, fd00::1", "fd00::1", 1, "2001:db8::1"),
        # The peer is no proxy of ours.
        (f"{CLIENT}, 198.51.100.1", "198.51.100.1", 1, "198.51.100.1"),
        ("10.0.0.1", "198.51.100.1", 1, "198.51.100.1"),
        # Nobody is.
        (f"{CLIENT}, 10.0.0.1", "10.0.0.1", 0, "10.0.0.1"),
        # Something is missing, or is no address.
        (None, "10.0.0.1", 1, "10.0.0.1"),
        ("", "10.0.0.1", 1, "10.0.0.1"),
        ("10.0.0.1", "10.0.0.1", 1, "10.0.0.1"),
        (f"{CLIENT}, 10.0.0.1", "10.0.0.1", 2, "10.0.0.1"),
        ("unknown, 10.0.0.1", "10.0.0.1", 1, "10.0.0.1"),
        (f"{CLIENT}:4711, 10.0.0.1", "10.0.0.1", 1, "10.0.0.1"),
        # A peer on this machine, of which Envoy appends the machine's address.
        (f"{CLIENT},192.0.2.2", "127.0.0.1", 1, CLIENT),
        ("192.0.2.2", "127.0.0.1", 1, "127.0.0.1"),
        # Envoy did not append its peer.
        (f"1.1.1.1, {CLIENT}", "10.0.0.1", 1, "10.0.0.1"),
        # No connection that has an address.
        (f"{CLIENT}, 10.0.0.1", "", 1, ""),
        (f"{CLIENT}, 10.0.0.1", "/run/s.sock", 1, ""),
    ],
)
def test_a_request_has_one_address(
    forwarded: str | None, peer: str, hops: int, client: str
) -> None:
    assert address(forwarded, peer, hops) == client


ADDRESSES = st.ip_addresses().map(str)
WRITTEN = st.lists(ADDRESSES | st.text(max_size=20) | st.just("10.0.0.1"), max_size=6).map(",".join)


@given(client=ADDRESSES, hops=st.integers(1, 4), written=WRITTEN)
def test_what_a_client_writes_in_front_changes_nothing(
    client: str, hops: int, written: str
) -> None:
    inner = [f"10.0.0.{number}" for number in range(hops, 0, -1)]
    honest = ", ".join([client, *inner])
    assert address(honest, "10.0.0.1", hops) == client
    assert address(f"{written}, {honest}", "10.0.0.1", hops) == client


@given(written=WRITTEN, hops=st.integers(0, 4))
def test_whoever_connects_directly_is_who_connects(written: str, hops: int) -> None:
    forwarded = f"{written}, 198.51.100.1"
    assert address(forwarded, "198.51.100.1", hops) == "198.51.100.1"


@given(forwarded=st.text(), peer=st.text())
def test_whatever_is_told_nothing_is_raised(forwarded: str, peer: str) -> None:
    assert isinstance(address(forwarded, peer), str)


@pytest.mark.parametrize(
    ("address", "prefix", "expected"),
    [
        ("203.0.113.77", (24, 64), "203.0.113.0/24"),
        ("203.0.113.77", (32, 64), "203.0.113.77/32"),
        ("2001:db8:1:2:3::4", (24, 64), "2001:db8:1:2::/64"),
        ("2001:db8:1:2:3::4", (24, 48), "2001:db8:1::/48"),
        ("::ffff:203.0.113.77", (24, 64), "203.0.113.0/24"),
        ("", (24, 64), ""),
    ],
)
def test_a_network_is_of_the_length_that_its_family_has(
    address: str, prefix: tuple[int, int], expected: str
) -> None:
    assert network(address, prefix) == expected
