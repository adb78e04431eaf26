"""The whole run, as a process: with the shipped policy, and with one that protects nothing."""

import asyncio
import json
import subprocess
import sys
from typing import Any, NoReturn

import pytest

from extproc.demo import fidelity_protections as checks
from extproc.demo.access_protections import ACCESS
from extproc.demo.cases import CASES
from extproc.demo.failure_protections import FAILURE, sidecar_dies_in_a_stream
from extproc.demo.fidelity_protections import FIDELITY
from extproc.demo.once import while_alive
from extproc.demo.policy_file import TIERS, template
from extproc.demo.private_protections import PRIVATE
from extproc.gateway.process import ChildDied
from extproc.prediction import KINDS

PROTECTIONS = (*FIDELITY, *ACCESS, *PRIVATE, *FAILURE)
WITH_ANOTHER_POLICY = """
import sys
from extproc.demo.command import run
raise SystemExit(run(once=True, policy=sys.stdin.read()))
"""


def _demo(*arguments: str, policy: str | None = None) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, *arguments],
        input=policy,
        capture_output=True,
        text=True,
        timeout=240,
        check=False,
    )


def _pass_all() -> str:
    """The shipped policy, every tier of which lets every kind pass but the private one."""
    before, _, rest = template().partition("fidelities:")
    kinds = ", ".join(f"{kind}: pass" for kind in KINDS)
    tiers = "".join(f"  {tier}: {{{kinds}}}\n" for tier in TIERS)
    return f"{before}fidelities:\n{tiers}  private:{rest.partition('  private:')[2]}"


async def _never() -> NoReturn:
    await asyncio.Event().wait()
    raise AssertionError


async def test_what_is_asked_is_given_up_when_a_process_dies() -> None:
    async def died() -> ChildDied:
        return ChildDied("models ended")

    asking = asyncio.ensure_future(_never())
    with pytest.raises(ChildDied, match="models ended"):
        await while_alive(died(), asking)
    await asyncio.wait({asking})
    assert asking.cancelled()


async def test_what_was_asked_while_all_live_is_the_answer() -> None:
    async def asked() -> int:
        return 7

    assert await while_alive(_never(), asked()) == 7


@pytest.mark.e2e
def test_every_protection_holds_and_every_row_is_there(trained: None) -> None:
    ran = _demo("-m", "extproc", "demo", "--once", "--output", "json")
    assert ran.returncode == 0, ran.stdout + ran.stderr
    told: dict[str, Any] = json.loads(ran.stdout)

    assert told["held"] is True
    assert [(row["case"], row["tier"]) for row in told["rows"]] == [
        (case.name, tier) for case in CASES for tier in TIERS
    ]
    assert [verdict["protection"] for verdict in told["protections"]] == list(PROTECTIONS)
    for row in told["rows"]:
        assert row["bytes_with"] <= row["bytes_without"]
        if row["tier"] == "full" and row["case"] != "infer, logits":
            assert row["with_extproc"] == row["without_extproc"]
    coarse = {row["case"]: row["with_extproc"] for row in told["rows"] if row["tier"] == "coarse"}
    assert coarse["infer"] == {"probabilities": "1", "label": "2"}
    assert coarse["embeddings, base64"]["different values"] == "2"
    assert coarse["chat, stream"]["logprobs"] == "null"
    assert coarse["chat, reasoning"]["reasoning"] == "absent"


@pytest.mark.e2e
def test_a_policy_that_lets_all_pass_fails_by_name(trained: None) -> None:
    ran = _demo("-c", WITH_ANOTHER_POLICY, policy=_pass_all())
    assert ran.returncode == 1, ran.stdout + ran.stderr
    lines = ran.stdout.splitlines()

    broken = (
        checks.no_exact_probability,
        checks.no_exact_component,
        checks.no_exact_logprob,
        checks.few_coarse_probabilities,
        checks.no_undeclared_output,
        checks.coarse_embeddings,
        checks.coarse_logprobs,
        checks.no_reasoning,
        checks.no_identity,
        checks.nothing_unlisted,
        sidecar_dies_in_a_stream,
    )
    by_check = {check: name for table in (FIDELITY, FAILURE) for name, check in table.items()}
    expected = [by_check[check] for check in broken]
    assert [line[8:] for line in lines if line.startswith("FAILED  ")] == expected
    assert [line[8:] for line in ran.stderr.splitlines() if "FAILED: " in line] == expected
    assert lines[-1] == f"{len(expected)} of {len(PROTECTIONS)} protections FAILED."


@pytest.mark.e2e
def test_a_process_that_does_not_come_up_is_named(trained: None) -> None:
    policy = template().replace("version: 1", "version: 7")
    ran = _demo("-c", WITH_ANOTHER_POLICY, policy=policy)
    assert ran.returncode == 3
    assert "sidecar ended with code" in ran.stderr
    assert "version" in ran.stderr
    assert ran.stdout == ""
