"""A real watcher, as an operator's acts ask it."""

import pytest

from extproc.server.detection.book import Book
from extproc.server.detection.watcher import Watcher
from tests.server.detection.rig import DAY, NOW, asked
from tests.server.detection.test_judge import Company
from tests.server.detection.test_watcher import watching
from tests.server.wire import Clock


def book(watcher: Watcher) -> tuple[Book, Clock]:
    clock = watcher._wall
    assert isinstance(clock, Clock)
    return Book(watcher, clock), clock


async def told(watcher: Watcher, *inputs: int, **given: str) -> None:
    watcher.notice(asked(*inputs, **given))
    await watcher.idle()


async def test_a_suspect_is_told_with_its_step_its_evidence_and_what_was_counted() -> None:
    async with watching() as watcher:
        found, _ = book(watcher)
        await told(watcher, *range(12))
        [one] = found.page("", 10)
        assert one == found.one("acme")
        assert (one.subject, one.tenant, one.principal) == ("acme", "acme", "")
        assert (one.traffic, one.step, one.shadow) == ("user", "deny", False)
        assert one.until > NOW
        assert one.evidence["coverage"] == pytest.approx(12)
        assert one.counts["queries"] == 12
        assert found.page("acme", 10) == []


async def test_of_one_that_is_no_suspect_it_is_told_what_was_counted() -> None:
    async with watching() as watcher:
        found, _ = book(watcher)
        await told(watcher, 1)
        watcher.judge.cases._suspects.clear()
        one = found.one("acme")
        assert one is not None
        assert (one.tenant, one.step, one.suspicion) == ("acme", "", 0.0)
        assert one.counts["queries"] == 1
        assert found.one("beta") is None


async def test_whoever_is_trusted_stands_on_nothing_until_that_ends() -> None:
    async with watching() as watcher:
        found, clock = book(watcher)
        await found.override("acme", "trust", NOW + DAY)
        await told(watcher, *range(9))
        one = found.one("acme")
        assert one is not None
        assert (one.word, one.word_until, one.step) == ("trusted", NOW + DAY, "")
        clock.now += DAY
        assert watcher.case("acme", "key:1").override == ""
        one = found.one("acme")
        assert one is not None
        assert (one.word, one.word_until) == ("", 0.0)


async def test_whoever_is_frozen_is_until_it_is_forgiven() -> None:
    async with watching() as watcher:
        found, clock = book(watcher)
        await told(watcher, *range(9))
        await found.override("acme", "freeze", 0.0)
        clock.now += 100 * DAY
        assert watcher.case("acme", "key:1").override == "frozen"
        await found.override("acme", "forgive", 0.0)
        case = watcher.case("acme", "key:1")
        assert (case.override, case.step, case.suspicion) == ("", -1, 0.0)


async def test_a_principal_belongs_to_its_tenant_before_it_asked_for_anything() -> None:
    async with watching(per="principal") as watcher:
        found, _ = book(watcher)
        await found.override("acme|key:9", "freeze", 0.0)
        await found.override("cohort:block", "forgive", 0.0)
        tenants = [(one.subject, one.tenant) for one in found.page("", 10)]
        assert tenants == [("acme|key:9", "acme"), ("cohort:block", "")]


async def test_the_cohorts_that_somebody_is_in_are_named() -> None:
    async with watching() as watcher:
        found, _ = book(watcher)
        watcher.judge.linker = company = Company(0.0)
        company.judged.members["acme"] = "cohort:1"
        await told(watcher, 1)
        one = found.one("acme")
        assert one is not None
        assert one.cohorts == ("cohort:1",)
