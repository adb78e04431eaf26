"""The whole way of embeddings: a copy is learned through a real Envoy, and known by whose moves.

The suspect answers over HTTP, and what is judged is the sidecar's audit log and vault.
"""

import json
import sys
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import pytest

from extproc.__main__ import main
from extproc.auditor.keys import new_pair as new_signing_pair
from extproc.config.vault_key import new_pair
from extproc.redteam.answers import Floats
from extproc.redteam.surrogates import ridge
from tests.e2e import bodies
from tests.e2e.client import post
from tests.e2e.gateway import LiveGateway, live_gateway
from tests.e2e.upstream import Reply, Request, Script, Upstream
from tests.watermarks.world import bags

WORLD = bags(1200)
ASKED, BATCH = 1000, 50
THIEF, BYSTANDER = "rotated", "full"
STOLEN, OTHERS = list(WORLD.texts[:ASKED]), list(WORLD.others)
KEPT = (
    'audit: {path: audit.jsonl, key: "file:audit.pem"}\n'
    'ownership: {vault: marks.vault, recipient: "file:vault.pub"}\n'
)
MARKS = "[{kind: mark_positions, strength: 0.05}, {kind: rotate}, {kind: quantize, bits: 8}]"


def marked(text: str) -> str:
    """Two tenants of no cohort, at a tier that marks."""
    text = text.replace("embedding: [{kind: rotate}]", f"embedding: {MARKS}")
    return text.replace(f"{BYSTANDER}: {{policy: full", f"{BYSTANDER}: {{policy: rotated")


def kept(more: str, text: str) -> str:
    return marked(text) + more


def embedding(vectors: Floats) -> bytes:
    data = [
        {"object": "embedding", "index": at, "embedding": row}
        for at, row in enumerate(vectors.tolist())
    ]
    return msgspec.json.encode({"object": "list", "data": data, "model": "minilm"})


def answering(model: Any) -> Script:
    async def script(request: Request, reply: Reply) -> None:
        await reply.document(embedding(model(json.loads(request.body)["input"])))

    return script


def asked(gateway: LiveGateway, tenant: str, texts: Sequence[str]) -> Floats:
    found = []
    for at in range(0, len(texts), BATCH):
        body = bodies.embeddings_request(input=list(texts[at : at + BATCH]))
        response = post(gateway, bodies.EMBEDDINGS, body, tenant)
        assert response.status_code == 200
        found += [each["embedding"] for each in json.loads(response.content)["data"]]
    return np.array(found)


def verify(
    folder: Path, suspect: str, capsys: pytest.CaptureFixture[str]
) -> tuple[int, dict[str, Any]]:
    """The exit code, and the verdicts by tenant."""
    options = {
        "--key": "audit.pub",
        "--vault": "marks.vault",
        "--vault-key": "vault.pem",
        "--sign": "audit.pem",
        "--out": "report",
        "--hmac": "hmac",
    }
    more = [part for name, file in options.items() for part in (name, str(folder / file))]
    command = ["verify", str(folder / "audit.jsonl"), "--suspect", suspect, *more]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sys, "argv", ["extproc", "ownership", *command, "--output", "json"])
        code = main()
    (folder / "report" / "answers.jsonl").unlink()
    judged = json.loads(capsys.readouterr().out)
    assert judged["vault"]["undrawn"] == judged["vault"]["unopened"] == 0
    return code, {each["tenant"]: each for each in judged["embeddings"]}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for name, (private, public) in {"audit": new_signing_pair(), "vault": new_pair()}.items():
        (tmp_path / f"{name}.pem").write_bytes(private)
        (tmp_path / f"{name}.pub").write_bytes(public)
    return tmp_path


def test_a_copy_of_embeddings_is_known_by_its_thief_and_by_nobody_else(
    folder: Path, upstream: Upstream, capsys: pytest.CaptureFixture[str]
) -> None:
    upstream.script = answering(WORLD.private)
    with live_gateway(folder, upstream.port, policy=partial(kept, KEPT)) as gateway:
        served = asked(gateway, THIEF, STOLEN)
        asked(gateway, BYSTANDER, OTHERS)
    copy = ridge.chosen(WORLD.public(STOLEN), served)
    url = f"http://127.0.0.1:{upstream.port}/v1/embeddings#copy"
    upstream.script = answering(lambda texts: copy(WORLD.public(texts)))
    code, found = verify(folder, url, capsys)
    assert code == 1
    assert found[THIEF]["verdict"] == "carries the marks"
    assert found[THIEF]["corrected"] <= -32
    assert 150 < found[THIEF]["texts"]["texts"] < 250  # a fifth
    assert found[BYSTANDER]["verdict"] != "carries the marks"
    for clean in (WORLD.private, WORLD.public):
        upstream.script = answering(clean)
        code, found = verify(folder, url, capsys)
        assert code == 0
        assert min(each["corrected"] for each in found.values()) > -20


def test_what_is_served_is_the_same_whether_it_is_recorded_or_not(
    folder: Path, upstream: Upstream
) -> None:
    """Planted: moving only what is kept shows where a mark is to whoever compares."""
    upstream.script = answering(WORLD.private)
    (folder / "plain").mkdir()
    found = []
    for run, more in ((folder / "plain", ""), (folder, KEPT)):
        with live_gateway(run, upstream.port, policy=partial(kept, more)) as gateway:
            found.append(asked(gateway, THIEF, OTHERS[:BATCH]).tobytes())
    assert found[0] == found[1]
    assert (folder / "marks.vault").read_bytes().count(b"\n") > 1
