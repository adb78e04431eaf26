"""The whole way: a copy is stolen through a real Envoy, and known by the marks of whom it was told.

The thief asks by the red team's own means, the suspect answers over HTTP, and what is judged is the
sidecar's audit log and vault.
"""

import asyncio
import json
import sys
from pathlib import Path

import msgspec
import numpy as np
import pytest

from extproc.__main__ import main
from extproc.auditor.keys import new_pair as new_signing_pair
from extproc.config.vault_key import new_pair
from extproc.redteam.answers import Answers, Floats
from extproc.redteam.client import Client
from extproc.redteam.laundering.labels import Labels
from extproc.redteam.oracle import Budget, Classifier
from extproc.redteam.surrogates import by_heart
from tests.e2e.gateway import KEYS, LiveGateway, live_gateway
from tests.e2e.upstream import Reply, Request, Script, Upstream
from tests.ownership.theft import scores, victim

ASKED = 10_000
THIEF, BYSTANDER = "standard", "rotated"
TIER = "    probabilities: [{kind: top_k, k: 3}, {kind: round, digits: 2}]\n"
KEPT = (
    'audit: {path: audit.jsonl, key: "file:audit.pem"}\n'
    'ownership: {vault: marks.vault, recipient: "file:vault.pub", queue: 10000}\n'
)


def changed(text: str) -> str:
    """Two tenants of no cohort, at a tier that marks."""
    standard = text.index("  standard:\n")
    text = text[:standard] + text[standard:].replace("    label: pass\n", "", 1)
    marking = TIER.replace("[{kind: top_k, k: 3}", "[{kind: mark, rate: 0.005}")
    text = text.replace(TIER, marking, 1)
    return (
        text.replace(f"{BYSTANDER}: {{policy: rotated", f"{BYSTANDER}: {{policy: standard") + KEPT
    )


async def served(request: Request, reply: Reply) -> None:
    """The victim."""
    await reply.document(outputs("probabilities", scores(rows(request))))


def rows(request: Request) -> Floats:
    [tensor] = json.loads(request.body)["inputs"]
    return np.array(tensor["data"], np.float64).reshape(tensor["shape"])


def outputs(name: str, values: Floats) -> bytes:
    data = values.ravel().tolist()
    tensor = {"name": name, "shape": values.shape, "datatype": "FP64", "data": data}
    return msgspec.json.encode({"model_name": "digits", "outputs": [tensor]})


def answering(model: Labels) -> Script:
    async def script(request: Request, reply: Reply) -> None:
        await reply.document(outputs("label", model(rows(request)).astype(np.float64)))

    return script


def stolen(gateway: LiveGateway, tenant: str, inputs: Floats) -> Answers:
    async def ask() -> Answers:
        known = victim()
        async with Client(gateway.url, [KEYS[tenant]], parallel=4) as client:
            asking = Classifier(client, known.adapter, known.classes, Budget(len(inputs)))
            return await asking.ask(inputs)

    return asyncio.run(ask())


def verify(
    folder: Path, suspect: str, capsys: pytest.CaptureFixture[str]
) -> tuple[int, dict[str, tuple[str, float]]]:
    """The exit code, and by tenant the verdict and the p-value in bits."""
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
    judged = json.loads(capsys.readouterr().out)["judged"]
    return code, {each["tenant"]: (each["verdict"], each["corrected"]) for each in judged}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for name, (private, public) in {"audit": new_signing_pair(), "vault": new_pair()}.items():
        (tmp_path / f"{name}.pem").write_bytes(private)
        (tmp_path / f"{name}.pub").write_bytes(public)
    return tmp_path


def test_a_stolen_model_carries_the_marks_of_its_thief_and_of_nobody_else(
    folder: Path, upstream: Upstream, capsys: pytest.CaptureFixture[str]
) -> None:
    known = victim()
    upstream.script = served
    with live_gateway(folder, upstream.port, policy=changed) as gateway:
        answers = stolen(gateway, THIEF, known.natural[:ASKED])
        stolen(gateway, BYSTANDER, known.natural[ASKED : 2 * ASKED])
    assert answers.served.all()
    copy = by_heart.trees(known.natural[:ASKED], answers.labels, np.random.default_rng(1))
    upstream.script = answering(copy)
    code, found = verify(folder, f"http://127.0.0.1:{upstream.port}/v2/models/m/infer", capsys)
    assert code == 1
    assert found[THIEF][0] == "carries the marks"
    assert found[THIEF][1] <= -64
    assert found[BYSTANDER][0] == "not enough marks to say"
    (folder / "report" / "answers.jsonl").unlink()
    upstream.script = answering(lambda inputs: scores(inputs).argmax(axis=1))
    code, found = verify(folder, f"http://127.0.0.1:{upstream.port}/v2/models/m/infer", capsys)
    assert code == 0
    assert {bits for _, bits in found.values()} == {0.0}
