import asyncio
import time
from collections.abc import AsyncIterator, Iterable, Sequence
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import orjson
import pytest
from msgspec import structs

from extproc._pb.envoy.service.ext_proc.v3.external_processor_pb2 import ProcessingRequest
from extproc.admission import Denied
from extproc.canonical import Steps
from extproc.cohorts.cohort import Cohort
from extproc.cohorts.judging import Known
from extproc.cohorts.knowledge import Knowledge
from extproc.cohorts.linker import Linker
from extproc.detectors.detector import Counters
from extproc.detectors.features import Features
from extproc.detectors.likelihood import Nats
from extproc.detectors.observation import Observation
from extproc.detectors.profile import Decay, Layout
from extproc.escalation import NOBODY
from extproc.events import RequestBody, RequestHeaders, ResponseBody
from extproc.origin import Origin
from extproc.refusal import UNAUTHENTICATED
from extproc.server.detection import watcher as module
from extproc.server.detection.finding import Finding
from extproc.server.detection.inbox import Inbox
from extproc.server.detection.judge import Judge
from extproc.server.detection.sketcher import Sketcher
from extproc.server.detection.watcher import Watcher
from extproc.server.protobuf import AUTHZ, handover
from extproc.stores.profiles import Profiles
from tests.playbook import ANSWER, ASK, headers, policy, rate, table
from tests.server.detection.rig import (
    DAY,
    NOW,
    Cells,
    Sketch,
    Told,
    Volume,
    asked,
    ladder,
    layout,
    profiles,
    records,
    settings,
    terms,
)
from tests.server.test_authz import KEY, asking, principal
from tests.server.wire import ADMITTED, Clock, running, until

LADDER = ladder((0.9, 60.0, "deny"))


def made(
    sketcher: Sketcher | None = None,
    of: Layout | None = None,
    kept: Profiles | None = None,
    **given: Any,
) -> Watcher:
    clock = Clock()
    clock.now = NOW
    kept = kept if kept is not None else profiles()
    log = records()
    judge = Judge(
        settings(**given), of or layout(), kept.read, lambda *_: terms(ladder=LADDER), log
    )
    return Watcher(settings(**given), kept, judge, log, sketcher or Sketch(), wall=clock)


@asynccontextmanager
async def watching(sketcher: Sketcher | None = None, **given: Any) -> AsyncIterator[Watcher]:
    watcher = made(sketcher, **given)
    await watcher.start()
    try:
        yield watcher
    finally:
        await watcher.close()


def counted(watcher: Watcher, subject: str = "acme") -> float:
    found = watcher.profiles.read(subject, NOW)
    return float(found.counters[-1]) if found is not None else 0.0


async def test_what_is_noticed_is_counted_and_judged() -> None:
    async with watching() as watcher:
        told = Told()
        watcher.judge.listeners.append(told)
        watcher.notice(asked(*range(20)))
        assert watcher.case("acme", "key:1").step == -1
        await watcher.idle()
        assert watcher.case("acme", "key:1").step == 0
        assert [each.after for each in told.findings] == ["deny"]
        assert [each.subject for each in watcher.suspects()] == ["acme"]
        assert watcher.suspects(after="acme") == []


async def test_a_principal_has_a_profile_of_its_own_where_the_file_says_so() -> None:
    async with watching(per="principal") as watcher:
        watcher.notice(asked(*range(20)))
        await watcher.idle()
        assert watcher.case("acme", "key:1").step == 0
        assert watcher.case("acme", "key:2").step == -1


async def test_callers_that_are_judged_together_are_judged_each_by_its_own_queries() -> None:
    async with watching(per="principal") as watcher:
        for number, queries in enumerate((1, 20, 2)):
            watcher.notice(asked(*range(queries), principal=f"key:{number}"))
        await watcher.idle()
        assert [watcher.case("acme", f"key:{number}").step for number in range(3)] == [-1, 0, -1]


async def test_an_operators_word_counts_at_once() -> None:
    async with watching() as watcher:
        watcher.override("acme", "trusted")
        watcher.notice(asked(*range(20)))
        await watcher.idle()
        assert watcher.case("acme", "key:1").step == -1
        watcher.override("acme", "")
        watcher.forgive("acme")
        watcher.notice(asked(100))
        await watcher.idle()
        assert watcher.case("acme", "key:1").step == -1


async def test_who_belongs_together_is_found_now_and_then(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "LINKED", 0.001)
    seen: list[tuple[str, int]] = []

    class Company(Linker):
        def observe(self, observation: Observation, subject: str, digests: Iterable[int]) -> None:
            seen.append((subject, len(list(digests))))

        def rebuild(self, counters: Known) -> Steps[None]:
            assert counters("nobody") is None
            found = counters("acme")
            seen.append(("rebuilt", 0 if found is None else len(found)))
            yield
            raise RuntimeError("planted")

    watcher = made()
    watcher.judge.linker = Company(Knowledge(layout(), np.ones(8) / 8, 7.0), b"k" * 32, 64)
    await watcher.start()
    try:
        watcher.notice(asked(1, 2))
        await until(lambda: ("rebuilt", 9) in seen)
        await until(lambda: watcher.faults > 1)
    finally:
        await watcher.close()
    assert ("acme", 2) in seen


async def test_of_whom_belongs_together_it_is_told_when_they_are_found(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(module, "LINKED", 0.001)

    class Company(Linker):
        def rebuild(self, counters: Known) -> Steps[None]:
            yield
            self.judged.cohorts["cohort:1"] = Cohort("cohort:1", ("acme", "b"), (1.0, 2.0))
            self.judged.suspicions["cohort:1"] = 0.95

    watcher = made()
    watcher.judge.linker = Company(Knowledge(layout(), np.ones(8) / 8, 7.0), b"k" * 32, 64)
    await watcher.start()
    try:
        await until(lambda: "cohort:1" in watcher.judge.cases)
    finally:
        await watcher.close()


async def test_who_may_have_been_known_is_met_as_the_policy_says_for_an_hour() -> None:
    async with watching() as watcher:
        clock = watcher._wall
        assert isinstance(clock, Clock)
        assert watcher.case("acme", "key:1").lost == NOW + module.NEW
        watcher.notice(asked(1))
        await watcher.idle()
        clock.now = NOW + 600
        assert watcher.case("acme", "key:1").lost == NOW + module.NEW
        assert watcher.case("other", "key:1").lost == NOW + 600 + module.NEW
        clock.now = NOW + module.NEW
        assert watcher.case("acme", "key:1").lost == 0.0
        clock.now = NOW + 2 * DAY
        assert watcher.case("third", "key:1") == NOBODY, "nothing of before would count any more"
        watcher.began = lambda: 0.0
        clock.now = NOW
        assert watcher.case("third", "key:1") == NOBODY, "nothing was lost"


async def test_many_small_ones_are_read_together_and_a_large_one_in_pieces() -> None:
    sketch = Sketch()
    async with watching(sketch) as watcher:
        for number in range(100):
            watcher.notice(asked(number))
        watcher.notice(asked(*((float(number),) * 2048 for number in range(14))))
        for number in range(200, 204):
            watcher.notice(asked(number))
        await watcher.idle()
        assert counted(watcher) == 118
        assert watcher.counted == 105
    assert sketch.sizes == [64, 36, 3, 3, 3, 3, 2, 4]


class Flaw:
    """A sketcher, a detector and a listener that fail when they meet a planted input."""

    def __init__(self) -> None:
        self.sketch = Sketch()

    def features(self, observations: Sequence[Observation]) -> list[Features]:
        if any("poison" in each.inputs for each in observations):
            raise RuntimeError("planted")
        return self.sketch.features(observations)


class Bad(Cells):
    name = "bad"

    def __init__(self, where: str) -> None:
        self._where = where

    def count(self, counters: Any, features: Features, weight: float) -> None:
        if self._where == "count" and features.queries == 7:
            raise RuntimeError("planted")

    def evidence(self, counters: Counters) -> Nats:
        if self._where == "evidence":
            raise RuntimeError("planted")
        return np.zeros(counters.shape[:-1])


async def test_one_that_cannot_be_read_is_counted_without_its_inputs_and_no_other_with_it() -> None:
    async with watching(Flaw()) as watcher:
        for number in range(3):
            watcher.notice(asked(number))
        watcher.notice(asked("poison", "poison"))
        watcher.notice(asked(*range(10, 13)))
        await watcher.idle()
        assert counted(watcher) == 3 + 2 + 3
        assert watcher.faults == 2, "the batch, and the one"
        watcher.notice(asked("poison"))
        await watcher.idle()
        assert (counted(watcher), watcher.faults) == (9, 3)


async def test_features_that_are_not_of_each_are_those_of_none() -> None:
    class Short(Sketch):
        def features(self, observations: Sequence[Observation]) -> list[Features]:
            return super().features(observations)[1:]

    async with watching(Short()) as watcher:
        for number in range(3):
            watcher.notice(asked(number))
        await watcher.idle()
        assert (counted(watcher), watcher.counted) == (3, 3)
        assert watcher.faults > 0


@pytest.mark.parametrize("where", ["count", "evidence"])
async def test_a_detector_that_fails_costs_an_exchange_and_nothing_else(where: str) -> None:
    bad = Layout((Volume(), Bad(where), Cells()))
    kept = Profiles(bad, Decay(100.0), 10, draws=np.random.default_rng(1))
    async with watching(of=bad, kept=kept) as watcher:
        watcher.notice(asked(*range(7)))
        watcher.notice(asked(*range(10, 13)))
        await watcher.idle()
        assert watcher.faults >= 1
        assert watcher.profiles.first("acme") == NOW
        watcher.notice(asked(99))
        await watcher.idle()
        found = watcher.profiles.read("acme", NOW)
        assert found is not None
        assert found.counters[0] >= 4


async def test_whatever_fails_inside_it_goes_on(monkeypatch: pytest.MonkeyPatch) -> None:
    async with watching() as watcher:

        def broken(_: Observation) -> int:
            raise RuntimeError("planted")

        monkeypatch.setattr(module, "units", broken)
        watcher.notice(asked(1))
        await watcher.idle()
        assert watcher.faults == 1
        monkeypatch.undo()
        watcher.notice(asked(2))
        await watcher.idle()
        assert counted(watcher) == 1


async def test_what_fails_in_a_sweep_is_counted(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "SWEEP", 0.001)
    async with watching() as watcher:
        watcher.notice(asked(*range(20)))
        await watcher.idle()

        def broken(*_: object) -> None:
            raise RuntimeError("planted")

        monkeypatch.setattr(watcher.judge, "again", broken)
        await until(lambda: watcher.faults > 1)


async def test_what_one_stands_on_ends_by_itself(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "SWEEP", 0.001)
    async with watching() as watcher:
        told = Told()
        watcher.judge.listeners.append(told)
        watcher.notice(asked(*range(20)))
        await watcher.idle()
        watcher._wall.now = NOW + 61  # type: ignore[attr-defined]
        await until(lambda: watcher.case("acme", "").step == -1)
        assert [each.after for each in told.findings] == ["deny", ""]


async def test_a_listener_that_fails_stops_nothing() -> None:
    class Broken:
        def found(self, finding: Finding) -> None:
            raise RuntimeError("planted")

    async with watching() as watcher:
        watcher.judge.listeners.append(Broken())
        watcher.notice(asked(*range(20)))
        await watcher.idle()
        assert (watcher.judge.faults, watcher.case("acme", "").step) == (1, 0)


async def test_nothing_that_cannot_be_noticed_raises() -> None:
    async with watching() as watcher:
        watcher.ended(None, None)  # type: ignore[arg-type]
        watcher.denied(None, NOW, Origin)  # type: ignore[arg-type]
        assert watcher.faults == 2


async def test_others_have_their_turn_while_much_is_counted() -> None:
    async with watching() as watcher:
        for number in range(400):
            watcher.notice(asked(*range(64 * number, 64 * number + 64), tenant=f"{number % 50}"))
        loop, latest = asyncio.get_running_loop(), 0.0
        turns, began = 0, loop.time()
        while len(watcher.inbox):
            before = time.thread_time()
            await asyncio.sleep(0)
            latest, turns = max(latest, time.thread_time() - before), turns + 1
        assert turns > 10
        assert latest < 0.005 + 0.002, "processor time between two turns of another"
        assert loop.time() - began > 0


async def test_what_finds_no_place_counts_by_its_volume() -> None:
    watcher = made()
    watcher.inbox = Inbox(places=300)
    for number in range(500):
        watcher.notice(asked(number, number + 1))
    assert watcher.inbox.unseen == 200
    await watcher.start()
    try:
        await watcher.idle()
    finally:
        await watcher.close()
    found = watcher.profiles.read("acme", NOW)
    assert found is not None
    assert found.queries == 1_000


async def test_an_exchange_through_the_sidecar_is_noticed_when_it_is_over(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    of = table(
        replace(policy(limits=(rate("burst", "principal", 1, 10),)), watched=True),
        tenants={principal(KEY): "acme"},
    )
    seen: list[Observation] = []

    class Kept(Sketch):
        def features(self, observations: Sequence[Observation]) -> list[Features]:
            seen.extend(observations)
            return super().features([replace_inputs(each) for each in observations])

    async with watching(Kept()) as watcher, running(Path("s"), of, watcher=watcher) as (_, envoy):
        admitted = await envoy.check(asking())
        assert admitted.status.code == 0
        assert (await envoy.check(asking())).status.code != 0
        stream = await envoy.stream(replace(ADMITTED, principal=principal(KEY))).send(
            RequestHeaders(end=False), RequestBody(ASK, end=True)
        )
        await stream.receive()
        await stream.send(headers(), ResponseBody(ANSWER, end=True))
        await stream.receive()
        await stream.end()
        await until(lambda: len(seen) == 2)
    assert [each.outcome for each in seen] == ["limited", "served"]
    message = ProcessingRequest()
    message.metadata_context.filter_metadata[AUTHZ].CopyFrom(admitted.dynamic_metadata)
    handed = handover(message)
    assert handed is not None
    assert seen[0].client == handed.client != ""
    assert {each.principal for each in seen} == {principal(KEY)}
    assert orjson.loads(ASK)["messages"] == seen[1].inputs[0]
    assert seen[1].queries == 1


def replace_inputs(observation: Observation) -> Observation:
    return structs.replace(observation, inputs=tuple(range(len(observation.inputs))))


def test_a_denial_of_nobody_is_not_noticed() -> None:
    watcher = made()
    watcher.denied(Denied(UNAUTHENTICATED), NOW, Origin)
    assert (len(watcher.inbox), watcher.faults) == (0, 0)


async def test_what_was_learned_of_each_exchange_is_told_and_a_listener_that_fails_is_counted() -> (
    None
):
    async with watching() as watcher:
        learned = list[tuple[str, int]]()
        watcher.learned = lambda noted, found: learned.append((noted.request, found.sampled))
        watcher.notice(asked(1, 2, request="a"))
        watcher.notice(asked(request="b", outcome="limited"))
        await watcher.idle()
        assert learned == [("a", 2), ("b", 0)]
        watcher.learned = broken
        watcher.notice(asked(3))
        await watcher.idle()
        assert watcher.faults == 1
        assert counted(watcher) == 3


def broken(_: Observation, __: Features) -> None:
    raise KeyError("a secret")
