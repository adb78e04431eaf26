"""Marks behind a real Envoy: who gets which, and what is kept of them."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import orjson
import pytest

from extproc.auditor.keys import new_pair as new_signing_pair
from extproc.auditor.verifying import verify
from extproc.canonical import at_once
from extproc.config import compile_table, load
from extproc.config.vault_key import new_pair
from extproc.marks.entry import Entry, Line, opened, private_key
from extproc.marks.marking import Stamped
from extproc.marks.stamps import name
from extproc.policy import Policy
from tests.e2e import bodies
from tests.e2e.client import post
from tests.e2e.gateway import LiveGateway, live_gateway, write_policy
from tests.e2e.upstream import Upstream, answering

KEPT = (
    'audit: {path: audit.jsonl, key: "file:audit.pem"}\n'
    'ownership: {vault: marks.vault, recipient: "file:vault.pub"}\n'
)
TIER = "    probabilities: [{kind: top_k, k: 3}, {kind: round, digits: 2}]\n"
MARKED = (
    "    probabilities:\n      - {kind: mark, rate: 0.005, protected: [3]}\n"
    "      - {kind: round, digits: 2}\n"
)
COHORTS = {"standard": ", cohort: pair", "labels": ", cohort: pair", "rotated": ""}
WIDTH = 40
PLAIN = [0.01, 0.6061728394506173, 0.2671604938271605, 0.116666666722222]
GUARDED = [0.01, 0.6061728394506173, 0.116666666722222, 0.2671604938271605]
"""Its next class is protected."""
Rows = Sequence[Sequence[float]]


def changed(text: str) -> str:
    """Two tenants of one cohort, and one of none, at a tier that marks."""
    standard = text.index("  standard:\n")
    text = text[:standard] + text[standard:].replace("    label: pass\n", "", 1)
    text = text.replace(TIER, MARKED, 1)
    for tenant, cohort in COHORTS.items():
        old, new = f"  {tenant}: {{policy: {tenant},", f"  {tenant}: {{policy: standard{cohort},"
        text = text.replace(old, new)
    return text + KEPT


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for secret, (private, public) in {"audit": new_signing_pair(), "vault": new_pair()}.items():
        (tmp_path / f"{secret}.pem").write_bytes(private)
        (tmp_path / f"{secret}.pub").write_bytes(public)
    return tmp_path


def policy(folder: Path, tenant: str) -> Policy:
    table = compile_table(load(folder / "policy.yaml"))
    return table.policies[tenant, "POST /v2/models/{model}/infer"]


def asking(rows: Rows) -> bytes:
    image = {"name": "image", "shape": [len(rows), WIDTH], "datatype": "FP64"}
    return orjson.dumps({"inputs": [{**image, "data": [x for row in rows for x in row]}]})


def stamped(policy: Policy, rows: Rows) -> dict[int, Stamped]:
    asked = policy.route.dialect.read(asking(rows), {"model": "digits"}, policy.terms)
    marking = at_once(policy.marking(asked))
    assert marking is not None
    return marking.stamped


def stamps(policy: Policy, rows: Rows) -> list[str]:
    found = stamped(policy, rows)
    return [found[number].stamp if number in found else "" for number in range(len(rows))]


def rows(policy: Policy) -> list[list[float]]:
    """Of a thousand those that are marked or controls, one of each cell, and fifty more."""
    every = np.random.default_rng(1).random((1000, WIDTH)).round(6).tolist()
    found = stamped(policy, every)
    cells = {name(each.cell): number for number, each in found.items()}
    others = [row for number, row in enumerate(every) if number not in found]
    return [every[number] for number in cells.values()] + others[:50]


def labels(gateway: LiveGateway, tenant: str, asked: bytes) -> tuple[list[int], bytes]:
    response = post(gateway, bodies.INFER, asked, tenant)
    assert response.status_code == 200
    [output] = response.json()["outputs"]
    values = np.array(output["data"]).reshape(output["shape"])
    return values.argmax(axis=1).tolist(), response.content


def answer(row: Sequence[float], count: int) -> bytes:
    data: dict[str, Any] = {"name": "probabilities", "shape": [count, 4], "datatype": "FP64"}
    return orjson.dumps({"model_name": "digits", "outputs": [{**data, "data": [*row] * count}]})


def entries(folder: Path) -> list[Entry]:
    key = private_key((folder / "vault.pem").read_bytes())
    lines = (folder / "marks.vault").read_bytes().splitlines()
    return [opened(msgspec.json.decode(line, type=Line), key) for line in lines]


def test_a_cohort_is_marked_alike_and_every_mark_is_committed_to(
    folder: Path, upstream: Upstream
) -> None:
    write_policy(folder, "unix:///nowhere", changed)
    asked = rows(policy(folder, "standard"))
    fate, others = (stamps(policy(folder, tenant), asked) for tenant in ("standard", "rotated"))
    count, body = len(asked), asking(asked)
    assert fate.count("mark") > 0
    assert fate.count("control") > fate.count("mark")

    with live_gateway(folder, upstream.port, policy=changed) as gateway:
        upstream.script = answering(answer(GUARDED, count))
        assert labels(gateway, "standard", body)[0] == [1] * count
        upstream.script = answering(answer(PLAIN, count))
        told, octets = labels(gateway, "standard", body)
        assert told == [2 if stamp == "mark" else 1 for stamp in fate]
        assert labels(gateway, "standard", body)[1] == octets
        assert labels(gateway, "labels", body)[1] == octets
        theirs, _ = labels(gateway, "rotated", body)
        assert theirs == [2 if stamp == "mark" else 1 for stamp in others]
        assert all(theirs[n] == 1 for n in range(count) if told[n] == 2)

    kept = entries(folder)
    of_pair = [entry for entry in kept if entry.cohort == "pair"]
    assert [entry.stamp for entry in of_pair] == [stamp for stamp in fate if stamp]
    assert len(kept) == len(of_pair) + sum(map(bool, others))
    told_inputs = [orjson.loads(bytes(entry.input)) for entry in of_pair]
    assert told_inputs == [
        [["image", row]] for row, stamp in zip(asked, fate, strict=True) if stamp
    ]
    assert {(entry.truth, entry.other) for entry in kept} == {(1, 2)}

    assert verify([folder / "audit.jsonl"], [folder / "audit.pub"], None, live=False).whole
    log = [orjson.loads(line) for line in (folder / "audit.jsonl").read_bytes().splitlines()]
    lines = [line for line in log if line["kind"] == "mark"]
    vault = (folder / "marks.vault").read_bytes().splitlines()
    assert [line["commitment"] for line in lines] == [
        orjson.loads(line)["commitment"] for line in vault
    ]
    assert not {"input", "truth", "other"} & set().union(*lines)
