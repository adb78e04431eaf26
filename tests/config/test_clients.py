from ipaddress import ip_network
from pathlib import Path

import pytest

from extproc.client_address import Proxies
from extproc.errors import ConfigError
from tests.config.example import TEXT, compiled


def test_without_proxies_a_request_comes_from_whoever_connects(tmp_path: Path) -> None:
    assert compiled(tmp_path).proxies == Proxies()


def test_proxies_are_ranges_and_how_many_a_request_passes(tmp_path: Path) -> None:
    text = f"{TEXT}clients: {{proxies: [10.0.0.0/8, 'fd00::/8'], trusted_hops: 2}}\n"
    networks = (ip_network("10.0.0.0/8"), ip_network("fd00::/8"))
    assert compiled(tmp_path, text).proxies == Proxies(networks, 2)


@pytest.mark.parametrize(
    ("written", "message"),
    [
        ("10.0.0.1/8", "no range of IP addresses; write the first address of the range"),
        ("10.0.0.0/33", "no range of IP addresses; write the first address of the range"),
        ("1.2.3/8", "no range of IP addresses; write the first address of the range"),
        ("lan", "malformed; write a range of IP addresses such as 10.0.0.0/8 or fd00::/8"),
    ],
)
def test_what_is_no_range_is_told(tmp_path: Path, written: str, message: str) -> None:
    with pytest.raises(ConfigError) as raised:
        compiled(tmp_path, f"{TEXT}clients: {{proxies: ['{written}']}}\n")
    assert ": clients.proxies[0]: " in str(raised.value)
    assert message in str(raised.value)
