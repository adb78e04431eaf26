"""``extproc solve`` and the example client, run as a user runs them."""

import json
import subprocess
import sys
from base64 import b64decode
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from threading import Thread

import altcha
import pytest

from extproc import solve_command
from extproc.__main__ import main
from extproc.dialects import OpenAIChat
from extproc.errors import ConfigError
from extproc.proof_of_work import DEAREST, SALT, TRIES, Holder, Solved, challenge, verify
from extproc.refusal import RATE_LIMITED
from extproc.wording import told
from tests.issuer import Server
from tests.test_main import ROOT, extproc

KEY = b"0123456789abcdef0123456789abcdef"
ALICE = Holder("acme", "key:aaaa", "budget")
NOW = float(int(datetime.now(UTC).timestamp()))
TEXT = challenge(KEY, ALICE, 8 * TRIES, NOW, bytes(SALT))
FIELD = RATE_LIMITED.posing(TEXT).headers["x-extproc-challenge"]
BODY = told(RATE_LIMITED.posing(TEXT), OpenAIChat()).body.decode()


def counts(answer: str) -> bool:
    return isinstance(verify(KEY, answer, ALICE, NOW), Solved)


def test_a_challenge_is_solved_from_an_argument_standard_input_or_a_file(tmp_path: Path) -> None:
    file = tmp_path / "refusal.json"
    file.write_text(BODY)
    for ended in (
        extproc("solve", FIELD),
        extproc("solve", stdin=BODY),
        extproc("solve", "-", stdin=f"{FIELD}\n"),
        extproc("solve", "--file", str(file)),
    ):
        assert (ended.returncode, ended.stderr) == (0, "")
        assert counts(ended.stdout.strip())


@pytest.mark.parametrize(
    ("text", "wrong"),
    [
        ("nonsense", "CHALLENGE: is none; give the header field x-extproc-challenge, or"),
        ("{}", "CHALLENGE: is none; give"),
        (BODY.replace('"keyPrefix":"000"', '"keyPrefix":"0000000"'), "CHALLENGE: is none; give"),
        (BODY.replace("PBKDF2/SHA-256", "SCRYPT"), "CHALLENGE: is none; give"),
        ("", "CHALLENGE: is none; give"),
    ],
)
def test_what_is_no_challenge_of_ours_is_not_worked_on(
    text: str, wrong: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(sys, "argv", ["extproc", "solve", text])
    assert main() == 4
    assert capsys.readouterr().err.startswith(wrong)


def test_what_cannot_be_read_is_told_with_its_place(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"none: cannot be read; No such file"):
        solve_command.solve(file=tmp_path / "none")
    (tmp_path / "bytes").write_bytes(b"\xff\xfe")
    with pytest.raises(ConfigError, match=r"bytes: is no text; give a challenge"):
        solve_command.solve(file=tmp_path / "bytes")
    (tmp_path / "long").write_text("{" + " " * solve_command.LARGEST + BODY[1:])
    with pytest.raises(ConfigError, match=r"CHALLENGE: is none"):
        solve_command.solve(file=tmp_path / "long")


def test_more_work_than_it_was_told_to_do_is_not_begun(capsys: pytest.CaptureFixture[str]) -> None:
    dear = challenge(KEY, ALICE, DEAREST, NOW, bytes(SALT))
    assert solve_command.solve(dear, most=10.0) == 1
    assert capsys.readouterr() == (
        "",
        "extproc solve: the challenge asks for 11.2 s of work; raise --most\n",
    )


def test_long_work_says_how_far_it_is(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(solve_command, "EVERY", 0.001)
    assert solve_command.solve(challenge(KEY, ALICE, 64 * TRIES, NOW, bytes(SALT))) == 0
    told_ = capsys.readouterr()
    assert counts(told_.out.strip())
    assert told_.err.splitlines()[0] == "0 s of some 0.2 s"


def test_what_is_not_found_in_time_is_no_solution(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    dear = challenge(KEY, ALICE, DEAREST, NOW, bytes(SALT))
    monkeypatch.setattr("extproc.proof_of_work.LIFETIME", 1e-9)
    assert solve_command.solve(dear) == 1
    assert capsys.readouterr().err == (
        "extproc solve: no solution was found in time; ask for another challenge\n"
    )


class Guarded(BaseHTTPRequestHandler):
    """Refuses a request until it comes with a solution."""

    def do_POST(self) -> None:
        self.rfile.read(int(self.headers["content-length"]))
        answer = self.headers.get("x-extproc-solution", "")
        if counts(answer):
            self._answer(200, {"content-type": "application/json"}, b'{"served":true}')
            return
        refused = told(RATE_LIMITED.posing(TEXT), OpenAIChat())
        self._answer(refused.status, dict(refused.headers), refused.body)

    def _answer(self, status: int, headers: dict[str, str], body: bytes) -> None:
        self.send_response(status)
        for name, value in {**headers, "content-length": str(len(body))}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        """Nothing."""


@contextmanager
def serving() -> Iterator[str]:
    with Server(("127.0.0.1", 0), Guarded) as server:
        thread = Thread(target=server.serve_forever)
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_port}/v1/chat/completions"
        finally:
            server.shutdown()
            thread.join()


def test_the_example_asks_solves_and_asks_again() -> None:
    with serving() as url:
        ended = subprocess.run(
            [sys.executable, str(ROOT / "docs" / "examples" / "solve.py"), url, "xk-1", "{}"],
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
    assert (ended.stdout, ended.stderr) == ('200 {"served":true}\n', "")


def test_the_payload_is_of_a_size_that_header_fields_can_have() -> None:
    asked = altcha.Challenge.from_dict(json.loads(TEXT))
    solution = altcha.solve_challenge(asked)
    assert solution is not None
    packed = altcha.Payload(asked, solution).to_base64()
    assert len(packed) < 1024
    assert json.loads(b64decode(packed))["challenge"] == json.loads(TEXT)
