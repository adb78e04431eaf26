from pathlib import Path

import pytest

from extproc.config.document import Document
from extproc.config.secret import MAX_BYTES, resolve
from extproc.errors import ConfigError
from tests.nobody import as_nobody

SECRET = "0123456789abcdef0123456789abcdef"
PLACE = ("keys", "hmac")


@pytest.fixture
def document(tmp_path: Path) -> Document:
    return Document(tmp_path / "policy.yaml", {}, {(): 1, ("keys",): 4})


def refusal(document: Document, reference: str, environ: dict[str, str] | None = None) -> str:
    with pytest.raises(ConfigError) as caught:
        resolve(document, PLACE, reference, environ or {})
    text = str(caught.value)
    assert SECRET[:16] not in text
    return text.removeprefix(f"{document.path}:4: keys.hmac: ")


@pytest.mark.parametrize("end", ["", "\n", "\r\n"])
def test_a_file_is_found_from_the_policy_files_folder(document: Document, end: str) -> None:
    file = document.path.parent / "secrets" / "hmac"
    file.parent.mkdir()
    file.write_bytes(f"{SECRET}{end}".encode())
    assert resolve(document, PLACE, "file:secrets/hmac", {}) == SECRET.encode()
    assert resolve(document, PLACE, f"file:{file}", {}) == SECRET.encode()


def test_only_the_last_line_break_is_taken_off(document: Document) -> None:
    (document.path.parent / "hmac").write_bytes(b"\n" * 40)
    assert resolve(document, PLACE, "file:hmac", {}) == b"\n" * 39


def test_a_variable_is_read_as_it_is(document: Document) -> None:
    assert resolve(document, PLACE, "env:HMAC", {"HMAC": SECRET}) == SECRET.encode()
    assert resolve(document, PLACE, "env:HMAC", {"HMAC": "\udcff" * 32}) == b"\xff" * 32


def test_a_secret_that_others_made_may_be_shorter(document: Document) -> None:
    assert resolve(document, PLACE, "env:HMAC", {"HMAC": "short"}, least=5) == b"short"
    with pytest.raises(ConfigError, match="5 bytes, and needs 6 to 4096"):
        resolve(document, PLACE, "env:HMAC", {"HMAC": "short"}, least=6)


def test_a_variable_that_is_not_set_is_named(document: Document) -> None:
    told = refusal(document, "env:HMAC", {"OTHER": SECRET})
    assert told == "the variable HMAC is not set; set it"


def test_whoever_may_not_read_a_file_is_not_told_to_make_another(
    document: Document, monkeypatch: pytest.MonkeyPatch
) -> None:
    document.path.parent.chmod(0o755)
    monkeypatch.chdir(document.path.parent)
    Path("hmac").write_text(SECRET)
    Path("hmac").chmod(0)
    here = Document(Path("policy.yaml"), {}, document.lines)
    with as_nobody(), pytest.raises(ConfigError) as caught:
        resolve(here, PLACE, "file:hmac", {})
    assert str(caught.value).endswith(
        "hmac cannot be read (Permission denied); let the user that it runs as read it"
    )


def test_a_file_that_cannot_be_read_is_named(document: Document) -> None:
    folder = document.path.parent
    assert refusal(document, "file:none") == (
        f"{folder / 'none'} cannot be read (No such file or directory); "
        "make one with: openssl rand -hex 32"
    )
    assert refusal(document, "file:.") == (
        f"{folder} cannot be read (Is a directory); make one with: openssl rand -hex 32"
    )


def test_a_short_secret_is_refused_by_its_length(document: Document) -> None:
    assert refusal(document, "env:HMAC", {"HMAC": SECRET[:31] + "\n"}) == (
        "the secret has 31 bytes, and needs 32 to 4096; make one with: openssl rand -hex 32"
    )


def test_a_secret_without_end_is_not_read_to_its_end(document: Document) -> None:
    assert refusal(document, "file:/dev/zero") == (
        "the secret has more than 4096 bytes, and needs 32 to 4096; "
        "make one with: openssl rand -hex 32"
    )
    file = document.path.parent / "hmac"
    file.write_bytes(b"x" * MAX_BYTES + b"\r\n")
    assert len(resolve(document, PLACE, "file:hmac", {})) == MAX_BYTES
