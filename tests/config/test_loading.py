from pathlib import Path

import pytest

from extproc.errors import ConfigError
from tests.config.example import TEXT, loaded


def test_a_config_says_where_to_listen_and_how_long_to_drain(tmp_path: Path) -> None:
    config = loaded(tmp_path, f"{TEXT}admin: 127.0.0.1:9102\ndrain: 5m\n")
    assert config.listen == "unix:///run/extproc.sock"
    assert config.health == "127.0.0.1:9101"
    assert config.admin == "127.0.0.1:9102"
    assert config.drain == 300.0


def test_what_is_not_said_has_its_default(tmp_path: Path) -> None:
    config = loaded(tmp_path)
    assert config.admin is None
    assert config.drain == 30.0


def test_clients_are_asked_for_certificates_where_a_credential_knows_them_by_it(
    tmp_path: Path,
) -> None:
    assert not loaded(tmp_path).asks_for_certificates(shown=False)
    config = loaded(
        tmp_path, f"{TEXT}credentials: {{keys: {{kind: api_key}}, m: {{kind: mtls}}}}\n"
    )
    assert config.asks_for_certificates(shown=True)
    with pytest.raises(ConfigError, match=r"credentials\.m: no client could show its certificate"):
        config.asks_for_certificates(shown=False)
