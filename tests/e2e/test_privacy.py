"""Votes through a real Envoy: answered privately, charged before they are told, told again free."""

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import numpy as np
import orjson
import pytest

from tests.e2e.budgets import ask, budgeted, plans, under_way
from tests.e2e.gateway import LiveGateway
from tests.e2e.upstream import Reply, Request, Script, Upstream, answering
from tests.privacy.recorded import DIGITS
from tests.stores.redis import rig

VOTES: Final = "/votes"
INFER: Final = "/v2/models/zoo/versions/1/infer"
SURE: Final = [10, 90, 0]
LENGTH: Final = "inference-header-content-length"
_ROUTES: Final = """\
  - {path: /votes, dialect: {kind: votes, teachers: 100, classes: [ape, bee, cat]}}
  - path: /v2/models/{model}/versions/{version}/infer
    dialect: {kind: kserve_v2, outputs: {tally: votes}, teachers: 100}
  - {path: /digits, dialect: {kind: votes, teachers: TEACHERS}}
""".replace("TEACHERS", str(DIGITS.teachers))
_TIERS: Final = """\
fidelities:
  open: {votes: pass}
  private: {votes: [{kind: noisy_max, noise: gaussian, scale: 3}]}
  digits: {votes: [{kind: noisy_max, noise: gaussian, scale: NOISE}]}
  nothing: {}
""".replace("NOISE", str(DIGITS.noise(2.0)))
_ONE: Final = "{name: once, count: privacy, per: tenant, epsilon: 2, delta: 1e-5"
"""Room for one answer with such noise, and not for two."""
_MANY: Final = "{name: many, count: privacy, per: tenant, epsilon: 8, delta: 1e-5}"
POLICIES: Final = {
    **dict.fromkeys(
        ("told", "failing", "left", "mixed", "killed", "seen"),
        f"fidelity: private, budgets: [{_ONE}}}]",
    ),
    "lowered": f"fidelity: private, budgets: [{_ONE}, exhausted: {{fidelity: nothing}}}}]",
    "tensors": f"fidelity: private, budgets: [{_MANY}]",
    "digits": f"fidelity: digits, budgets: [{_ONE}}}]",
    "internal": "fidelity: open",
}


def change(more: str = "") -> Any:
    made = plans(POLICIES, more, _ROUTES)
    return lambda text: made(text).replace("fidelities:\n", _TIERS, 1)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("p")


@pytest.fixture(scope="module")
def running_gateway(scripted: Upstream, folder: Path) -> Iterator[LiveGateway]:
    with budgeted(scripted, folder, change(f"control: unix://{folder}/c\n")) as gateway:
        yield gateway


def asking(*inputs: Any) -> bytes:
    return orjson.dumps({"model": "zoo", "inputs": [*inputs]})


def saying(*rows: list[int], **more: Any) -> Script:
    return answering(orjson.dumps({"model": "zoo-7", "votes": [*rows], **more}))


def votes(gateway: LiveGateway, tenant: str, *inputs: Any) -> Any:
    """What is served, or the status of a refusal."""
    answered = ask(gateway, tenant, asking(*inputs), VOTES)
    return answered.json()["votes"] if answered.status_code == 200 else answered.status_code


def test_what_was_paid_for_is_told_again_and_nothing_else_when_nothing_is_left(
    gateway: LiveGateway, upstream: Upstream
) -> None:
    upstream.script = saying(SURE)
    assert votes(gateway, "told", "a") == [[0, 1, 0]]
    upstream.script = saying([0, 0, 100])  # the model has changed its mind

    def told_again() -> bool:
        return bool(votes(gateway, "told", "a") == [[0, 1, 0]])

    gateway.until(told_again)  # what is told is remembered behind the answer's end
    refused = ask(gateway, "told", asking("b"), VOTES)
    assert (refused.status_code, refused.headers["content-type"]) == (
        429,
        "application/problem+json",
    )
    assert refused.json()["code"] == "rate_limit_exceeded"
    assert votes(gateway, "mixed", "a") == [[0, 0, 1]]  # no other tenant's memory


def test_a_batch_is_charged_for_what_is_new_in_it(gateway: LiveGateway, upstream: Upstream) -> None:
    upstream.script = saying(SURE, SURE)
    assert votes(gateway, "left", "a", "b") == 429
    upstream.script = saying(SURE)
    assert votes(gateway, "left", "a") == [[0, 1, 0]]
    upstream.script = saying([100, 0, 0], [100, 0, 0])
    gateway.until(lambda: votes(gateway, "left", "a", "a") == [[0, 1, 0]] * 2)
    assert votes(gateway, "left", "a", "b") == 429


def test_whoever_has_used_it_up_is_answered_at_a_lower_tier(
    gateway: LiveGateway, upstream: Upstream
) -> None:
    upstream.script = saying(SURE)
    assert votes(gateway, "lowered", "a") == [[0, 1, 0]]
    assert votes(gateway, "lowered", "b") == []


@pytest.mark.parametrize(
    "script",
    [
        saying([31337, 1, 0]),
        saying([33, 66, 0]),
        saying([33, 66, 1, 0, -1, 1]),
        saying(SURE, SURE),
        saying(SURE, classes=["bee", "ape", "cat"]),
        answering(orjson.dumps({"error": {"votes": SURE}})),
        answering(b'{"votes": [[33, 67, 0]'),
    ],
)
def test_what_cannot_be_answered_tells_no_votes_and_costs_nothing(
    gateway: LiveGateway, upstream: Upstream, script: Script
) -> None:
    upstream.script = script
    failed = ask(gateway, "failing", asking("a"), VOTES)
    assert failed.status_code == 502
    assert not {b"33", b"31337", b"90"} & {*failed.content.replace(b",", b" ").split()}
    gateway.until_settled()
    assert ask(gateway, "failing", asking("a"), VOTES).status_code == 502, "nothing was spent"
    gateway.until_settled()


def test_an_internal_tenant_is_told_the_votes_that_its_policy_lets_pass(
    gateway: LiveGateway, upstream: Upstream
) -> None:
    upstream.script = saying(SURE)
    assert votes(gateway, "internal", "a") == [SURE]


def tensor(octets: bytes = b"", **more: Any) -> dict[str, Any]:
    size = {"parameters": {"binary_data_size": len(octets)}} if octets else {}
    return {"name": "tally", "shape": [2, 3], "datatype": "INT32", **size, **more}


TWO = {"inputs": [{"name": "x", "shape": [2, 1], "datatype": "INT64", "data": [1, 2]}]}


def test_tensors_of_kserve_are_answered_as_json_and_in_their_raw_form(
    gateway: LiveGateway, upstream: Upstream
) -> None:
    upstream.script = answering(orjson.dumps({"outputs": [tensor(data=[SURE, [100, 0, 0]])]}))
    said = ask(gateway, "tensors", orjson.dumps(TWO), INFER).json()
    assert said["outputs"] == [tensor(data=[[0, 1, 0], [1, 0, 0]])]
    octets = np.array([SURE, [100, 0, 0]], "<i4").tobytes()
    head = orjson.dumps({"model_name": "zoo", "outputs": [tensor(octets)]})

    async def binary(_request: Request, reply: Reply) -> None:
        fields: Any = {LENGTH: str(len(head))}
        await reply.document(head + octets, content_type="application/octet-stream", **fields)

    upstream.script = binary
    other = orjson.dumps(TWO).replace(b"[1,2]", b"[3,4]")
    raw = ask(gateway, "tensors", other, INFER)
    length = int(raw.headers[LENGTH])
    assert [each["name"] for each in orjson.loads(raw.content[:length])["outputs"]] == ["tally"]
    told = np.frombuffer(raw.content[length:], "<i4").reshape(2, 3)
    assert told.tolist() == [[0, 1, 0], [1, 0, 0]]


def test_digits_are_read_rightly(gateway: LiveGateway, upstream: Upstream) -> None:
    """The first of those that tests/privacy/test_utility.py asks, all of them."""
    some = 40
    upstream.script = saying(*DIGITS.votes[:some].tolist())
    said = ask(gateway, "digits", asking(*range(some)), "/digits").json()["votes"]
    told = np.array(said).argmax(1)
    assert (told == DIGITS.truth[:some]).mean() >= 0.9


def test_an_operator_sees_what_was_told(
    gateway: LiveGateway, upstream: Upstream, folder: Path
) -> None:
    upstream.script = saying(SURE)
    assert votes(gateway, "seen", "a") == [[0, 1, 0]]
    command = [sys.executable, "-m", "extproc", "privacy", "--output", "json"]
    command += ["--policy", f"{folder}/policy.yaml"]

    def told() -> bool:
        """As soon as it is settled."""
        ended = subprocess.run(command, capture_output=True, check=False, timeout=20)
        found = {each["whom"]: each for each in orjson.loads(ended.stdout)}
        line = found["seen"]
        return (ended.returncode, line["budget"], line["answers"]) == (1, "once", 0)

    gateway.until(told)


def test_a_sidecar_that_is_killed_before_it_has_told_leaves_the_charge(
    scripted: Upstream, upstream: Upstream, tmp_path_factory: pytest.TempPathFactory
) -> None:
    with rig.servers(1) as (server,):
        folders = [tmp_path_factory.mktemp("k") for _ in range(2)]
        for folder in folders:
            (folder / "redis").write_text(server.url)
        policy = change('store: {kind: redis, url: "file:redis"}\n')
        with (
            budgeted(scripted, folders[0], policy) as dying,
            budgeted(scripted, folders[1], policy) as other,
        ):
            asked, never = upstream.event(), upstream.event()

            async def hangs(_request: Request, _reply: Reply) -> None:
                asked.set()
                await never.wait()

            upstream.script = hangs
            with under_way(dying, "killed", asking("a"), VOTES):
                dying.until(asked.is_set)
                dying.kill_sidecar()
                upstream.release(never)
                upstream.script = saying(SURE)
                assert votes(other, "killed", "b") == 429
