"""From a finding to a receiver: real TLS, a real disk, and a loop that nothing holds up."""

import asyncio
import io
import time
from collections import Counter
from collections.abc import Iterator
from itertools import count
from pathlib import Path

import orjson
import pytest

from extproc.config.receivers import Receiver
from extproc.server.detection import alerts
from extproc.server.detection.alerts import AlertPlan, Alerts, open_alerts
from extproc.server.detection.courier import Pace
from extproc.server.detection.quota import HOURLY
from extproc.server.detection.spool import Spool
from extproc.server.record import Records
from tests.e2e.authority import Authority, Certificate
from tests.server.detection.findings import NAMES, NOON, PERSON, finding, person
from tests.server.detection.receiver import SECRET, Endpoint, verified
from tests.server.wire import until


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return Authority(tmp_path_factory.mktemp("authority"), "authority")


@pytest.fixture(scope="module")
def certificate(authority: Authority) -> Certificate:
    return authority.issue("receiver", "127.0.0.1")


class Rig:
    def __init__(self, authority: Authority, folder: Path | None = None) -> None:
        self.outcomes, self.log = Counter[str](), io.BytesIO()
        self.records, self._authority, self._folder = Records(self.log), authority, folder
        self.waits, self._ticks = 0, count()

    async def opened(self, *urls: str, ca: Path | None = None) -> Alerts:
        trusted = (ca or self._authority.own.certificate).read_text()
        receivers = tuple(Receiver(url, (SECRET,), trusted) for url in urls)
        plan = AlertPlan(receivers, "urn:extproc:one", self._folder)
        pace = Pace(lambda: NOON + next(self._ticks) / 1000, self._pause, lambda: 0.5)
        return await open_alerts(plan, lambda: NAMES, self._count, self.records, pace)

    def _count(self, outcome: str) -> None:
        self.outcomes[outcome] += 1

    async def _pause(self, seconds: float) -> None:
        """No time at all: whoever is down is asked again and again."""
        self.waits += 1
        await asyncio.sleep(0)


@pytest.fixture
def rig(authority: Authority) -> Iterator[Rig]:
    found = Rig(authority)
    yield found
    found.records.close()


async def test_a_finding_reaches_every_receiver_signed_and_without_a_name(
    rig: Rig, certificate: Certificate
) -> None:
    with Endpoint(certificate) as one, Endpoint(certificate) as two:
        made = await rig.opened(one.url, two.url)
        made.found(person())
        await until(lambda: rig.outcomes["delivered"] == 2)
        for endpoint in (one, two):
            [got] = endpoint.received
            verified(got.headers, got.body, SECRET, NOON, set())
            assert got.headers["webhook-id"] == got.said["id"]
            assert PERSON.encode() not in got.body
        await made.close()


async def test_one_that_is_down_has_all_of_them_once_it_is_up(
    rig: Rig, certificate: Certificate
) -> None:
    with Endpoint(certificate) as first:
        port, url = first.port, first.url
    with Endpoint(certificate) as other:
        made = await rig.opened(url, other.url)
        names = [f"tenant-{number}" for number in range(5)]
        for name in names:
            made.found(finding(name))
        await until(lambda: rig.outcomes["delivered"] == 5 and rig.waits > 1)
        assert other.taken == names
        assert made.waiting == 5
        with Endpoint(certificate, port=port) as again:
            await until(lambda: rig.outcomes["delivered"] == 10)
            assert again.taken == names
        await made.close()
    assert rig.outcomes["lost"] == rig.outcomes["given_up"] == 0


async def test_one_with_a_wrong_certificate_is_told_nothing(
    rig: Rig, certificate: Certificate, tmp_path: Path
) -> None:
    with Endpoint(certificate) as endpoint:
        made = await rig.opened(endpoint.url, ca=Authority(tmp_path, "other").own.certificate)
        made.found(finding())
        await until(lambda: rig.outcomes["retried"] >= 2)
        assert endpoint.received == []
        await made.close(0)
    assert rig.outcomes["lost"] == 1
    rig.records.close()
    problems = [orjson.loads(line) for line in rig.log.getvalue().splitlines()]
    assert [each["problem"] for each in problems] == ["SSLCertVerificationError"]
    assert b"secret-path" not in rig.log.getvalue()


async def test_nobody_waits_for_one_that_is_slow(rig: Rig, certificate: Certificate) -> None:
    with Endpoint(certificate) as slow, Endpoint(certificate) as quick:
        slow.slow.clear()
        made = await rig.opened(slow.url, quick.url)
        made.found(finding("a"))
        made.found(finding("b"))
        await until(lambda: quick.taken == ["a", "b"])
        assert slow.received == []
        slow.slow.set()
        await until(lambda: slow.taken == ["a", "b"])
        await made.close()


async def test_what_was_not_delivered_is_by_the_next_process(
    authority: Authority, certificate: Certificate, tmp_path: Path
) -> None:
    with Endpoint(certificate) as endpoint:
        endpoint.statuses = [500] * 1000
        before = Rig(authority, tmp_path)
        made = await before.opened(endpoint.url)
        made.found(finding("a"))
        made.found(finding("b"))
        await until(lambda: before.outcomes["retried"] >= 1)
        await made.close(0)
        assert before.outcomes["lost"] == 0
        came, endpoint.statuses = len(endpoint.received), []
        after = Rig(authority, tmp_path)
        made = await after.opened(endpoint.url)
        made.found(finding("c"))
        await until(lambda: after.outcomes["delivered"] == 3)
        assert [*dict.fromkeys(endpoint.taken[came:])] == ["a", "b", "c"]
        await made.close()
        assert Spool(tmp_path, endpoint.url).left(10) == []
    before.records.close()
    after.records.close()


async def test_the_end_waits_for_what_is_under_way(rig: Rig, certificate: Certificate) -> None:
    with Endpoint(certificate) as endpoint:
        made = await rig.opened(endpoint.url)
        made.found(finding("a"))
        await made.close()
        assert endpoint.taken == ["a"]
    assert rig.outcomes == {"delivered": 1}


async def test_a_subject_that_changes_all_the_time_is_told_of_so_often_and_no_more(
    rig: Rig, certificate: Certificate
) -> None:
    with Endpoint(certificate) as endpoint:
        made = await rig.opened(endpoint.url)
        for number in range(50):
            made.found(finding(time=NOON + number))
        made.found(finding(time=NOON + 3700))
        await until(lambda: rig.outcomes["delivered"] == HOURLY + 1)
        assert rig.outcomes["held_back"] == 50 - HOURLY
        assert endpoint.received[-1].said["data"]["held_back"] == 50 - HOURLY
        await made.close()


async def test_only_a_change_of_step_or_what_reaches_the_alarm_is_told(
    rig: Rig, certificate: Certificate
) -> None:
    with Endpoint(certificate) as endpoint:
        made = await rig.opened(endpoint.url)
        made.found(finding("quiet", before="", after="", suspicion=0.89))
        made.found(finding("alarming", before="", after="", suspicion=0.9))
        made.found(finding("let-off", before="deny", after="", suspicion=0.2))
        await until(lambda: rig.outcomes["delivered"] == 2)
        assert endpoint.taken == ["alarming", "let-off"]
        await made.close()


async def test_more_than_may_wait_are_lost_and_counted(
    rig: Rig, certificate: Certificate, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(alerts, "WAITING", 3)
    with Endpoint(certificate) as endpoint:
        endpoint.slow.clear()
        made = await rig.opened(endpoint.url)
        for number in range(5):
            made.found(finding(f"t{number}"))
        assert (made.waiting, rig.outcomes["lost"]) == (3, 2)
        await made.close(0)
    assert rig.outcomes["lost"] == 5


async def test_whoever_finds_never_learns_of_an_error(rig: Rig, certificate: Certificate) -> None:
    with Endpoint(certificate) as endpoint:
        made = await rig.opened(endpoint.url)
        made.found(finding(counts={"secret": object()}))
        await made.close()
    rig.records.close()
    assert b"internal error" in rig.log.getvalue()
    assert b"secret" not in rig.log.getvalue()


async def test_no_receiver_holds_up_the_loop(rig: Rig, certificate: Certificate) -> None:
    """Requests have their turns while one receiver is slow, one gone and one of another host."""
    with Endpoint(certificate) as slow:
        slow.slow.clear()
        gone = "https://127.0.0.1:1/"
        made = await rig.opened(slow.url, gone, slow.url.replace("127.0.0.1", "localhost"))
        for number in range(100):
            made.found(finding(f"t{number}"))
        waited, worked = await _longest_turn()
        assert waited < 1.0  # a call that blocks would wait for the slow one
        assert worked < 0.05
        await made.close(0)
        assert asyncio.all_tasks() == {asyncio.current_task()}


async def _longest_turn() -> tuple[float, float]:
    """Of the loop's, in seconds, and in those of its thread's CPU, while 300 turns pass."""
    waited = worked = 0.0
    for _ in range(300):
        begun, ran = time.monotonic(), time.thread_time()
        await asyncio.sleep(0)
        waited = max(waited, time.monotonic() - begun)
        worked = max(worked, time.thread_time() - ran)
    return waited, worked
