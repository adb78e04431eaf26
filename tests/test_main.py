"""The command line, run as a user runs it: what it prints, and with which code it ends."""

import io
import json
import os
import subprocess
import sys
from contextlib import redirect_stderr, redirect_stdout
from pathlib import Path

import pytest

from extproc.__main__ import main
from tests.config.sealed import sealed
from tests.nobody import as_nobody

ROOT = Path(__file__).parent.parent
POLICY = """\
version: 1
listen: unix:///run/extproc/extproc.sock
health: 127.0.0.1:9101
store: {kind: memory}
keys: {hmac: "file:hmac"}
routes: [{path: /v1/embeddings, dialect: openai_embeddings}]
fidelities: {standard: {embedding: [{kind: quantize, bits: 8}]}}
policies: {partner: {models: ["text-*"], fidelity: standard}}
tenants: {acme: {policy: partner, principals: ["key:PRINCIPAL"]}}
"""


def extproc(*arguments: str, stdin: str = "") -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "extproc", *arguments],
        input=stdin,
        capture_output=True,
        text=True,
        timeout=60,
        cwd=ROOT,
        env={**os.environ, "COLUMNS": "200"},
        check=False,
    )


def within(*arguments: str, stdin: str = "") -> subprocess.CompletedProcess[str]:
    """The same in this process, which need not import all of it again."""
    out, error = io.StringIO(), io.StringIO()
    with pytest.MonkeyPatch.context() as patch, redirect_stdout(out), redirect_stderr(error):
        patch.setenv("COLUMNS", "200")
        patch.setattr(sys, "argv", ["extproc", *arguments])
        patch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(stdin.encode())))
        code = main()
    return subprocess.CompletedProcess(arguments, code, out.getvalue(), error.getvalue())


@pytest.fixture
def policy(tmp_path: Path) -> Path:
    (tmp_path / "hmac").write_bytes(b"s" * 32)
    file = tmp_path / "policy.yaml"
    file.write_text(POLICY.replace("PRINCIPAL", "0" * 64))
    return file


def test_without_a_command_it_shows_what_there_is() -> None:
    shown = extproc().stdout + extproc("--help").stdout
    commands = ("up", "demo", "serve", "check", "schema", "keys", "envoy", "inventory")
    for command in (*commands, "Exit codes"):
        assert command in shown
    for command in ("explain", "test"):
        assert command in shown


@pytest.mark.parametrize(
    "arguments", [("nonsense",), ("up",), ("serve",), ("check",), ("demo", "--port", "70000")]
)
def test_a_wrong_call_ends_with_2_and_one_sentence(arguments: tuple[str, ...]) -> None:
    ended = extproc(*arguments)
    assert ended.returncode == 2
    assert "Error" in ended.stderr
    assert "Traceback" not in ended.stderr


def test_a_good_policy_is_summed_up(policy: Path) -> None:
    ended = extproc("check", str(policy))
    assert ended.returncode == 0
    assert ended.stdout.startswith(f"{policy}: 1 routes, 1 tenants, version ")


@pytest.mark.parametrize("command", ["check", "serve --policy", "keys new --policy"])
def test_a_base_file_binds_every_command(
    policy: Path, command: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    base = policy.with_name("base.yaml")
    base.write_text("version: 1\noverrides: {caps: {held: 1KiB}, fidelities: {standard: {x: 1}}}\n")
    monkeypatch.setenv("EXTPROC_BASE", str(base))
    ended = within(*command.split(), str(policy))
    assert ended.returncode == 4
    assert ended.stderr.startswith(f"{base}:2: overrides.fidelities.standard.x: unknown name")
    assert within("check", str(policy), "--base", str(base)).stderr == ended.stderr


def test_what_an_override_does_not_let_stand_is_told(policy: Path) -> None:
    base = policy.with_name("base.yaml")
    base.write_text("version: 1\noverrides: {policies: {'*': {models: [a]}}}\n")
    ended = within("check", str(policy), "--base", str(base))
    assert ended.returncode == 0
    told = f"{policy}:8: policies.partner.models does not hold: {base}:2 override"
    assert ended.stdout.splitlines()[1:] == [told]


def test_the_schema_of_the_base_file_is_another() -> None:
    titles = [json.loads(within("schema", *flag).stdout)["title"] for flag in ((), ("--base",))]
    assert titles == ["extproc policy file", "extproc base file"]


@pytest.mark.parametrize("command", ["check", "serve --policy", "keys new --policy"])
def test_a_bad_policy_ends_with_4_and_names_the_line(policy: Path, command: str) -> None:
    policy.write_text(policy.read_text().replace("bits: 8", "bitz: 8"))
    ended = extproc(*command.split(), str(policy))
    assert ended.returncode == 4
    assert ended.stderr.startswith(f"{policy}:7: fidelities.standard.embedding")
    assert ended.stderr.count("\n") == 1


def test_a_policy_that_is_not_there_ends_with_4(tmp_path: Path) -> None:
    ended = within("check", str(tmp_path / "none.yaml"))
    assert ended.returncode == 4
    assert "No such file" in ended.stderr


@pytest.mark.parametrize("which", ["policy", "base"])
def test_a_file_that_may_not_be_read_ends_with_4_and_says_so(
    policy: Path, monkeypatch: pytest.MonkeyPatch, which: str
) -> None:
    policy.parent.chmod(0o755)
    monkeypatch.chdir(policy.parent)
    Path("base.yaml").write_text("version: 1\n")
    asked = ("check", "policy.yaml", "--base", "base.yaml")
    assert within(*asked).returncode == 0, "and all that it needs is imported"
    Path(f"{which}.yaml").chmod(0)
    with as_nobody():
        ended = within(*asked)
    assert ended.returncode == 4
    said = f"{which}.yaml: Permission denied; let the user that it runs as read it\n"
    assert ended.stderr == said


def test_the_schema_is_printed_as_it_is_committed() -> None:
    printed = json.loads(extproc("schema").stdout)
    assert printed == json.loads((ROOT / "docs" / "extproc.schema.json").read_text())


def test_a_new_key_and_its_principal_belong_together(policy: Path) -> None:
    made = within("keys", "new", "--policy", str(policy))
    key, principal = (line.split()[1] for line in made.stdout.splitlines())
    assert key.startswith("xk-")
    hashed = within("keys", "hash", "--policy", str(policy), stdin=f"{key}\n")
    assert hashed.stdout.strip() == principal
    assert key not in principal


def test_what_cannot_be_a_key_is_refused(policy: Path) -> None:
    ended = extproc("keys", "hash", "--policy", str(policy), stdin="two words\n")
    assert ended.returncode == 4
    assert "printable ASCII" in ended.stderr


@pytest.mark.slow
def test_a_secret_of_alerts_that_is_none_is_noticed_before_it_runs(policy: Path) -> None:
    (policy.parent / "ref").write_bytes(sealed("s" * 32))
    (policy.parent / "hook").write_text("whsec_this-is-no-base64-at-all-whatever")
    alert = "{url: 'https://a.example', secret: 'file:hook'}"
    text = policy.read_text() + f"detection: {{reference: ref, alerts: [{alert}]}}\n"
    policy.write_text(text)
    ended = extproc("check", str(policy))
    assert (ended.returncode, ended.stdout) == (4, "")
    place = f"{policy}:{text.count(chr(10))}: detection.alerts[0].secret: "
    assert ended.stderr.startswith(f"{place}it is whsec_ without base64 behind it; make")


def test_a_bootstrap_is_rendered_and_checked(policy: Path, tmp_path: Path) -> None:
    arguments = ("--policy", str(policy), "--upstream", "http://127.0.0.1:8000")
    rendered = extproc("envoy", "bootstrap", *arguments)
    assert rendered.returncode == 0, rendered.stderr
    file = tmp_path / "envoy.yaml"
    file.write_text(rendered.stdout)
    assert extproc("envoy", "check", str(file)).returncode == 0
    file.write_text(rendered.stdout.replace("cluster_name: extproc", "cluster_name: nowhere", 1))
    found = within("envoy", "check", str(file))
    assert found.returncode == 1
    assert "nowhere" in found.stdout


@pytest.mark.slow
def test_a_bootstrap_lets_clients_show_what_the_policy_knows_them_by(policy: Path) -> None:
    text = policy.read_text()
    policy.write_text(text.replace("routes:", "credentials: {mesh: {kind: mtls}}\nroutes:"))
    arguments = ("--policy", str(policy), "--upstream", "http://127.0.0.1:8000")
    refused = within("envoy", "bootstrap", *arguments)
    assert refused.returncode == 4
    assert refused.stderr.endswith(
        ":6: credentials.mesh: no client could show its certificate; "
        "give --client-ca, with --certificate and --key\n"
    )
    files = ("--certificate", "/a.pem", "--key", "/a.key", "--client-ca", "/ca.pem")
    rendered = within("envoy", "bootstrap", *arguments, *files)
    assert rendered.returncode == 0, rendered.stderr
    for line in ("require_client_certificate: true", "include_peer_certificate: true"):
        assert line in rendered.stdout


@pytest.mark.parametrize("url", ["nonsense", "ftp://a", "http://127.0.0.1:1/path", "http://:1"])
def test_a_url_that_is_none_ends_with_4(policy: Path, url: str) -> None:
    ended = within("envoy", "bootstrap", "--policy", str(policy), "--upstream", url)
    assert ended.returncode == 4
    assert ended.stderr.count("\n") == 1
    assert within("up", "--upstream", url).returncode == 4


def test_rules_are_proposed_from_samples_and_tell_no_value(tmp_path: Path) -> None:
    sample = tmp_path / "answer.json"
    sample.write_text('{"results": [{"label": "s3cret", "score": 3.31337}]}')
    learned = extproc("learn", str(sample))
    assert learned.returncode == 0, learned.stderr
    assert '"results[].score": score  # 1 number, not within [0, 1]' in learned.stdout
    assert within("learn", "-", stdin=sample.read_text()).stdout == learned.stdout
    assert "s3cret" not in learned.stdout
    assert "31337" not in learned.stdout


@pytest.mark.parametrize(
    ("body", "place"),
    [('{"a":\n s3cret}', ":2: not JSON"), ("5", ": nothing in it"), (None, ": No such file")],
)
def test_a_sample_that_cannot_be_learnt_from_ends_with_4(
    tmp_path: Path, body: str | None, place: str
) -> None:
    sample = tmp_path / "answer.json"
    if body is not None:
        sample.write_text(body)
    ended = within("learn", str(sample))
    assert ended.returncode == 4
    assert ended.stderr.startswith(f"{sample}{place}")
    assert ended.stderr.count("\n") == 1
    assert "s3cret" not in ended.stderr
    assert within("learn").returncode == 2
