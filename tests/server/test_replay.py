"""A real trace of an hour: nobody who keeps to its contract is refused, and whoever does not is."""

import hashlib
import hmac
from dataclasses import dataclass
from pathlib import Path

import pytest

from extproc.config import compile_table, load
from tests.server.replay import TRACE, Asked, Replay, by_tenant, policy_text, trace

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(not TRACE.exists(), reason=f"the trace is not there: {TRACE}"),
]
SECRET = "0123456789abcdef0123456789abcdef"
TENANTS = [f"tenant-{number:02}" for number in range(20)]
KEYS = {tenant: f"xk-of-{tenant}" for tenant in TENANTS}
GREEDY = "tenant-07"
"""Asks for twice the day that it has bought."""


def principal(key: str) -> str:
    return "key:" + hmac.digest(SECRET.encode(), key.encode(), hashlib.sha256).hex()


@dataclass(frozen=True, slots=True)
class Hour:
    requests: list[Asked]
    day: int
    """The tokens that the greedy tenant has bought."""
    replay: Replay

    def of(self, tenant: str) -> list[Asked]:
        return [asked for asked in self.requests if asked.tenant == tenant]


@pytest.fixture(scope="module")
def hour(tmp_path_factory: pytest.TempPathFactory) -> Hour:
    requests = trace(TENANTS)
    day = sum(asked.tokens for asked in requests if asked.tenant == GREEDY) // 2
    file: Path = tmp_path_factory.mktemp("replay") / "policy.yaml"
    hashed = {tenant: principal(key) for tenant, key in KEYS.items()}
    file.write_text(policy_text(requests, hashed, headroom=2, days={GREEDY: day}))
    replay = Replay(compile_table(load(file), {"HMAC": SECRET}), KEYS)
    replay.run(requests)
    return Hour(requests, day, replay)


def test_the_trace_is_whole(hour: Hour) -> None:
    assert len(hour.requests) == 19_366
    assert {tenant for tenant, _ in by_tenant(hour.requests)} == {*TENANTS}


def test_nobody_within_contract_is_refused(hour: Hour) -> None:
    """Each has bought twice its own peaks, of a minute and of a day."""
    assert {asked.tenant for asked, _ in hour.replay.refused} <= {GREEDY}


def test_whoever_goes_beyond_its_contract_is_refused_when_it_is_used_up(hour: Hour) -> None:
    """Not before 95 in 100 of it have been used, and never more than all of it."""
    refused = [asked for asked, limit in hour.replay.refused if limit == "day"]
    assert len(refused) == len(hour.replay.refused)
    served = [asked for asked in hour.of(GREEDY) if asked not in refused]
    used = sum(asked.tokens for asked in served if asked.at < refused[0].at)
    assert 0.95 * hour.day < used <= hour.day
    assert 0.98 * hour.day < sum(asked.tokens for asked in served) <= hour.day
    assert len(refused) > len(hour.of(GREEDY)) // 3
