"""When an alert is tried again, and when it is not: against a real receiver, in no real time."""

import asyncio
import io
from collections import Counter
from collections.abc import AsyncIterator, Iterator

import numpy as np
import orjson
import pytest

from extproc.config.receivers import Receiver
from extproc.server.detection.courier import ASKED, LONGEST, PATIENCE, Courier, Pace
from extproc.server.detection.spool import Kept
from extproc.server.detection.waiting import Waiting
from extproc.server.detection.webhook import Webhook
from extproc.server.record import Records
from tests.e2e.authority import Authority
from tests.server.detection.receiver import SECRET, Endpoint

NOON = 1_800_000_000.0


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return Authority(tmp_path_factory.mktemp("authority"), "authority")


@pytest.fixture
def endpoint(authority: Authority) -> Iterator[Endpoint]:
    with Endpoint(authority.issue("receiver", "127.0.0.1")) as found:
        yield found


class Rig:
    """A courier whose pauses pass at once, and are noted."""

    def __init__(self, endpoint: Endpoint, authority: Authority) -> None:
        self.now, self.pauses, self.outcomes = NOON, list[float](), Counter[str]()
        self.log = io.BytesIO()
        self.records = Records(self.log)
        self.waiting = Waiting(None, 10, lambda: None)
        pace = Pace(lambda: self.now, self._pause, np.random.default_rng(7).random)
        webhook = Webhook(Receiver(endpoint.url, (SECRET,), authority.own.certificate.read_text()))
        self.courier = Courier(webhook, self.waiting, pace, self._count, self.records)
        self.running = asyncio.create_task(self.courier.run())

    def _count(self, outcome: str) -> None:
        self.outcomes[outcome] += 1

    async def _pause(self, seconds: float) -> None:
        self.pauses.append(seconds)
        self.now += seconds
        await asyncio.sleep(0)

    async def sent(self, *subjects: str) -> None:
        """Send these, and wait until none waits."""
        for subject in subjects:
            body = orjson.dumps({"subject": subject})
            assert self.waiting.add(Kept(self.now, subject.ljust(32, "0"), body))
        async with asyncio.timeout(20):
            await self.waiting.empty()

    def told(self) -> list[tuple[str, str]]:
        self.records.close()
        lines = map(orjson.loads, self.log.getvalue().splitlines())
        return [(line["receiver"], line["problem"]) for line in lines]

    async def close(self) -> None:
        self.running.cancel()
        await asyncio.wait({self.running})
        await self.courier.close()
        self.records.close()


@pytest.fixture
async def rig(endpoint: Endpoint, authority: Authority) -> AsyncIterator[Rig]:
    found = Rig(endpoint, authority)
    yield found
    await found.close()


async def test_alerts_are_delivered_in_order(rig: Rig, endpoint: Endpoint) -> None:
    await rig.sent("a", "b", "c")
    assert endpoint.taken == ["a", "b", "c"]
    assert rig.outcomes == {"delivered": 3}
    assert rig.pauses == []


async def test_one_that_fails_is_tried_again_with_its_id_before_any_other(
    rig: Rig, endpoint: Endpoint
) -> None:
    endpoint.statuses = [500, 502, 302]
    await rig.sent("a", "b")
    assert endpoint.taken == ["a", "a", "a", "a", "b"]
    assert len({each.headers["webhook-id"] for each in endpoint.received[:4]}) == 1
    stamps = [int(each.headers["webhook-timestamp"]) for each in endpoint.received]
    assert stamps == sorted(stamps)
    assert stamps[3] > stamps[0]
    assert rig.outcomes == {"retried": 3, "delivered": 2}
    host = f"127.0.0.1:{endpoint.port}"
    problems = ["status 500", "status 502", "status 302", ""]
    assert rig.told() == [(host, problem) for problem in problems]


async def test_pauses_double_up_to_a_bound_and_none_is_like_another(
    rig: Rig, endpoint: Endpoint
) -> None:
    endpoint.statuses = [500] * 14
    await rig.sent("a")
    most = [min(LONGEST, 2.0**number) for number in range(14)]
    assert all(high / 2 <= found <= high for high, found in zip(most, rig.pauses, strict=True))
    assert len(set(rig.pauses)) == 14


async def test_what_the_receiver_asks_for_is_waited_for(rig: Rig, endpoint: Endpoint) -> None:
    endpoint.statuses, endpoint.headers = [429], {"retry-after": "77"}
    await rig.sent("a")
    assert rig.pauses == [77.0]
    endpoint.statuses, endpoint.headers = [503], {"retry-after": "999999"}
    await rig.sent("b")
    assert rig.pauses[1:] == [ASKED]


async def test_after_a_day_an_alert_is_given_up_and_the_next_has_its_turn(
    rig: Rig, endpoint: Endpoint
) -> None:
    endpoint.statuses, endpoint.headers = [503] * 26, {"retry-after": "3600"}
    await rig.sent("a")
    assert rig.now - NOON == PATIENCE
    assert rig.outcomes == {"retried": 24, "given_up": 1}
    await rig.sent("b")
    assert rig.outcomes["delivered"] == 1
    assert endpoint.taken[-1] == "b"


async def test_an_error_nobody_expected_ends_nothing(
    rig: Rig, endpoint: Endpoint, monkeypatch: pytest.MonkeyPatch
) -> None:
    send = rig.courier._webhook.send

    async def broken(*_: object) -> None:
        monkeypatch.setattr(rig.courier._webhook, "send", send)
        raise RuntimeError("a secret")

    monkeypatch.setattr(rig.courier._webhook, "send", broken)
    await rig.sent("a")
    assert rig.outcomes == {"retried": 1, "delivered": 1}
    rig.records.close()
    assert b"RuntimeError" in rig.log.getvalue()
    assert b"a secret" not in rig.log.getvalue()
