import os
import ssl
from base64 import b64encode
from pathlib import Path

import pytest

from extproc.config import DetectionPlan, compile_detection
from extproc.config.receivers import LARGEST, Receiver
from extproc.errors import ConfigError
from tests.config.example import ENVIRON, TEXT, loaded
from tests.config.sealed import sealed
from tests.e2e.authority import Authority

KEY = b"k" * 32
ENV = {
    **ENVIRON,
    "HOOK": "h" * 32,
    "WHSEC": f"whsec_{b64encode(KEY).decode()}",
    "NONE": "whsec_this-is-no-base64-at-all-whatever-it-says",
    "SHORT": f"whsec_{b64encode(b'k' * 20).decode()}",
}
LINE = TEXT.count("\n") + 1


@pytest.fixture(scope="module")
def authorities(tmp_path_factory: pytest.TempPathFactory) -> str:
    return Authority(tmp_path_factory.mktemp("authority"), "authority").own.certificate.read_text()


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "ref").write_bytes(sealed(ENVIRON["HMAC"]))
    return tmp_path


def plan(folder: Path, *alerts: str) -> DetectionPlan:
    detection = f"detection: {{reference: ref, alerts: [{', '.join(alerts)}]}}\n"
    found = compile_detection(loaded(folder, TEXT + detection), ENV)
    assert found is not None
    return found


def alert(secret: str = "HOOK", more: str = "") -> str:
    return f"{{url: 'https://alerts.example.com/x', secret: 'env:{secret}'{more}}}"


def refused(folder: Path, *alerts: str) -> str:
    with pytest.raises(ConfigError) as error:
        plan(folder, *alerts)
    where, _, what = str(error.value).partition(": detection.")
    assert where == f"{folder}/policy.yaml:{LINE}"
    return what


def test_a_receiver_has_its_keys_and_whom_its_certificate_must_be_of(
    folder: Path, authorities: str
) -> None:
    (folder / "ca.pem").write_text(f"# Țest\n{authorities}")
    found = plan(folder, alert(), alert("WHSEC", ", ca: ca.pem"))
    first, second = found.receivers
    assert (first.url, first.keys, first.authorities) == (
        "https://alerts.example.com/x",
        (b"h" * 32,),
        "",
    )
    assert second.keys == (KEY,)
    assert second.trusted().cert_store_stats() == {"x509": 1, "crl": 0, "x509_ca": 1}
    assert first.trusted().verify_mode == ssl.CERT_REQUIRED
    assert "hhhh" not in repr(found)


def test_only_its_host_is_told_of_a_receiver() -> None:
    made = Receiver("https://u:p@a.example:8443/secret", (KEY,))
    assert made.host == "a.example:8443"
    assert "secret" not in repr(made)
    assert str(KEY) not in repr(made)


@pytest.mark.parametrize(
    ("secret", "told"),
    [
        ("NONE", "whsec_ without base64 behind it"),
        ("SHORT", "a key of 20 bytes, where it has 24 at least"),
    ],
)
def test_a_secret_that_is_none_is_an_error_at_its_line_and_not_told(
    folder: Path, secret: str, told: str
) -> None:
    what = refused(folder, alert(), alert(secret))
    remedy = 'make one with: echo "whsec_$(openssl rand -base64 32)"'
    assert what == f"alerts[1].secret: it is {told}; {remedy}"


def test_authorities_that_cannot_be_read_are_an_error_at_their_line(
    folder: Path, authorities: str
) -> None:
    remedy = "; name a file, in PEM, of the authorities that its certificate is of"
    (folder / "folder").mkdir()
    contents = {
        "empty": b"",
        "text": b"x",
        "broken": authorities.encode()[:-60],
        "second": f"{authorities}{authorities[:-60]}".encode(),
        "binary": os.urandom(2000),
        "large": b"\n" * (LARGEST + 1),
    }
    told = {"gone": " cannot be read (No such file or directory)"}
    told["folder"] = " cannot be read (Is a directory)"
    told |= dict.fromkeys(contents, " holds no certificates that can be read")
    told["large"] = " is larger than 4 MiB"
    for name, content in contents.items():
        (folder / name).write_bytes(content)
    for name, what in told.items():
        found = refused(folder, alert(more=f", ca: {name}"))
        assert found == f"alerts[0].ca: {folder / name}{what}{remedy}"


def test_whom_it_trusts_is_no_other_receiver(authorities: str) -> None:
    """Authorities are renewed beside a sidecar that runs: that holds up no other change."""
    assert Receiver("https://a", (KEY,), authorities) == Receiver("https://a", (KEY,))
    assert Receiver("https://a", (KEY,)) != Receiver("https://a", (KEY + b"l",))
