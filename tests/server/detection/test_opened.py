"""Detection as the policy file asks for it, in a process and with what replicas share."""

import math
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path

import msgspec
import pytest

from extproc.config import Config, load
from extproc.detectors.calibration import Calibration
from extproc.errors import StoreUnavailable
from extproc.server.detection.book import Book
from extproc.server.detection.calibrated import calibrated
from extproc.server.detection.opened import OpenedWatcher, open_watcher, terms
from extproc.server.tables import Tables
from extproc.stores.redis import profiles as shared
from tests.detectors.questions import KEY, questions
from tests.playbook import policy, table
from tests.server.detection.rig import NOW, asked, ladder, records
from tests.server.detection.test_calibrated import FOREST, MADE, plan
from tests.stores.redis import rig

ROUTE = "POST /v1/chat/completions"
FILE = """\
version: 1
listen: "127.0.0.1:1"
health: "127.0.0.1:2"
store: {store}
keys: {{hmac: "file:hmac"}}
routes:
  - {{path: /v1/chat/completions, dialect: openai_chat}}
fidelities:
  standard: {{text: pass}}
policies:
  partner: {{models: ["*"], fidelity: standard}}
tenants:
  acme: {{policy: partner, principals: ["key:{key}"]}}
"""


def config(folder: Path, store: str) -> Config:
    (folder / "hmac").write_text("k" * 32)
    file = folder / "policy.yaml"
    file.write_text(FILE.format(store=store, key="0" * 64))
    return load(file)


def tables() -> Tables:
    watched = replace(policy(), watched=True, ladder=ladder((0.9, 3600.0, "deny"), hourly=4))
    return Tables(replace(table(watched), key=KEY, version="v7"))


@asynccontextmanager
async def opened(
    folder: Path, store: str, made: Calibration = MADE
) -> AsyncIterator[OpenedWatcher]:
    found = calibrated(replace(plan(made), by_principal=False, profiles=50), KEY)
    detection = open_watcher(
        config(folder, store), found, tables(), records(), environ={}, wall=lambda: NOW
    )
    await detection.start()
    try:
        yield detection
    finally:
        await detection.close()


async def ask(detection: OpenedWatcher, texts: Sequence[str]) -> None:
    for text in texts:
        detection.watcher.notice(asked(text, route=ROUTE))
    await detection.watcher.idle()


async def test_strange_questions_end_on_a_step_and_ordinary_ones_do_not(tmp_path: Path) -> None:
    async with opened(tmp_path, "{kind: memory}") as detection:
        await ask(detection, questions(40, 5))
        assert detection.watcher.case("acme", "key:1").step == -1
        await ask(detection, questions(60, 6, stranger=True))
        assert detection.watcher.case("acme", "key:1").step == 0
        assert detection.watcher.faults == 0
        assert detection.watcher.counted == 100
        assert detection.shared is None


async def test_a_forest_speaks_beside_the_detectors(tmp_path: Path) -> None:
    made = msgspec.structs.replace(MADE, forest=FOREST)
    async with opened(tmp_path, "{kind: memory}", made) as detection:
        await ask(detection, questions(40, 5))
        [suspect] = detection.watcher.suspects()
        assert [*suspect.evidence][-1] == "isolation"
        assert abs(suspect.evidence["isolation"]) < math.log(200)
        assert len(suspect.evidence) == 8
        assert detection.watcher.faults == 0


@pytest.mark.e2e
async def test_what_one_replica_has_seen_another_knows(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(shared, "EVERY", 0.05)
    with rig.servers() as (server,):
        store = f'{{kind: redis, url: "file:url", prefix: "{rig.prefix()}"}}'
        (tmp_path / "url").write_text(server.url)
        async with opened(tmp_path, store) as one, opened(tmp_path, store) as other:
            await ask(one, questions(60, 6, stranger=True))
            await rig.come(lambda: one.watcher.case("acme", "key:1").step == 0)
            await rig.come(lambda: other.watcher.case("acme", "key:1").step == 0)
            linker = other.watcher.judge.linker
            assert linker is not None
            assert linker.trace("acme").trails, "nor does it have to see where it came from"
            await ask(other, questions(2, 9, stranger=True))
            profile = other.watcher.profiles.read("acme", NOW)
            assert profile is not None
            assert profile.queries == 62
            assert one.watcher.faults == other.watcher.faults == 0
            assert one.watcher.began() == other.watcher.began() > NOW
            await Book(other.watcher, lambda: NOW).override("acme", "trust", 0.0)
            await rig.come(lambda: one.watcher.case("acme", "key:1").override == "trusted")


@pytest.mark.e2e
async def test_while_the_store_is_frozen_detection_goes_on_and_nobody_waits(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(shared, "EVERY", 0.05)
    monkeypatch.setattr(shared, "_WAIT", 0.2)
    with rig.servers() as (server,):
        store = f'{{kind: redis, url: "file:url", prefix: "{rig.prefix()}"}}'
        (tmp_path / "url").write_text(server.url)
        async with opened(tmp_path, store) as one, opened(tmp_path, store) as other:
            kept, elsewhere = one.shared, other.shared
            assert kept is not None
            assert elsewhere is not None
            await rig.come(lambda: bool(kept.began and elsewhere.began))
            server.freeze()
            await rig.come(lambda: kept.failures > 0)
            failed = kept.failures
            await ask(one, questions(60, 6, stranger=True))
            assert one.watcher.case("acme", "key:1").step == 0
            assert other.watcher.case("acme", "key:1").step == -1
            assert (one.watcher.counted, kept.behind) == (60, 1)
            await rig.come(lambda: kept.failures > failed)
            server.go_on()
            await rig.come(lambda: other.watcher.case("acme", "key:1").step == 0)
            trips = kept.trips
            await rig.come(lambda: kept.trips > trips + 2)
            for each in (one, other):
                profile = each.watcher.profiles.read("acme", NOW)
                assert profile is not None
                assert profile.queries == 60
                assert each.watcher.faults == 0


def test_terms_are_those_of_the_policy_in_force() -> None:
    find = terms(tables())
    found = find("acme", ROUTE)
    assert found is not None
    assert (found.policy, found.traffic, found.exempt) == ("v7", "user", False)
    assert [each.name for each in found.ladder.steps] == ["deny"]
    assert find("acme", "POST /other") is None


async def test_a_store_that_does_not_answer_has_an_operator_told_so(tmp_path: Path) -> None:
    store = f'{{kind: redis, url: "file:url", prefix: "{rig.prefix()}"}}'
    (tmp_path / "url").write_text(f"redis://127.0.0.1:{rig.free_port()}")
    async with opened(tmp_path, store) as detection:
        with pytest.raises(StoreUnavailable):
            await Book(detection.watcher, lambda: NOW).override("acme", "freeze", 0.0)
        assert detection.watcher.case("acme", "key:1").override == "frozen"
        assert detection.watcher.began() == NOW
