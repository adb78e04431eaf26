"""What an operator sees and does, on a real store, and what is recorded of it."""

import asyncio
import io
from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import orjson
import pytest

from extproc.accounts.messages import (
    Acting,
    Answer,
    Ask,
    Done,
    Failed,
    Freeze,
    Grant,
    Page,
    Reset,
    Show,
    Shown,
    Tenants,
    Thaw,
)
from extproc.accounts.rows import Row
from extproc.audit import Pseudonyms
from extproc.errors import StoreUnavailable
from extproc.limits import (
    SECOND,
    Account,
    Calendar,
    Charge,
    Concurrency,
    Limit,
    Periods,
    Rate,
    Refused,
    Rule,
    Sliding,
    Taken,
    microseconds,
)
from extproc.policy import PolicyTable
from extproc.server import acts
from extproc.server.act_records import Peer
from extproc.server.acts import Acts
from extproc.server.audit_log import AuditLog
from extproc.server.audited import Auditor
from extproc.server.record import Records
from extproc.server.tables import Tables
from extproc.server.telemetry import Telemetry
from extproc.stores.memory import MemoryCounters
from tests.audit.logs import record
from tests.playbook import policy, table
from tests.server.journals import plan, report, said

NOON = datetime(2026, 6, 1, 12, tzinfo=UTC)
PEER = Peer(uid=1000, pid=77, who="ops")
NAMES = Pseudonyms(b"s" * 32)
PERSON = "jwt:https://issuer.example|alice"

DAILY = Limit(Calendar("daily/day", 50_000, Periods("day")), "credits", ("tenant",), budget=True)
WEEK = Limit(Sliding("week/8h", 1000, 8 * 3600 * SECOND), "tokens", ("principal",), budget=True)
BURST = Limit(Rate("burst/1m", 60, 60 * SECOND), "requests", ("principal", "model"))
FLIGHT = Limit(Concurrency("flight", 4), "concurrent", ("tenant",))
RING = Limit(Calendar("ring/month", 10, Periods("month")), "queries", ("cohort",), budget=True)
ALL = Limit(Rate("all/1s", 100, SECOND), "requests", ("route",), shared=True)


def made(*tenants: str) -> PolicyTable:
    found = [
        policy(tenant=tenant, limits=(BURST, ALL), reserved=(DAILY, WEEK, FLIGHT, RING))
        for tenant in tenants
    ]
    return table(*found)


class Operator:
    def __init__(self, of: PolicyTable, auditor: Auditor | None = None) -> None:
        self.now = NOON.timestamp()
        self.store = MemoryCounters(clock=lambda: microseconds(self.now))
        self.log, self.telemetry, self.tables = io.BytesIO(), Telemetry(), Tables(of)
        self.records = Records(self.log)
        self.acts = Acts(
            self.tables, self.store, self.telemetry, self.records, auditor, lambda: self.now
        )

    async def ask(self, ask: Ask) -> Answer:
        return await self.acts.answer(ask, PEER)

    async def done(self, ask: Acting) -> Done:
        answer = await self.ask(ask)
        assert isinstance(answer, Done), answer
        return answer

    async def failed(self, ask: Ask, kind: str = "unknown") -> str:
        answer = await self.ask(ask)
        assert isinstance(answer, Failed), answer
        assert answer.kind == kind
        return answer.message

    async def rows(self, whom: str, most: int = 50) -> Sequence[Row]:
        answer = await self.ask(Show(whom, most))
        assert isinstance(answer, Shown)
        return answer.holder.counters

    async def spend(self, limit: Limit, group: str, amount: int, subject: str = "") -> object:
        charge = Charge(limit.rule, group, subject, amount, unit=limit.unit)
        return await self.store.take([charge], final=True)

    def recorded(self) -> list[dict[str, Any]]:
        self.records.close()
        return [orjson.loads(line) for line in self.log.getvalue().splitlines()]

    def count(self, act: str, outcome: str = "done") -> float:
        labels = {"act": act, "outcome": outcome}
        return self.telemetry.registry.get_sample_value("extproc_acts_total", labels) or 0.0


@pytest.fixture
def operator() -> Iterator[Operator]:
    found = Operator(made("acme", "beta"))
    yield found
    found.records.close()


# What there is.


async def test_a_tenants_counters_are_told_the_most_used_first(operator: Operator) -> None:
    await operator.spend(DAILY, "acme", 30_000)
    for spent, subject in ((100, "key:a"), (900, "key:b"), (500, "key:c")):
        await operator.spend(WEEK, "acme", spent, subject)
    found = await operator.rows("acme")
    assert [(row.limit, row.subject, row.spent, row.used) for row in found] == [
        ("week", "key:b", 900, 0.9),
        ("daily", "", 30.0, 0.6),
        ("week", "key:c", 500, 0.5),
        ("week", "key:a", 100, 0.1),
        ("burst", "", 0, 0.0),
        ("flight", "", 0, 0.0),
    ]
    assert found[1].forecast == "ends"
    assert found[1].exhausted == datetime(2026, 6, 1, 20, tzinfo=UTC)
    assert found[1].resets == datetime(2026, 6, 2, tzinfo=UTC)


async def test_a_window_is_forecast_by_when_it_began_to_be_spent(operator: Operator) -> None:
    await operator.spend(WEEK, "acme", 300, "key:a")
    operator.now += 2 * 3600
    await operator.spend(WEEK, "acme", 300, "key:a")
    week = (await operator.rows("acme"))[0]
    assert week.forecast == "ends"
    assert week.exhausted == datetime(2026, 6, 1, 15, 20, tzinfo=UTC)  # 300 an hour


async def test_no_more_are_told_than_asked_for(operator: Operator) -> None:
    for number in range(9):
        await operator.spend(WEEK, "acme", 10 + number, f"key:{number}")
    answer = await operator.ask(Show("acme", 4))
    assert isinstance(answer, Shown)
    assert [row.subject for row in answer.holder.counters] == ["key:8", "key:7", "key:6", "key:5"]
    assert answer.holder.more == 5
    assert answer.holder.elsewhere == {"cohort:acme": ["ring"], "shared:": ["all"]}


async def test_what_is_shared_is_told_by_itself(operator: Operator) -> None:
    await operator.spend(ALL, "", 50, "POST /v1/chat/completions")
    await operator.spend(RING, "cohort:beta", 7)
    assert [row.spent for row in await operator.rows("shared:")] == [50]
    assert [row.spent for row in await operator.rows("cohort:beta")] == [7]
    assert [row.spent for row in await operator.rows("cohort:acme")] == [0]
    assert await operator.failed(Show("cohort:beat")) == (
        "there is no 'cohort:beat'; did you mean 'cohort:beta'?"
    )


async def test_all_tenants_are_listed_in_pages_with_a_few_counters_each() -> None:
    names = [f"t{number:03}" for number in range(acts.PAGE)]
    operator = Operator(made(*names))
    for number in range(5):
        await operator.spend(WEEK, "t007", 10 + number, f"key:{number}")
    await operator.done(Freeze("t008"))
    pages, after = list[Page](), ""
    while not pages or after:
        page = await operator.ask(Tenants(after))
        assert isinstance(page, Page)
        assert len(page.holders) <= acts.PAGE
        pages.append(page)
        after = page.after
    holders = [holder for page in pages for holder in page.holders]
    expected = [*names, *(f"cohort:{name}" for name in names), "shared:"]
    assert [holder.whom for holder in holders] == expected
    assert [len(holder.counters) for holder in holders if holder.counters] == [acts.USED]
    assert [holder.whom for holder in holders if holder.frozen] == ["t008"]
    assert holders[7].more == 2
    operator.records.close()


async def test_another_policy_is_looked_at_anew(operator: Operator) -> None:
    assert await operator.failed(Show("gamma"))
    operator.tables.swap(replace(made("gamma"), version="v2"))
    assert {row.limit for row in await operator.rows("gamma")} == {
        "burst",
        "daily",
        "week",
        "flight",
    }
    assert "no tenant 'acme'; there are: gamma" in await operator.failed(Show("acme"))


async def test_whoever_asks_again_goes_on_where_another_gave_up(
    operator: Operator, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(acts, "TURN", 1)
    asked = asyncio.ensure_future(operator.ask(Tenants()))
    await asyncio.sleep(0)
    asked.cancel()
    await asyncio.gather(asked, return_exceptions=True)
    found = [await operator.ask(Tenants()) for _ in range(2)]
    assert found[0] == found[1]
    assert isinstance(found[0], Page)
    assert [holder.whom for holder in found[0].holders][:2] == ["acme", "beta"]


# What is done.


async def test_a_grant_gives_so_much_and_may_be_more_than_was_spent(operator: Operator) -> None:
    await operator.spend(DAILY, "acme", 50_000)
    assert isinstance(await operator.spend(DAILY, "acme", 1), Refused)
    done = await operator.done(Grant("acme", "daily", 10.5))
    assert (done.amount, done.unit, done.counters, done.audited) == (10.5, "credits", 1, False)
    assert done.now is not None
    assert (done.now.spent, done.now.left) == (39.5, 10.5)
    assert isinstance(await operator.spend(DAILY, "acme", 10_500), Taken)
    assert isinstance(await operator.spend(DAILY, "acme", 1), Refused)
    more = await operator.done(Grant("beta", "daily", 7))
    assert more.now is not None
    assert (more.now.spent, more.now.left) == (-7.0, 57.0)


async def test_a_reset_gives_back_what_one_has_spent_and_nobody_else(operator: Operator) -> None:
    for subject in ("key:aa", "key:ab"):
        await operator.spend(WEEK, "acme", 1000, subject)
        await operator.spend(WEEK, "beta", 1000, subject)
    done = await operator.done(Reset("acme", "week", "key:aa"))
    assert (done.subject, done.amount, done.counters) == ("key:aa", None, 1)
    assert done.now is not None
    assert done.now.spent == 0
    spent = {
        (whom, row.subject): row.spent
        for whom in ("acme", "beta")
        for row in await operator.rows(whom)
        if row.limit == "week"
    }
    assert spent == {("acme", "key:ab"): 1000, ("beta", "key:aa"): 1000, ("beta", "key:ab"): 1000}


async def test_a_reset_of_all_is_of_every_counter_of_one_limit(
    operator: Operator, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(acts, "SOUGHT", 60)
    for number in range(200):
        await operator.spend(WEEK, "acme", 500, f"key:{number}")
    await operator.spend(DAILY, "acme", 500)
    done = await operator.done(Reset("acme", "week", all=True))
    assert (done.counters, done.now) == (200, None)
    assert {row.limit: row.spent for row in await operator.rows("acme")} == {
        "daily": 0.5,
        "week": 0,
        "burst": 0,
        "flight": 0,
    }


async def test_a_reset_of_counters_that_never_end_does(
    operator: Operator, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(acts, "SOUGHT", 2)
    monkeypatch.setattr(acts, "_PASSES", 3)
    for number in range(9):
        await operator.spend(WEEK, "acme", 500, f"key:{number}")
    assert (await operator.done(Reset("acme", "week", all=True))).counters == 6


async def test_a_tenant_is_stopped_at_once_and_let_in_again(operator: Operator) -> None:
    await operator.done(Freeze("acme"))
    found = await operator.spend(DAILY, "acme", 1)
    assert found == Refused((), frozen=True)
    assert isinstance(await operator.spend(DAILY, "beta", 1), Taken)
    answer = await operator.ask(Show("acme"))
    assert isinstance(answer, Shown)
    assert answer.holder.frozen
    await operator.done(Thaw("acme"))
    assert isinstance(await operator.spend(DAILY, "acme", 1), Taken)


async def test_whoever_is_no_tenant_any_more_can_still_be_let_in(operator: Operator) -> None:
    await operator.done(Freeze("acme"))
    operator.tables.swap(replace(made("beta"), version="v2"))
    await operator.failed(Freeze("acme"))
    await operator.done(Thaw("acme"))
    assert isinstance(await operator.spend(DAILY, "acme", 1), Taken)


@pytest.mark.parametrize(
    ("ask", "message"),
    [
        (Freeze("acm"), "there is no tenant 'acm'; did you mean 'acme'?"),
        (Freeze("cohort:acme"), "only a tenant can be stopped, and 'cohort:acme' is none"),
        (Thaw("shared:"), "only a tenant can be stopped, and 'shared:' is none"),
        (Grant("acm", "daily", 1), "there is no tenant 'acm'; did you mean 'acme'?"),
        (Grant("acme", "dayly", 1), "acme counts against no limit 'dayly' of its own; did "),
        (Grant("acme", "all", 1), "acme counts against no limit 'all' of its own; there are: "),
        (Grant("acme", "week", 1), "week has a counter for each principal; name one with "),
        (Grant("acme", "week", 1.5, "key:a"), "week counts whole tokens; write a whole number"),
        (Grant("acme", "flight", 1), "flight counts what is under way, which comes back by"),
        (Reset("acme", "flight"), "flight counts what is under way, which comes back by itself"),
        (Reset("acme", "week", "key:a", all=True), "name a subject or all of them, not both"),
        (Reset("acme", "daily", "x"), "daily has one counter; name no subject"),
    ],
)
async def test_what_cannot_be_done_is_told_and_leaves_no_trace(
    operator: Operator, ask: Acting, message: str
) -> None:
    assert (await operator.failed(ask)).startswith(message)
    assert operator.recorded() == []


# What is recorded.


async def test_every_act_is_told_in_the_log_without_naming_anybody(operator: Operator) -> None:
    await operator.spend(WEEK, "acme", 10, PERSON)
    await operator.spend(BURST, "acme", 10, f"{PERSON}|m")
    await operator.spend(ALL, "", 10, "POST /v1/x")
    await operator.done(Grant("acme", "week", 3, PERSON))
    await operator.done(Reset("acme", "burst", PERSON))
    await operator.done(Reset("shared:", "all", "POST"))
    await operator.done(Freeze("acme"))
    await operator.done(Thaw("acme"))
    await operator.rows("acme")
    names = Pseudonyms(operator.tables.now.table.key)
    told = operator.recorded()
    assert [line["act"] for line in told] == ["grant", "reset", "reset", "freeze", "thaw"]
    assert "alice" not in str(told)
    assert {(line["uid"], line["pid"], line["who"]) for line in told} == {(1000, 77, "ops")}
    assert {line["policy"] for line in told} == {"v1"}
    assert [line["subject"] for line in told[:3]] == [
        names.principal(PERSON),
        names.subject(f"{PERSON}|m", ("principal", "model")),
        "POST /v1/x",
    ]
    assert [(line["budget"], line["amount"], line["unit"]) for line in told[:2]] == [
        ("week", 3, "tokens"),
        ("burst", None, "requests"),
    ]
    assert operator.count("reset") == 2


class Audited:
    def __init__(self, folder: Path, **more: Any) -> None:
        self.folder = folder
        self.log = AuditLog(plan(folder, **more), pause=60.0)
        of = replace(made("acme"), pseudonyms=NAMES)
        self.operator = Operator(of, Auditor(self.log))

    def acts(self) -> list[dict[str, Any]]:
        """What stands in the log in the end."""
        self.log.close()
        assert report(self.folder).whole
        return [line for line in said(self.folder) if line["kind"] == "act"]


@pytest.fixture
def audited(tmp_path: Path) -> Iterator[Audited]:
    found = Audited(tmp_path)
    yield found
    found.log.close()
    found.operator.records.close()


async def test_the_audit_log_has_every_act(audited: Audited) -> None:
    operator = audited.operator
    await operator.spend(WEEK, "acme", 10, PERSON)
    done = await operator.done(Grant("acme", "week", 3, PERSON))
    assert done.audited
    await operator.done(Freeze("acme"))
    granted, frozen = audited.acts()
    assert granted.pop("hash")
    assert granted == {
        "n": 3,
        "kind": "act",
        "time": "2026-06-01T12:00:00Z",
        "act": "grant",
        "uid": 1000,
        "pid": 77,
        "who": "ops",
        "tenant": "acme",
        "budget": "week",
        "subject": NAMES.principal(PERSON),
        "epoch": NAMES.epoch,
        "amount": 3,
        "unit": "tokens",
        "counters": 1,
        "policy": "v1",
        "outcome": "done",
    }
    assert (frozen["act"], frozen["tenant"], frozen["budget"]) == ("freeze", "acme", "")


async def test_what_could_not_be_recorded_is_not_done(tmp_path: Path) -> None:
    audited = Audited(tmp_path, queue=1)
    audited.log.add(record())
    message = await audited.operator.failed(Freeze("acme"), "refused")
    assert message.startswith("the audit log cannot be written")
    assert isinstance(await audited.operator.spend(DAILY, "acme", 1), Taken)
    assert isinstance(await audited.operator.ask(Show("acme")), Shown)
    assert audited.acts() == []
    assert audited.operator.recorded() == []


async def test_where_records_may_be_dropped_it_is_done_and_told_in_the_log(tmp_path: Path) -> None:
    audited = Audited(tmp_path, queue=1, refuse=False)
    audited.log.add(record())
    await audited.operator.done(Freeze("acme"))
    assert [line["act"] for line in audited.operator.recorded()] == ["freeze"]
    audited.log.close()
    assert [(gap.reason, gap.count) for gap in report(tmp_path).gaps] == [("queue", 1)]


# A store that does not answer.


class Down(MemoryCounters):
    """It fails from the call of this number on."""

    calls = 0

    def _fail(self) -> None:
        self.calls -= 1
        if self.calls < 0:
            raise StoreUnavailable("down")

    async def read(self, group: str, rules: Sequence[Rule[Any]], *, most: int) -> Account:
        self._fail()
        return await super().read(group, rules, most=most)

    async def grant(
        self, group: str, rule: Rule[Any], subject: str, amount: int | None = None
    ) -> None:
        self._fail()
        await super().grant(group, rule, subject, amount)

    async def freeze(self, group: str, *, frozen: bool) -> None:
        self._fail()
        await super().freeze(group, frozen=frozen)


def on(operator: Operator, store: Down, calls: int) -> None:
    store.calls = calls
    operator.acts._accounts = operator.store = store


async def test_a_store_that_is_down_is_told_and_nothing_was_done(operator: Operator) -> None:
    on(operator, Down(), 0)
    for ask in (Show("acme"), Tenants(), Grant("acme", "daily", 1)):
        assert await operator.failed(ask, "unavailable") == (
            "the store of counters does not answer"
        )
    assert operator.recorded() == []


@pytest.mark.parametrize(
    ("ask", "calls"), [(Grant("acme", "daily", 1), 1), (Freeze("acme"), 0), (Thaw("acme"), 0)]
)
async def test_an_act_whose_outcome_is_unknown_is_recorded_as_that(
    operator: Operator, ask: Acting, calls: int
) -> None:
    on(operator, Down(), calls)
    assert (await operator.failed(ask, "unavailable")).endswith("whether it was done is not known")
    [told] = operator.recorded()
    assert told["outcome"] == "unknown"
    assert operator.count(told["act"], "unknown") == 1


async def test_what_was_done_stays_done_though_it_cannot_be_read_afterwards(
    operator: Operator,
) -> None:
    on(operator, Down(), 2)
    done = await operator.done(Grant("acme", "daily", 1))
    assert (done.counters, done.now) == (1, None)


class Stuck(MemoryCounters):
    async def read(self, group: str, rules: Sequence[Rule[Any]], *, most: int) -> Account:
        await asyncio.Event().wait()
        raise AssertionError

    async def freeze(self, group: str, *, frozen: bool) -> None:
        await asyncio.Event().wait()


async def test_nobody_waits_for_ever_and_what_was_begun_is_recorded(
    operator: Operator, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(acts, "PATIENCE", 0.05)
    operator.acts._accounts = Stuck()
    assert await operator.failed(Show("acme"), "unavailable")
    assert (await operator.failed(Freeze("acme"), "unavailable")).endswith("is not known")
    assert [line["outcome"] for line in operator.recorded()] == ["unknown"]
