"""What an operator asks about budgets and suspects, and does about them, on a sidecar that runs.

Rule: whatever changes something is recorded, with whose process asked for it, also where its
outcome is unknown; and where it could not be recorded it is not done.
"""

import asyncio
import time
from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime
from typing import Final

from extproc.accounts import directory, rows
from extproc.accounts.directory import Directory, Limits
from extproc.accounts.messages import (
    MOST,
    Acting,
    ActName,
    Answer,
    Ask,
    Done,
    Failed,
    Freeze,
    Grant,
    Holder,
    Page,
    Reset,
    Show,
    Shown,
    Tenants,
    Thaw,
)
from extproc.accounts.rows import Row
from extproc.accounts.suspects import Override, ShowSuspect, Suspects
from extproc.audit import Act, Pseudonyms
from extproc.audit.record import ActOutcome
from extproc.errors import OperatorError, StoreUnavailable
from extproc.limits import PRIVATE, SECOND, Account, Accounts, Limit, Standing, told
from extproc.policy import PolicyTable
from extproc.server.act_records import FULL, ActRecords, Peer
from extproc.server.audited import Auditor
from extproc.server.detection.suspects import SuspectActs
from extproc.server.record import Records
from extproc.server.tables import Tables
from extproc.server.telemetry import Telemetry

PATIENCE: Final = 30.0
"""Seconds that one answer may take."""
PAGE: Final = 50
"""Tenants of one answer."""
USED: Final = 3
"""Of a tenant, counters in a list of all tenants."""
SOUGHT: Final = 1000
"""Counters, the most used, among which the one is looked for that is meant."""
TURN: Final = 50
"""Tenants that are looked at, or counters that are reset, in one turn of the event loop."""
_PASSES: Final = 200

_UNWATCHED: Final = "nobody is watched here; add detection to the policy file"
_SLOW: Final = "the store of counters does not answer"
_UNKNOWN: Final = f"{_SLOW}; whether it was done is not known"


class Acts:
    def __init__(
        self,
        tables: Tables,
        accounts: Accounts,
        telemetry: Telemetry,
        records: Records,
        auditor: Auditor | None,
        wall: Callable[[], float] = time.time,  # noqa: TID251 - a clock that is taken
    ) -> None:
        self._tables, self._accounts, self._wall = tables, accounts, wall
        self.suspects: SuspectActs | None = None
        """Who answers about suspects; None where nobody watches."""
        self._records = ActRecords(telemetry, records, auditor)
        self._known: tuple[str, Directory, Iterator[None]] | None = None
        """The version of its table, and what is still to be looked at for it."""

    async def answer(self, ask: Ask, peer: Peer) -> Answer:
        try:
            with self._tables.now as in_force:
                async with asyncio.timeout(PATIENCE):
                    return await self._answer(ask, peer, in_force.table)
        except OperatorError as error:
            return Failed("unknown", str(error))
        except StoreUnavailable:
            return Failed("unavailable", _SLOW)
        except TimeoutError:
            asked = isinstance(ask, Tenants | Show | Suspects | ShowSuspect)
            return Failed("unavailable", _SLOW if asked else _UNKNOWN)

    async def _answer(self, ask: Ask, peer: Peer, table: PolicyTable) -> Answer:
        match ask:
            case Tenants(after, private):
                return await self._page(after, table, private=private)
            case Show(whom, most):
                holder = await self._holder(whom, await self._limits(whom, table), most, table)
                if self.suspects is not None:
                    [holder] = await self.suspects.beside([holder])
                return Shown(holder)
            case Grant() | Reset() | Freeze() | Thaw():
                return await self._act(ask, peer, table)
            case Suspects() | ShowSuspect() | Override():
                if self.suspects is None:
                    raise OperatorError(_UNWATCHED)
                return await self.suspects.answer(ask, peer, table, self._records)

    # What there is.

    async def _page(self, after: str, table: PolicyTable, *, private: bool) -> Page:
        known = await self._surveyed(table)
        whoms = known.after(after, PAGE)
        holders = []
        for whom in whoms:
            limits = known.limits(whom)
            if private:
                holders.append(await self._promised(whom, limits))
            else:
                holders.append(await self._listed(whom, limits))
            await asyncio.sleep(0)
        if self.suspects is not None:
            holders = await self.suspects.beside(holders)
        return Page(tuple(holders), whoms[-1] if len(whoms) == PAGE else "")

    async def _listed(self, whom: str, limits: Limits) -> Holder:
        account = await self._read(whom, limits, USED)
        return Holder(whom, account.frozen, self._rows(limits, account), account.more)

    async def _promised(self, whom: str, limits: Limits) -> Holder:
        promised = {name: limit for name, limit in limits.items() if limit.unit in PRIVATE}
        if not promised:
            return Holder(whom, frozen=False, counters=())
        account = await self._read(whom, promised, MOST)
        return Holder(whom, account.frozen, self._rows(promised, account), account.more)

    async def _holder(self, whom: str, limits: Limits, most: int, table: PolicyTable) -> Holder:
        account = await self._read(whom, limits, most)
        found = self._rows(limits, account)
        if not account.more:
            seen = {row.limit for row in found}
            idle = [limit for limit in limits.values() if limit.name not in seen]
            found += tuple(rows.unused(limit, self._now()) for limit in idle[: most - len(found)])
        besides = directory.elsewhere(table, whom) if ":" not in whom else {}
        return Holder(whom, account.frozen, found, account.more, besides)

    async def _read(self, whom: str, limits: Limits, most: int) -> Account:
        rules = [limit.rule for limit in limits.values()]
        return await self._accounts.read(directory.group(whom), rules, most=most)

    def _rows(self, limits: Limits, account: Account) -> tuple[Row, ...]:
        by_rule = {limit.rule.name: limit for limit in limits.values()}
        now = self._now()
        found = [rows.row(by_rule[each.rule], each, now) for each in account.standings]
        return tuple(sorted(found, key=lambda row: -row.used))

    async def _limits(self, whom: str, table: PolicyTable) -> Limits:
        """Whatever is not a tenant's is known only when all have been looked at."""
        if directory.has(table, whom):
            return directory.of_tenant(table, whom)
        return (await self._surveyed(table)).limits(whom)

    async def _surveyed(self, table: PolicyTable) -> Directory:
        if self._known is None or self._known[0] != table.version:
            made = Directory()
            self._known = table.version, made, made.survey(table.policies)
        _, known, rest = self._known
        # Whoever asks next goes on where this one gave up.
        for number, _ in enumerate(rest):
            if not number % TURN:
                await asyncio.sleep(0)
        return known

    # What is done.

    async def _act(self, ask: Acting, peer: Peer, table: PolicyTable) -> Answer:
        limits = await self._limits_of_act(ask, table)
        doing = _Doing(ask, limits, self._accounts)
        await doing.prepare()
        if self._records.refusing:
            return Failed("refused", FULL)
        outcome: ActOutcome = "unknown"
        try:
            await doing.carry_out()
            outcome = "done"
        except StoreUnavailable:
            return Failed("unavailable", _UNKNOWN)
        finally:  # whatever ends it
            self._record(doing, peer, table, outcome)
        return await self._done(doing)

    async def _limits_of_act(self, ask: Acting, table: PolicyTable) -> Limits:
        if isinstance(ask, Thaw) and ":" not in ask.whom:
            return {}  # whoever was stopped, and is no tenant any more
        if isinstance(ask, Freeze | Thaw) and ":" in ask.whom:
            raise OperatorError(f"only a tenant can be stopped, and {ask.whom!r} is none")
        return await self._limits(ask.whom, table)

    async def _done(self, doing: "_Doing") -> Done:
        now = None
        if doing.limit is not None and not doing.all:
            now = await self._counter(doing.ask.whom, doing.limit, doing.subject)
        return Done(
            doing.name,
            doing.ask.whom,
            doing.limit.name if doing.limit is not None else "",
            doing.subject,
            doing.amount,
            doing.unit,
            doing.counters,
            now,
            audited=self._records.audited,
        )

    async def _counter(self, whom: str, limit: Limit, subject: str) -> Row | None:
        """As it stands now; None where that is not known, which undoes nothing."""
        try:
            account = await self._read(whom, {limit.name: limit}, SOUGHT)
        except StoreUnavailable:
            return None
        unused = Standing(limit.rule.name, subject, 0, limit.rule.max, 0)
        found = [each for each in account.standings if each.subject == subject]
        return rows.row(limit, found[0] if found else unused, self._now())

    def _record(self, doing: "_Doing", peer: Peer, table: PolicyTable, outcome: ActOutcome) -> None:
        names = table.pseudonyms or Pseudonyms(table.key)
        scopes = rows.apart(doing.limit) if doing.limit is not None else ()
        act = Act(
            time=datetime.fromtimestamp(self._wall(), UTC),
            act=doing.name,
            uid=peer.uid,
            pid=peer.pid,
            who=peer.who,
            tenant=doing.ask.whom,
            budget=doing.limit.name if doing.limit is not None else "",
            subject=names.subject(doing.subject, scopes),
            epoch=names.epoch,
            amount=doing.amount,
            unit=doing.unit,
            counters=doing.counters,
            policy=table.version,
            outcome=outcome,
        )
        self._records.add(act)

    def _now(self) -> int:
        return int(self._wall() * SECOND)


class _Doing:
    """One act: ``prepare`` finds what it is about, and changes nothing."""

    def __init__(self, ask: Acting, limits: Limits, accounts: Accounts) -> None:
        self.ask, self._limits, self._accounts = ask, limits, accounts
        self._group = directory.group(ask.whom)
        self.limit: Limit | None = None
        self.subject = ""
        self.counters = 0
        """How many it changed."""
        self._given: int | None = None

    @property
    def name(self) -> ActName:
        match self.ask:
            case Grant():
                return "grant"
            case Reset():
                return "reset"
            case Freeze():
                return "freeze"
            case Thaw():
                return "thaw"

    @property
    def all(self) -> bool:
        """Whether it is about every counter of a limit."""
        return isinstance(self.ask, Reset) and self.ask.all

    @property
    def unit(self) -> str:
        return self.limit.unit if self.limit is not None else ""

    @property
    def amount(self) -> float | None:
        return told(self.unit, self._given) if self._given is not None else None

    async def prepare(self) -> None:
        """Raise OperatorError where it cannot be."""
        ask = self.ask
        if isinstance(ask, Freeze | Thaw):
            return
        self.limit = directory.find(self._limits, ask.whom, ask.limit)
        if isinstance(ask, Grant):
            self._given = rows.counted(self.limit, ask.amount)
        rows.check_spent(self.limit)
        if self.all:
            if ask.subject:
                raise OperatorError("name a subject or all of them, not both")
            return
        account = await self._accounts.read(self._group, [self.limit.rule], most=SOUGHT)
        subjects = [each.subject for each in account.standings]
        more = bool(account.more)
        self.subject = directory.subject_of(self.limit, ask.subject, subjects, more=more)

    async def carry_out(self) -> None:
        match self.ask:
            case Freeze():
                await self._accounts.freeze(self._group, frozen=True)
            case Thaw():
                await self._accounts.freeze(self._group, frozen=False)
            case Reset(all=True):
                await self._reset_all()
            case Grant() | Reset():
                await self._grant(self.subject)

    async def _grant(self, subject: str) -> None:
        assert self.limit is not None
        await self._accounts.grant(self._group, self.limit.rule, subject, self._given)
        self.counters += 1

    async def _reset_all(self) -> None:
        """Those that are used again meanwhile may stay so."""
        assert self.limit is not None
        for _ in range(_PASSES):
            account = await self._accounts.read(self._group, [self.limit.rule], most=SOUGHT)
            for subject in _spent(account.standings):
                await self._grant(subject)
                if not self.counters % TURN:
                    await asyncio.sleep(0)
            if not account.more:
                return


def _spent(standings: Sequence[Standing]) -> Iterator[str]:
    return (each.subject for each in standings if each.spent > 0)
