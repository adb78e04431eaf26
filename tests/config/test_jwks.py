"""Keys that stand in a file, and what keeps a policy with them from being loaded."""

from pathlib import Path

import pytest

from extproc.credentials import Jwts
from extproc.errors import ConfigError
from tests.config.example import changed, compiled
from tests.credentials.test_jwt import ALICE, proven
from tests.issuer import EC, NAME, NOW, OTHER_EC, jwks, token


def asking(source: str, more: str = "") -> str:
    said = f"issuer: '{NAME}', audience: https://models.example.com, algorithms: [ES256]"
    tokens = f"{{kind: jwt, {said}, jwks: '{source}'{more}}}"
    return changed(("routes:\n", f"credentials: {{tokens: {tokens}}}\nroutes:\n"))


def tokens(folder: Path, text: str) -> Jwts:
    found = compiled(folder, text).provers["tokens"]
    assert isinstance(found, Jwts)
    return found


def test_a_file_is_read_from_the_folder_of_the_policy(tmp_path: Path) -> None:
    (tmp_path / "jwks.json").write_bytes(jwks(EC))
    found = tokens(tmp_path, asking("file:jwks.json"))
    assert found.source == f"file:{tmp_path}/jwks.json"
    assert proven(token(EC, "ES256"), found) == ALICE
    assert proven(token(OTHER_EC, "ES256"), found) is None


def test_a_url_is_not_asked_yet(tmp_path: Path) -> None:
    found = tokens(tmp_path, asking("https://127.0.0.1:1/jwks"))
    assert found.source == "https://127.0.0.1:1/jwks"
    assert found.keyring.keys(NOW) is None


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (None, "cannot be read (No such file or directory); write the issuer's JWK Set there"),
        (b"{", "cannot be used: it is not JSON; write the issuer's JWK Set there"),
        (b'{"keys":[]}', "cannot be used: it has no key for any of the algorithms; write the"),
        (b" " * 300_000, "cannot be used: it has more than 262144 bytes; write the issuer's"),
    ],
)
def test_a_file_that_cannot_be_used_is_told(
    tmp_path: Path, content: bytes | None, message: str
) -> None:
    if content is not None:
        (tmp_path / "jwks.json").write_bytes(content)
    with pytest.raises(ConfigError) as raised:
        tokens(tmp_path, asking("file:jwks.json"))
    place = f"{tmp_path}/policy.yaml:6: credentials.tokens.jwks: {tmp_path}/jwks.json "
    assert str(raised.value).startswith(place + message)


def test_keys_are_not_old_before_they_are_fetched_again(tmp_path: Path) -> None:
    with pytest.raises(ConfigError) as raised:
        tokens(tmp_path, asking("https://127.0.0.1:1/jwks", ", refresh: 1h, stale: 59m"))
    message = "6: credentials.tokens.stale: shorter than refresh; raise it, or lower refresh"
    assert str(raised.value).endswith(message)
