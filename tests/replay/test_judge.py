"""What a policy makes of an exchange that is over: see extproc/replay/judge.py."""

from pathlib import Path

import pytest

from extproc.config import compile_detection, compile_table, load
from extproc.replay.judge import Judge, Verdict
from extproc.replay.watching import Watching
from extproc.server.detection.calibrated import calibrated
from tests.config.example import ENVIRON
from tests.replay.recorded import daily, judge, record
from tests.replay.watched import KEY, learned, policy

LOW = ("  standard:\n", "  coarse: {probabilities: [{kind: label_only}]}\n  standard:\n")


async def test_what_was_served_is_served_at_the_tier_of_the_policy(tmp_path: Path) -> None:
    assert await judge(tmp_path).judge(record()) == Verdict("served", fidelity="standard")


async def test_what_it_does_not_grant_is_refused(tmp_path: Path) -> None:
    by = judge(tmp_path)
    assert (await by.judge(record(tenant="nobody"))).reason == "route_not_granted"
    assert (await by.judge(record(route="POST /v1/other"))).reason == "route_not_granted"
    assert (await by.judge(record(model="image-a"))).reason == "model_not_found"


async def test_features_that_it_does_not_grant_are_refused(tmp_path: Path) -> None:
    by = judge(tmp_path, "    allow: {batch: 4, streaming: false}\n")
    assert (await by.judge(record(inputs=5))).reason == "feature_batch"
    assert (await by.judge(record(inputs=4))).decision == "served"
    assert (await by.judge(record(stream=True))).reason == "feature_streaming"


@pytest.mark.parametrize("reason", ["invalid_request", "key_unknown", "upstream_error"])
async def test_what_was_refused_for_itself_stays_refused(tmp_path: Path, reason: str) -> None:
    found = await judge(tmp_path).judge(record(decision="refused", reason=reason))
    assert found == Verdict("refused", reason)


async def test_what_another_policy_refused_may_be_served(tmp_path: Path) -> None:
    by = judge(tmp_path)
    for reason in ("rate_limit_exceeded", "route_not_granted", "challenged"):
        found = await by.judge(record(decision="refused", reason=reason))
        assert found.decision == "served", reason


async def test_a_limit_refuses_what_comes_too_fast(tmp_path: Path) -> None:
    by = judge(tmp_path)
    found = [await by.judge(record(at=0.001 * number)) for number in range(30)]
    refused = Verdict("refused", "rate_limit_exceeded", "burst")
    assert found.count(refused) == 30 - 20
    assert (await by.judge(record(at=60))).decision == "served", "time has passed"


async def test_each_caller_has_its_own(tmp_path: Path) -> None:
    by = judge(tmp_path)
    found = [await by.judge(record(principal=f"key:{number}")) for number in range(30)]
    assert {each.decision for each in found} == {"served"}


async def test_a_budget_counts_inputs(tmp_path: Path) -> None:
    by = judge(tmp_path, daily("queries", 10))
    assert (await by.judge(record(inputs=8))).decision == "served"
    assert (await by.judge(record(inputs=3))).limit == "daily"
    assert (await by.judge(record(inputs=2))).decision == "served", "none of the three was taken"


async def test_a_budget_that_lowers_serves_at_the_lower_tier(tmp_path: Path) -> None:
    # The tiers are best first: full, standard, coarse.
    order = (
        "    text: pass\npolicies:",
        "    text: pass\n  low: {probabilities: [{kind: label_only}]}\npolicies:",
    )
    by = judge(tmp_path, daily("queries", 1, ", exhausted: {fidelity: low}"), order)
    assert (await by.judge(record())).fidelity == "standard"
    assert await by.judge(record()) == Verdict("served", "", "daily", "low")


async def test_a_budget_that_asks_for_work_serves_for_work(tmp_path: Path) -> None:
    by = judge(tmp_path, daily("queries", 1, ", exhausted: {challenge: proof_of_work}"))
    await by.judge(record())
    assert await by.judge(record()) == Verdict("served", "challenged", "daily", "standard")


async def test_limits_of_what_no_record_tells_are_named_and_not_judged(tmp_path: Path) -> None:
    by = judge(tmp_path, daily("tokens", 1))
    for _ in range(3):
        assert (await by.judge(record())).decision == "served"
    assert by.unjudged == {
        "daily": "it counts tokens, and no budget did when this was recorded",
    }


async def test_suspects_are_met_as_they_would_be(tmp_path: Path) -> None:
    config = load(policy(tmp_path))
    plan, table = compile_detection(config, ENVIRON), compile_table(config, ENVIRON)
    assert plan is not None
    watching = Watching(calibrated(plan, KEY), table)
    by = Judge(table, watching)
    assert (await by.judge(record())).fidelity == "standard"
    found = []
    for number, each in enumerate(learned(40, stranger=True)):
        watching.learn(each)
        found.append(await by.judge(record(at=number + 0.5)))
    kinds = [(each.decision, each.reason, each.fidelity) for each in dict.fromkeys(found)]
    assert kinds[0] == ("served", "", "standard")
    assert kinds[-1] == ("refused", "suspected", "")
    assert found[-1].limit == "escalation deny"
    assert ("served", "", "low") in kinds or ("served", "challenged", "low") in kinds
    later = await by.judge(record(at=30 * 3600, decision="refused", reason="suspected"))
    assert later == Verdict("served", fidelity="standard")


async def test_a_throttle_is_a_limit_like_any(tmp_path: Path) -> None:
    slow = "    escalation: [{above: 0.7, throttle: {max: 1, window: 1m}, for: 1h}]\n"
    config = load(policy(tmp_path, slow))
    plan, table = compile_detection(config, ENVIRON), compile_table(config, ENVIRON)
    assert plan is not None
    watching = Watching(calibrated(plan, KEY), table)
    by = Judge(table, watching)
    for each in learned(40, stranger=True):
        watching.learn(each)
    found = [await by.judge(record(at=60 + number)) for number in range(3)]
    assert [each.decision for each in found] == ["served", "refused", "refused"]
