"""The command line, from the files of a gateway to a signed report."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import jsonschema_rs
import msgspec
import pytest

from extproc.__main__ import main
from extproc.ownership.questions import about
from tests.e2e.upstream import Reply, Request, Upstream
from tests.ownership.making import Made, copied, recorded

SCHEMA = Path(__file__).parents[2] / "docs" / "ownership-report.schema.json"


@pytest.fixture
def told(made: Made) -> Made:
    """Two tenants with marks enough."""
    made.some(100, 400)
    made.some(100, 400, start=1000, tenant="other")
    made.checkpoint()
    made.write()
    return made


def run(capsys: pytest.CaptureFixture[str], *arguments: str) -> tuple[int, str, str]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sys, "argv", ["extproc", "ownership", *arguments])
        code = main()
    said = capsys.readouterr()
    return code, said.out, said.err


def verify(
    capsys: pytest.CaptureFixture[str], told: Made, suspect: Path | str, *more: str
) -> tuple[int, str, str]:
    out = ("--sign", str(told.folder / "audit.pem"), "--out", str(told.folder / "report"))
    return run(capsys, "verify", "--suspect", str(suspect), *told.options(), *out, *more)


def check(capsys: pytest.CaptureFixture[str], told: Made, name: str) -> int:
    path = told.folder / "report" / name
    return run(capsys, "check", str(path), "--key", str(told.folder / "audit.pub"))[0]


def report(told: Made) -> Any:
    return json.loads((told.folder / "report" / "report.json").read_bytes())


def test_a_copy_is_known_by_whose_marks_it_carries(
    capsys: pytest.CaptureFixture[str], told: Made
) -> None:
    suspect = recorded(told.folder / "said.jsonl", copied(told.entries, tenant="acme"))
    code, out, _ = verify(capsys, told, suspect)
    assert code == 1
    assert "It carries the marks of tenant acme, model digits." in out
    said = report(told)
    assert {each["tenant"]: each["verdict"] for each in said["report"]["judged"]} == {
        "acme": "carries the marks",
        "other": "no evidence",
    }
    jsonschema_rs.validator_for(json.loads(SCHEMA.read_text())).validate(said)
    page = (told.folder / "report" / "report.html").read_text()
    assert "tenant acme, model digits" in page
    assert check(capsys, told, "report.json") == check(capsys, told, "report.html") == 0


@pytest.mark.parametrize("name", ["report.json", "report.html"])
def test_a_report_that_was_edited_is_found(
    capsys: pytest.CaptureFixture[str], told: Made, name: str
) -> None:
    suspect = recorded(told.folder / "said.jsonl", copied(told.entries, tenant="acme"))
    verify(capsys, told, suspect)
    path = told.folder / "report" / name
    path.write_bytes(path.read_bytes().replace(b"acme", b"evil"))
    assert check(capsys, told, name) == 1


def test_a_clean_model_is_not_accused(capsys: pytest.CaptureFixture[str], told: Made) -> None:
    suspect = recorded(told.folder / "said.jsonl", copied(told.entries, tenant="nobody"))
    code, out, _ = verify(capsys, told, suspect, "--output", "json")
    assert code == 0
    assert {each["verdict"] for each in json.loads(out)["judged"]} == {"no evidence"}


def test_a_clean_model_that_carries_them_too_clears_the_suspect(
    capsys: pytest.CaptureFixture[str], told: Made
) -> None:
    suspect = recorded(told.folder / "said.jsonl", copied(told.entries, tenant="acme"))
    code, out, _ = verify(capsys, told, suspect, "--clean", str(suspect))
    assert code == 0
    assert "No verdict" in out
    assert report(told)["report"]["clean"][0]["carries"] == ["tenant acme, model digits"]


def test_each_clean_model_counts_whatever_its_file_is_called(
    capsys: pytest.CaptureFixture[str], told: Made
) -> None:
    """Planted: told apart by the last part of their paths, the last one alone was looked at."""
    found = []
    for folder, tenant in {"copy": "acme", "clean": "nobody"}.items():
        (told.folder / folder).mkdir()
        path = recorded(told.folder / folder / "said.jsonl", copied(told.entries, tenant=tenant))
        found += ["--clean", str(path)]
    suspect = recorded(told.folder / "said.jsonl", copied(told.entries, tenant="acme"))
    assert verify(capsys, told, suspect, *found)[0] == 0
    assert [len(each["carries"]) for each in report(told)["report"]["clean"]] == [1, 0]


def test_a_log_that_was_changed_accuses_nobody(
    capsys: pytest.CaptureFixture[str], told: Made
) -> None:
    suspect = recorded(told.folder / "said.jsonl", copied(told.entries))
    told.log.write_bytes(told.log.read_bytes().replace(b'"control"', b'"mark"', 1))
    code, _, error = verify(capsys, told, suspect)
    assert code == 4
    assert "not whole" in error
    assert not (told.folder / "report" / "report.json").exists()


def test_marks_that_nobody_committed_to_accuse_nobody(
    capsys: pytest.CaptureFixture[str], made: Made
) -> None:
    made.some(100, 400, committed=False)
    made.write()
    suspect = recorded(made.folder / "said.jsonl", copied(made.entries))
    code, _, error = verify(capsys, made, suspect)
    assert (code, "nothing that counts is committed to" in error) == (4, True)


@pytest.mark.parametrize(
    ("option", "said"),
    [
        (("--before", "2026-02-01"), "nothing that counts is committed to"),
        (("--anchor", f"2:{'0' * 64}"), "the anchor, is in none of these"),
        (("--vault-key", "nowhere"), "No such file"),
        (("--hmac", "nowhere"), "No such file"),
        (("--sign", "nowhere"), "No such file"),
    ],
)
def test_what_cannot_be_relied_on_accuses_nobody(
    capsys: pytest.CaptureFixture[str], told: Made, option: tuple[str, str], said: str
) -> None:
    suspect = recorded(told.folder / "said.jsonl", copied(told.entries))
    code, _, error = verify(capsys, told, suspect, *option)
    assert code == 4
    assert said in error


@pytest.mark.parametrize("option", [("--anchor", "7"), ("--before", "soon")])
def test_what_is_no_date_and_no_head_is_a_wrong_call(
    capsys: pytest.CaptureFixture[str], told: Made, option: tuple[str, str]
) -> None:
    assert verify(capsys, told, "said.jsonl", *option)[0] == 2


class Copy:
    """A suspect that answers at a URL."""

    def __init__(self, told: Made) -> None:
        self.said = copied(told.entries, tenant="acme")

    async def __call__(self, request: Request, reply: Reply) -> None:
        [row] = msgspec.json.decode(request.body)["rows"]
        label = int(next(iter(self.said[about(row).question])))
        await reply.document(msgspec.json.encode({"label": label}))


def description(folder: Path, port: int) -> str:
    path = folder / "suspect.yaml"
    path.write_text(
        f"url: http://127.0.0.1:{port}\nanswer: {{label: label}}\n"
        "request: {path: /, body: '{\"rows\": {{inputs}}}'}\n"
    )
    return str(path)


def test_a_suspect_is_asked_by_whoever_has_the_sheet_or_at_once(
    capsys: pytest.CaptureFixture[str], told: Made
) -> None:
    """Both come to the same."""
    options = [*told.options(), "--questions", "200"]
    command = [sys.executable, "-m", "extproc", "ownership", "sheet", *options]
    sheet = told.folder / "sheet.jsonl"
    sheet.write_bytes(subprocess.run(command, check=True, capture_output=True).stdout)
    record = told.folder / "answers.jsonl"
    with Upstream() as server:
        server.script = Copy(told)
        suspect = description(told.folder, server.port)
        asked = ("ask", str(sheet), "--suspect", suspect, "--answers", str(record))
        code, _, error = run(capsys, *asked)
        assert (code, "200 of 200 questions asked" in error) == (0, True)
        assert verify(capsys, told, suspect, "--questions", "200")[0] == 1
    at_once = report(told)["report"]
    assert verify(capsys, told, record, "--questions", "200")[0] == 1
    later = report(told)["report"]
    assert later["judged"] == at_once["judged"]
    assert later["suspect"]["answers"] == at_once["suspect"]["answers"]
    assert at_once["suspect"]["questions"] == at_once["suspect"]["answered"] == 200


def test_who_doubts_a_report_works_it_out_without_the_key(
    capsys: pytest.CaptureFixture[str], told: Made
) -> None:
    suspect = recorded(told.folder / "said.jsonl", copied(told.entries, tenant="acme"))
    verify(capsys, told, suspect)
    first = report(told)["report"]["judged"]
    command = [sys.executable, "-m", "extproc", "ownership", "reveal", *told.options()]
    opened = told.folder / "opened.jsonl"
    opened.write_bytes(subprocess.run(command, check=True, capture_output=True).stdout)
    (told.folder / "vault.pem").unlink()
    out = ("--sign", str(told.folder / "audit.pem"), "--out", str(told.folder / "report"))
    known = (str(told.log), "--key", str(told.folder / "audit.pub"), "--vault", str(opened))
    code, _, _ = run(capsys, "verify", "--suspect", str(suspect), *known, *out)
    assert code == 1
    assert report(told)["report"]["judged"] == first


def test_a_record_cannot_be_asked(capsys: pytest.CaptureFixture[str], told: Made) -> None:
    sheet = told.folder / "sheet.jsonl"
    sheet.write_text("")
    asked = ("ask", str(sheet), "--suspect", "said.jsonl", "--answers", "x")
    assert run(capsys, *asked)[0] == 4


def test_commitments_are_listed(capsys: pytest.CaptureFixture[str], told: Made) -> None:
    options = told.options()[:3]
    code, out, _ = run(capsys, "commitments", *options)
    assert code == 0
    assert "tenant acme, model digits" in out
    code, out, _ = run(capsys, "commitments", *options, "--output", "json")
    assert [(each["tenant"], each["marks"]) for each in json.loads(out)] == [
        ("acme", 100),
        ("other", 100),
    ]


def test_the_schema_is_the_one_in_the_documents(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(capsys, "schema")[1] == SCHEMA.read_text()


def test_marks_that_the_secret_did_not_draw_accuse_nobody(
    capsys: pytest.CaptureFixture[str], told: Made
) -> None:
    suspect = recorded(told.folder / "said.jsonl", copied(told.entries))
    (told.folder / "hmac").write_bytes(b"of these tests, and no secret at all")
    code, out, _ = verify(capsys, told, suspect, "--hmac", str(told.folder / "hmac"))
    assert code == 0
    assert "There are not enough marks to say" in out
    assert report(told)["report"]["vault"]["undrawn"] == 1000


def test_a_report_that_is_not_there_is_said(capsys: pytest.CaptureFixture[str], told: Made) -> None:
    assert check(capsys, told, "report.json") == 4
