"""The two commands, as a user runs them: what they print, and with which code they end."""

import json
from pathlib import Path
from typing import Any

import pytest

from extproc import __main__
from extproc.credentials.api_key import principal
from tests.config.overlaying import written
from tests.rehearsal.example import CHAT, EMBEDDINGS, FILE, chat, example

SHIPPED = FILE.with_name("entitlement.tests.yaml")
HMAC = "k" * 40
Run = Any


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Run:
    def run(*arguments: object, stdin: str = "") -> tuple[int, str, str]:
        monkeypatch.setattr("sys.argv", ["extproc", *map(str, arguments)])
        monkeypatch.setattr("sys.stdin", _Stdin(stdin))
        code = __main__.main()
        return (code, *capsys.readouterr())

    monkeypatch.delenv("EXTPROC_HMAC", raising=False)
    monkeypatch.delenv("EXTPROC_BASE", raising=False)
    return run


class _Stdin:
    def __init__(self, text: str) -> None:
        import io  # noqa: PLC0415

        self.buffer = io.BytesIO(text.encode())
        self.readline = io.StringIO(text).readline


def test_a_request_that_is_allowed_ends_with_0(run: Run, tmp_path: Path) -> None:
    body = tmp_path / "body"
    body.write_bytes(chat())
    ask = ("explain", CHAT, "--policy", FILE, "--tenant", "acme")
    code, out, _ = run(*ask, "--body", body)
    assert (code, out.splitlines()[0]) == (0, "allowed: 200 allowed")
    code, out, _ = run(*ask, "--body", "-", stdin=chat("other").decode())
    assert (code, out.splitlines()[0]) == (1, "refused: 404 model_not_found")
    code, out, _ = run(*ask, "--model", "text-a")
    assert (code, out.splitlines()[0]) == (
        0,
        "allowed, as far as its header fields say: 200 allowed",
    )


def test_a_request_that_is_refused_ends_with_1_and_may_be_json(run: Run) -> None:
    ask = ("explain", EMBEDDINGS, "--policy", FILE, "--tenant", "newcomer", "--output", "json")
    code, out, _ = run(*ask)
    told = json.loads(out)
    assert (code, told["decision"], told["change"]["path"]) == (
        1,
        "refused",
        "policies.trial.routes",
    )


def test_what_a_caller_shows_can_be_said(run: Run) -> None:
    ask = ("explain", EMBEDDINGS, "--policy", FILE, "--tenant", "acme")
    assert run(*ask)[0] == 0
    assert run(*ask, "--strength", "1")[1].startswith("refused: 401 insufficient_user_auth")
    assert run(*ask, "--credential", "keys", "--header", "accept: text/plain")[0] == 0
    assert run(*ask, "--header", "content-type: text/plain")[1].startswith("refused: 415")
    assert run("explain", EMBEDDINGS, "--policy", FILE)[1].startswith(
        "refused: 401 credential_missing"
    )
    assert run("explain", "GET /v1/embeddings", "--policy", FILE, "--tenant", "acme")[0] == 1


def test_a_real_key_is_checked_and_never_told(
    run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    known = principal({"x-api-key": "s3cret"}, HMAC.encode())
    example(tmp_path, ("key:" + "a" * 64, str(known)))
    monkeypatch.setenv("EXTPROC_HMAC", HMAC)
    monkeypatch.setenv("KEY", "s3cret")
    (tmp_path / "key").write_text("s3cret\n", encoding="utf-8")
    ask = ("explain", EMBEDDINGS, "--policy", tmp_path / "policy.yaml", "--key")
    for key in ("env:KEY", f"file:{tmp_path / 'key'}", "-"):
        code, out, err = run(*ask, key, stdin="s3cret\n")
        assert (code, "s3cret" in out + err) == (0, False)
        assert "tenant" in out
    assert run(*ask, "-", stdin="other\n")[1].startswith("refused: 401")
    for key in ("s3cret", "env:NONE", "file:"):
        code, out, err = run(*ask, key)
        assert (code, "s3cret" in out + err) == (4, False)
        assert "--key names no secret; write env:NAME" in err


def test_no_secret_is_taken_as_a_header_field(run: Run) -> None:
    ask = ("explain", CHAT, "--policy", FILE, "--header", "authorization: Bearer s3cret")
    code, out, err = run(*ask)
    assert (code, "s3cret" in out + err) == (4, False)
    assert "write --tenant NAME, or --key env:NAME" in err


def test_without_a_request_the_whole_policy_is_printed(
    run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    base = written(tmp_path, "overrides:\n  policies: {'*': {mode: enforce}}")
    code, out, _ = run("explain", "--policy", FILE, "--base", base)
    assert code == 0
    assert f"# {base}:3 override" in out
    monkeypatch.setenv("EXTPROC_BASE", str(base))
    code, out, _ = run("explain", "--policy", FILE, "--output", "json")
    told = json.loads(out)
    assert told["policy"]["policies"]["partner"]["mode"] == "enforce"
    where = {"file": str(base), "line": 3, "layer": "override"}
    assert told["origins"]["policies.partner.mode"] == where
    assert told["overruled"] == []


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (("explain", "POST", "--policy", FILE), "is no request; write it as"),
        (("explain", CHAT, "--policy", FILE, "--tenant", "x"), "there is no tenant 'x'"),
        (("explain", CHAT, "--policy", FILE, "--body", "/no/file"), "/no/file: No such file"),
        (("explain", CHAT, "--policy", "/no/file"), "/no/file: No such file"),
        (("test", "/no/file"), "/no/file: No such file"),
    ],
)
def test_what_cannot_be_used_ends_with_4_and_one_sentence(
    run: Run, arguments: tuple[object, ...], told: str
) -> None:
    code, out, err = run(*arguments)
    assert (code, out) == (4, "")
    assert told in err
    assert "Traceback" not in err


def test_the_cases_that_ship_hold(run: Run) -> None:
    files = sorted(FILE.parent.glob("*.tests.yaml"))
    code, out, _ = run("test", *files)
    assert (code, len(files)) == (0, 5)
    assert out.splitlines()[-1] == "19 passed, 0 failed"


def test_a_case_that_does_not_hold_ends_with_1(run: Run, tmp_path: Path) -> None:
    """The same cases, of a policy that grants tools."""
    example(tmp_path, ("tools: false", "tools: true"))
    policy = tmp_path / "policy.yaml"
    code, out, _ = run("test", SHIPPED, "--policy", policy, "--output", "json")
    failed = [case["name"] for case in json.loads(out)["cases"] if not case["passed"]]
    assert (code, failed) == (1, ["a partner has no tools"])


def test_a_base_file_binds_the_policy_that_is_tried(run: Run, tmp_path: Path) -> None:
    base = written(tmp_path, "overrides: {policies: {'*': {fidelity: labels}}}")
    code, out, _ = run("test", SHIPPED, "--base", base, "--coverage")
    assert code == 1
    assert "tier: expected standard, is labels" in out
    assert "not tried  partner: POST /v1/embeddings" in out


def test_a_file_of_cases_names_its_policy_and_base(run: Run, tmp_path: Path) -> None:
    example(tmp_path)
    written(tmp_path, "overrides: {policies: {'*': {fidelity: labels}}}")
    case = (
        "cases:\n  - name: a\n    request: {path: /v1/embeddings, tenant: acme, "
        "body: {model: text-a, input: a}}\n    expect: {tier: labels}\n"
    )
    cases = tmp_path / "t.yaml"
    cases.write_text(case, encoding="utf-8")
    code, _, err = run("test", cases)
    assert (code, "no policy file is named" in err) == (4, True)
    cases.write_text(f"policy: policy.yaml\nbase: base.yaml\n{case}", encoding="utf-8")
    assert run("test", cases)[0] == 0
