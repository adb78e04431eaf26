"""The command line, of embeddings: from the files of a gateway to a signed report."""

import json
import subprocess
import sys
from functools import cache
from pathlib import Path

import jsonschema_rs
import msgspec
import numpy as np
import pytest

from extproc.marks.entry import Entry
from extproc.redteam.answers import Floats
from extproc.redteam.surrogates import ridge
from extproc.redteam.surrogates.ridge import Linear
from tests.e2e.upstream import Reply, Request, Upstream
from tests.ownership.making import Made
from tests.ownership.moving import SECRET, told, world
from tests.ownership.test_command import SCHEMA, check, report, run, verify

TEXTS = list(world().texts[:400])
HALF = len(TEXTS) // 2


@cache
def kept() -> tuple[list[Entry], Floats, Linear]:
    """Two tenants who asked about a half each; what the first was told, and what it learned."""
    raw = world().private(TEXTS)
    served, entries = told("acme", TEXTS[:HALF], raw[:HALF])
    _, others = told("beta", TEXTS[HALF:], raw[HALF:])
    return [*entries, *others], served, ridge.chosen(world().public(TEXTS[:HALF]), served)


def copy(texts: list[str]) -> Floats:
    vectors: Floats = kept()[2](world().public(texts))
    return vectors


@pytest.fixture
def written(made: Made) -> Made:
    for entry in kept()[0]:
        made.keep(entry)
    made.checkpoint()
    made.write()
    (made.folder / "hmac").write_bytes(SECRET)
    return made


def recorded(made: Made, vectors: Floats, texts: list[str] = TEXTS) -> Path:
    path = made.folder / "said.jsonl"
    lines = (
        {"input": text, "embedding": row.tolist()} for text, row in zip(texts, vectors, strict=True)
    )
    path.write_bytes(b"".join(msgspec.json.encode(line) + b"\n" for line in lines))
    return path


def test_a_copy_is_known_by_whose_embeddings_it_learned(
    capsys: pytest.CaptureFixture[str], written: Made
) -> None:
    suspect = recorded(written, copy(TEXTS))
    code, out, _ = verify(capsys, written, suspect, "--hmac", str(written.folder / "hmac"))
    assert code == 1
    assert "It carries the marks of tenant acme, model minilm." in out
    found = report(written)
    acme, beta = found["report"]["embeddings"]
    assert (acme["tenant"], acme["verdict"]) == ("acme", "carries the marks")
    assert acme["corrected"] <= -60
    assert (beta["tenant"], beta["verdict"]) == ("beta", "no evidence")
    assert found["report"]["vault"]["undrawn"] == 0
    jsonschema_rs.validator_for(json.loads(SCHEMA.read_text())).validate(found)
    assert check(capsys, written, "report.json") == check(capsys, written, "report.html") == 0


@pytest.mark.parametrize("clean", ["the model itself", "the public model", "noise"])
def test_a_clean_model_is_not_accused(
    capsys: pytest.CaptureFixture[str], written: Made, clean: str
) -> None:
    vectors = {
        "the model itself": world().private(TEXTS),
        "the public model": world().public(TEXTS),
        "noise": np.random.default_rng(0).normal(size=(len(TEXTS), 7)),
    }[clean]
    assert verify(capsys, written, recorded(written, vectors))[0] == 0


def test_a_secret_that_drew_other_keys_accuses_nobody(
    capsys: pytest.CaptureFixture[str], written: Made
) -> None:
    (written.folder / "hmac").write_bytes(b"another, and no secret at all")
    suspect = recorded(written, copy(TEXTS))
    code, _, _ = verify(capsys, written, suspect, "--hmac", str(written.folder / "hmac"))
    assert (code, report(written)["report"]["vault"]["undrawn"]) == (0, len(TEXTS))


def test_entries_that_were_put_elsewhere_accuse_nobody(
    capsys: pytest.CaptureFixture[str], made: Made
) -> None:
    """Planted: without the cell's proof, vectors of other texts stand for these, and none counts
    as missing.
    """
    entries = kept()[0]
    for at, entry in enumerate(entries):
        made.keep(msgspec.structs.replace(entry, input=entries[at - 1].input))
    made.write()
    code, out, _ = verify(capsys, made, recorded(made, copy(TEXTS)))
    assert (code, "There are not enough marks" in out) == (0, True)
    assert report(made)["report"]["vault"]["contradicting"] == len(entries)


def test_a_clean_model_that_carries_them_too_clears_the_suspect(
    capsys: pytest.CaptureFixture[str], written: Made
) -> None:
    suspect = recorded(written, copy(TEXTS))
    code, out, _ = verify(capsys, written, suspect, "--clean", str(suspect))
    assert (code, "No verdict" in out) == (0, True)


def test_what_is_no_embedding_is_said(capsys: pytest.CaptureFixture[str], written: Made) -> None:
    suspect = recorded(written, copy(TEXTS))
    suspect.write_text(suspect.read_text().replace('"embedding"', '"vector"'))
    code, _, error = verify(capsys, written, suspect)
    assert (code, "it holds no answer" in error) == (4, True)
    suspect.write_text('{"input": "hello", "embedding": [1.0]}\n')
    code, _, error = verify(capsys, written, suspect)
    assert (code, "none of the questions with an embedding" in error) == (4, True)
    two = recorded(written, copy(TEXTS[:2]), TEXTS[:2]).read_bytes().splitlines()
    line = json.loads(two[1])
    line["embedding"].pop()
    suspect.write_bytes(two[0] + b"\n" + json.dumps(line).encode())
    code, _, error = verify(capsys, written, suspect)
    assert (code, "no answers of one model" in error) == (4, True)


async def openai(request: Request, reply: Reply) -> None:
    asked = json.loads(request.body)
    assert asked["model"] == "copy-2"
    vectors = copy(asked["input"]).tolist()
    data = [{"index": at, "embedding": each} for at, each in enumerate(vectors)]
    await reply.document(msgspec.json.encode({"data": data}))


def test_a_suspect_is_asked_by_openais_api_by_whoever_has_the_sheet_or_at_once(
    capsys: pytest.CaptureFixture[str], written: Made
) -> None:
    with Upstream() as server:
        server.script = openai
        url = f"http://127.0.0.1:{server.port}/v1/embeddings#copy-2"
        assert verify(capsys, written, url)[0] == 1
    at_once = report(written)["report"]
    assert at_once["suspect"]["answered"] == at_once["suspect"]["questions"] == len(TEXTS)
    answers = written.folder / "report" / "answers.jsonl"
    assert verify(capsys, written, answers)[0] == 1
    assert report(written)["report"]["embeddings"] == at_once["embeddings"]


def test_who_doubts_a_report_works_it_out_without_a_key(
    capsys: pytest.CaptureFixture[str], written: Made
) -> None:
    suspect = recorded(written, copy(TEXTS))
    verify(capsys, written, suspect)
    first = report(written)["report"]["embeddings"]
    command = [sys.executable, "-m", "extproc", "ownership", "reveal", *written.options()]
    opened = written.folder / "opened.jsonl"
    opened.write_bytes(subprocess.run(command, check=True, capture_output=True).stdout)
    (written.folder / "vault.pem").unlink()
    out = ("--sign", str(written.folder / "audit.pem"), "--out", str(written.folder / "report"))
    known = (str(written.log), "--key", str(written.folder / "audit.pub"), "--vault", str(opened))
    assert run(capsys, "verify", "--suspect", str(suspect), *known, *out)[0] == 1
    assert report(written)["report"]["embeddings"] == first


def test_texts_are_listed_without_the_vault(
    capsys: pytest.CaptureFixture[str], written: Made
) -> None:
    code, out, _ = run(capsys, "commitments", *written.options()[:3])
    assert (code, f"{HALF} texts" in out) == (0, True)
