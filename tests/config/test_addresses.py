from pathlib import Path

import pytest

from extproc.errors import ConfigError
from tests.config.example import changed, loaded


@pytest.mark.parametrize(
    "address", ["unix:///run/e.sock", "127.0.0.1:1", "0.0.0.0:65535", "[::1]:9100", "localhost:80"]
)
def test_the_sidecar_listens_on_a_socket_or_an_ip_address(tmp_path: Path, address: str) -> None:
    text = changed(("listen: unix:///run/extproc.sock", f'listen: "{address}"'))
    assert loaded(tmp_path, text).listen == address


MALFORMED = "malformed; write an IP address and port such as 127.0.0.1:9101"


@pytest.mark.parametrize(
    ("address", "message"),
    [
        ("127.0.0.256:9101", "not an IP address; write one such as 127.0.0.1 or [::1]"),
        ("[1:2]:9101", "not an IP address; write one such as 127.0.0.1 or [::1]"),
        ("127.0.0.1:65536", "no such port; write one from 1 to 65535"),
        ("127.0.0.1:0", MALFORMED),
        ("127.0.0.1", MALFORMED),
        ("::1:9101", MALFORMED),
        ("model.example:9101", MALFORMED),
        ("unix:///run/health.sock", MALFORMED),
    ],
)
def test_probes_need_an_ip_address_and_port(tmp_path: Path, address: str, message: str) -> None:
    with pytest.raises(ConfigError) as caught:
        loaded(tmp_path, changed(("health: 127.0.0.1:9101", f'health: "{address}"')))
    assert str(caught.value) == f"{tmp_path}/policy.yaml:3: health: {message}"


@pytest.mark.parametrize("address", ["unix:run/e.sock", "unix://run/e.sock", "run/e.sock", ":9100"])
def test_a_socket_has_an_absolute_path(tmp_path: Path, address: str) -> None:
    with pytest.raises(ConfigError) as caught:
        loaded(tmp_path, changed(("unix:///run/extproc.sock", f'"{address}"')))
    assert str(caught.value) == (
        f"{tmp_path}/policy.yaml:2: listen: malformed; "
        "write unix:///PATH, or an IP address and port such as 127.0.0.1:9100"
    )


def test_a_sockets_path_fits_the_kernels_bound(tmp_path: Path) -> None:
    longest = "/" + "x" * 106
    assert loaded(tmp_path, changed(("/run/extproc.sock", longest))).listen == f"unix://{longest}"
    with pytest.raises(ConfigError) as caught:
        loaded(tmp_path, changed(("/run/extproc.sock", longest + "x")))
    assert str(caught.value) == (
        f"{tmp_path}/policy.yaml:2: listen: longer than the 107 bytes a socket's path may have; "
        "choose a folder nearer to the root"
    )


def test_no_two_listeners_share_an_address(tmp_path: Path) -> None:
    text = changed(("store:", "admin: 127.0.0.1:9101\nstore:"))
    with pytest.raises(ConfigError) as caught:
        loaded(tmp_path, text)
    assert str(caught.value) == (
        f"{tmp_path}/policy.yaml:4: admin: also the address of health; choose another"
    )
