"""What the operator is told when the other end is not a sidecar, or not there."""

import socket
import threading
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path

import pytest

from extproc.accounts.messages import Done, Freeze, Page, Show, Shown, Tenants, encode
from extproc.errors import ConfigError
from extproc.server import acts
from extproc.tenants.connection import Connection, Refused, _unreachable, address
from tests.tenants.sidecar import beside
from tests.test_main import POLICY as TEMPLATE

POLICY = TEMPLATE.replace("PRINCIPAL", "a" * 64)


@pytest.fixture
def path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return Path("control.sock")


@contextmanager
def impostor(path: Path, *answers: bytes) -> Iterator[None]:
    """It takes one connection, and says this whatever it is asked; then it hangs up."""
    listening = socket.socket(socket.AF_UNIX)
    listening.bind(str(path))
    listening.listen()

    def serve() -> None:
        connection, _ = listening.accept()
        for answer in answers:
            connection.recv(1 << 16)
            connection.sendall(answer)
        connection.close()

    thread = threading.Thread(target=serve, daemon=True)
    thread.start()
    yield
    listening.close()
    thread.join(20)


def refused(kind: type[Exception], told: str) -> AbstractContextManager[object]:
    return pytest.raises(kind, match=told)


def test_it_asks_and_is_answered(path: Path) -> None:
    with beside(path), Connection(path) as connection:
        assert connection.ask(Show("acme"), Shown).holder.whom == "acme"
        assert connection.ask(Freeze("acme"), Done).act == "freeze"


def test_it_follows_the_pages_to_their_end(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(acts, "PAGE", 3)
    names = [f"t{number}" for number in range(4)]
    with beside(path, *names) as _, Connection(path) as connection:
        found = [holder.whom for holder in connection.tenants()]
    assert found == [*names, *(f"cohort:{name}" for name in names), "shared:"]


def test_what_there_is_not_is_an_error_of_the_call_and_what_is_not_done_is_none(
    path: Path,
) -> None:
    with beside(path) as sidecar, Connection(path) as connection:
        with pytest.raises(ConfigError, match="there is no tenant 'acm'; did you mean 'acme'"):
            connection.ask(Freeze("acm"), Done)
        sidecar.operator.acts._accounts = None  # type: ignore[assignment]
        with pytest.raises(Refused, match="internal error; see the sidecar's log"):
            connection.ask(Freeze("acme"), Done)


def test_a_socket_that_nobody_listens_on_is_told(path: Path) -> None:
    missing = r"control\.sock: no sidecar listens there; start it with: extproc serve --policy FILE"
    with pytest.raises(ConfigError, match=missing):
        Connection(path)
    with socket.socket(socket.AF_UNIX) as left_behind:
        left_behind.bind(str(path))
    with pytest.raises(ConfigError, match=missing):
        Connection(path)


def test_a_socket_that_is_not_for_this_user_is_told() -> None:
    told = _unreachable(Path("/s"), PermissionError(13, "Permission denied"))
    assert told == "/s: not allowed; run this as the user that the sidecar runs as"


@pytest.mark.parametrize("name", ["x" * 120, "."])
def test_what_is_no_socket_is_told(path: Path, name: str) -> None:
    with pytest.raises(ConfigError, match=r"(is it a sidecar's socket\?|no sidecar listens there)"):
        Connection(Path(name))


@pytest.mark.parametrize("answer", [b"hello\n", b"\xff\n", b'{"answer":"other"}\n', b"{}\n"])
def test_whoever_does_not_speak_as_a_sidecar_is_not_believed(path: Path, answer: bytes) -> None:
    told = "does not speak as a sidecar of this version"
    with impostor(path, answer), Connection(path) as connection, refused(ConfigError, told):
        connection.ask(Show("acme"), Shown)


def test_an_answer_to_another_question_is_none(path: Path) -> None:
    answer = encode(Page((), "")) + b"\n"
    told = "answers another question"
    with impostor(path, answer), Connection(path) as connection, refused(ConfigError, told):
        connection.ask(Show("acme"), Shown)


@pytest.mark.parametrize("answers", [(), (b"",), (b'{"answer":"page"',)])
def test_whoever_hangs_up_has_done_nothing_that_is_known(
    path: Path, answers: tuple[bytes, ...]
) -> None:
    told = "has closed the connection; see its log"
    with impostor(path, *answers), Connection(path) as connection, refused(Refused, told):
        connection.ask(Tenants(), Page)


def test_whoever_does_not_answer_is_not_waited_for(path: Path) -> None:
    listening = socket.socket(socket.AF_UNIX)
    listening.bind(str(path))
    listening.listen()
    told = "does not answer; see its log"
    with Connection(path, patience=0.05) as connection, refused(Refused, told):
        connection.ask(Tenants(), Page)
    listening.close()


# Where it is.


def test_a_socket_is_named_by_itself_or_by_the_policy(path: Path) -> None:
    assert address(None, None, "unix:///run/c.sock") == Path("/run/c.sock")
    policy = Path("policy.yaml")
    policy.write_text(POLICY.replace("routes:", "control: unix:///run/p.sock\nroutes:", 1))
    assert address(policy, None, "") == Path("/run/p.sock")
    assert address(policy, None, "unix:///run/c.sock") == Path("/run/c.sock")


def test_whoever_names_no_sidecar_is_asked_for_it(path: Path) -> None:
    with pytest.raises(ConfigError, match="which sidecar"):
        address(None, None, "")
    with pytest.raises(ConfigError, match=r"--control 127\.0\.0\.1:1 is no socket"):
        address(None, None, "127.0.0.1:1")
    policy = Path("policy.yaml")
    policy.write_text(POLICY)
    with pytest.raises(ConfigError, match=r"policy.yaml: it has no control socket; add control:"):
        address(policy, None, "")
