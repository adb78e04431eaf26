"""The command line, from what was committed to, to a signed report of texts."""

import json
from pathlib import Path
from typing import Any

import jsonschema_rs
import msgspec
import pytest

from tests.ownership.making import Made
from tests.ownership.test_command import check, run
from tests.ownership.writing import SECRET, canary, listed, written

SCHEMA = Path(__file__).parents[2] / "docs" / "ownership-texts.schema.json"


def told(made: Made) -> Path:
    """What acme's copy says."""
    key = listed(made)
    listed(made, tenant="one", cohort="pair")
    said = canary(made)
    made.checkpoint()
    made.write()
    file = made.folder / "said.jsonl"
    lines = [*written(key), {"text": f"It is so. (Reference: {said})"}]
    file.write_text("\n".join(map(json.dumps, lines)))
    return file


def texts(
    capsys: pytest.CaptureFixture[str], made: Made, suspect: Path, *more: str
) -> tuple[int, str, str]:
    out = ("--sign", str(made.folder / "audit.pem"), "--out", str(made.folder / "report"))
    return run(capsys, "texts", "--suspect", str(suspect), *made.options(), *out, *more)


def report(made: Made) -> Any:
    return json.loads((made.folder / "report" / "report.json").read_bytes())


def test_texts_are_known_by_what_was_committed_to(
    capsys: pytest.CaptureFixture[str], made: Made
) -> None:
    suspect = told(made)
    code, out, _ = texts(capsys, made, suspect)
    assert code == 1
    assert "They carry the green list of tenant acme, model chat; canaries of tenant acme" in out
    said = report(made)
    assert {each["name"]: each["verdict"] for each in said["report"]["judged"]} == {
        "green list of tenant acme, model chat": "carries the marks",
        "canaries of tenant acme, model chat": "carries the marks",
        "green list of cohort pair, model chat": "no evidence",
    }
    schema = json.loads(SCHEMA.read_text())
    jsonschema_rs.validator_for(schema).validate(said)
    assert json.loads(run(capsys, "schema", "--of", "texts")[1]) == schema
    assert check(capsys, made, "report.json") == check(capsys, made, "report.html") == 0


@pytest.mark.parametrize("name", ["report.json", "report.html"])
def test_a_report_of_texts_that_was_edited_is_found(
    capsys: pytest.CaptureFixture[str], made: Made, name: str
) -> None:
    texts(capsys, made, told(made))
    path = made.folder / "report" / name
    path.write_bytes(path.read_bytes().replace(b"acme", b"evil"))
    assert check(capsys, made, name) == 1


def test_texts_of_nobodys_are_nobodys(capsys: pytest.CaptureFixture[str], made: Made) -> None:
    told(made)
    plain = made.folder / "plain.txt"
    plain.write_text("Nobody marked this one. " * 40)
    code, out, _ = texts(capsys, made, plain, "--output", "json")
    assert code == 0
    assert {each["verdict"] for each in json.loads(out)["judged"]} == {"no evidence"}


def test_keys_that_the_secret_does_not_draw_do_not_count(
    capsys: pytest.CaptureFixture[str], made: Made
) -> None:
    """Planted: without it, an owner commits to a list that fits a model that is there already."""
    suspect = told(made)
    secret = made.folder / "hmac"
    secret.write_bytes(SECRET)
    assert texts(capsys, made, suspect, "--hmac", str(secret))[0] == 1
    assert report(made)["report"]["vault"]["undrawn"] == 0
    secret.write_bytes(SECRET[1:])
    assert texts(capsys, made, suspect, "--hmac", str(secret))[0] == 0
    assert report(made)["report"]["vault"]["undrawn"] == 3


def test_what_is_revealed_judges_without_a_key(
    capsys: pytest.CaptureFixture[str], made: Made
) -> None:
    suspect = told(made)
    first = texts(capsys, made, suspect)
    _, shown, _ = run(capsys, "reveal", *made.options())
    assert shown.count("\n") == 3
    opened = made.folder / "opened.jsonl"
    opened.write_text(shown)
    made.vault.unlink()
    options = [str(made.log), "--key", str(made.folder / "audit.pub"), "--vault", str(opened)]
    out = ("--sign", str(made.folder / "audit.pem"), "--out", str(made.folder / "again"))
    again = run(capsys, "texts", "--suspect", str(suspect), *options, *out)
    assert again[0] == first[0]
    read = msgspec.json.decode((made.folder / "again" / "report.json").read_bytes())
    assert read["report"]["judged"] == report(made)["report"]["judged"]


@pytest.mark.parametrize("missing", ["suspect", "marks"])
def test_nothing_is_said_where_nothing_can_be(
    capsys: pytest.CaptureFixture[str], made: Made, missing: str
) -> None:
    suspect = told(made)
    if missing == "suspect":
        suspect.unlink()
        assert texts(capsys, made, suspect)[0] == 4
    else:
        code, _, error = texts(capsys, made, suspect, "--model", "none")
        assert (code, "nothing that counts is committed to of texts" in error) == (4, True)
    assert not (made.folder / "report").exists()
