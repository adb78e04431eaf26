from pathlib import Path

import pytest

from extproc.errors import ConfigError
from tests.config.example import changed, loaded


def test_there_is_no_socket_unless_one_is_named(tmp_path: Path) -> None:
    assert loaded(tmp_path).control is None


def test_an_operator_asks_on_a_socket_file_and_on_no_port(tmp_path: Path) -> None:
    text = changed(("store:", "control: unix:///run/control.sock\nstore:"))
    assert loaded(tmp_path, text).control == "unix:///run/control.sock"
    for wrong, told in (
        ("127.0.0.1:9105", "malformed; write unix:///PATH of a socket, such as "),
        ("unix:///run/extproc.sock", "also the address of listen; choose another"),
        (f"unix:///{'x' * 107}", "longer than the 107 bytes a socket's path may have; "),
    ):
        with pytest.raises(ConfigError) as caught:
            loaded(tmp_path, changed(("store:", f"control: {wrong}\nstore:")))
        assert str(caught.value).startswith(f"{tmp_path}/policy.yaml:4: control: {told}")
