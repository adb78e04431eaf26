"""A trace of real requests, played against a policy on a virtual clock: everything but the wires.

The trace tells when requests came, how many tokens they had and how many were written.  What a
tokenizer would make of their texts is as long as usual; an answer takes as long as usual.
"""

import csv
import heapq
import itertools
import random
from collections.abc import Callable, Coroutine, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from math import ceil
from pathlib import Path
from typing import Any, Final, TypeVar

import orjson

from extproc.admission import Admitted, admit
from extproc.beginning import begin
from extproc.events import (
    CheckedRequest,
    ReplaceRequest,
    RequestBody,
    RequestHeaders,
    ResponseBody,
    ResponseHeaders,
    Work,
)
from extproc.limits import SECOND, Refused, Reserved, Taken
from extproc.policy import PolicyTable
from extproc.reservation import Asker
from extproc.reserved_exchange import ReservedExchange
from extproc.stores.memory import MemoryCounters

TRACE: Final = Path(__file__).parents[2].parent / "shared" / "data" / "azure_conv.csv"
OCTETS: Final = 4.3
"""Of a text, for each of its tokens."""
FIRST: Final = 0.3
"""Seconds until the first token is written."""
EACH: Final = 0.02
"""And for each that follows."""
CHAT: Final = "/v1/chat/completions"
_TEXT: Final = "word and word, "
_JSON: Final = {"content-type": "application/json"}

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Asked:
    """One request of the trace."""

    at: float
    """Seconds since it began."""
    tenant: str
    read: int
    written: int

    @property
    def tokens(self) -> int:
        return self.read + self.written

    @property
    def until(self) -> float:
        return self.at + FIRST + EACH * self.written

    def body(self, most: int) -> bytes:
        octets = int(self.read * OCTETS)
        text = (_TEXT * (octets // len(_TEXT) + 1))[:octets]
        messages = [{"role": "user", "content": text}]
        return orjson.dumps({"model": "m", "messages": messages, "max_tokens": most})

    def answer(self) -> bytes:
        message = {"role": "assistant", "content": "Yes."}
        usage = {
            "prompt_tokens": self.read,
            "completion_tokens": self.written,
            "total_tokens": self.tokens,
        }
        choice = {"index": 0, "message": message, "finish_reason": "stop"}
        return orjson.dumps({"id": "1", "model": "m", "choices": [choice], "usage": usage})


def trace(tenants: Sequence[str]) -> list[Asked]:
    """Whose each request is, is drawn: the first tenant asks most, as with any provider."""
    draw = random.Random(1)
    weights = [1 / (rank + 1) for rank in range(len(tenants))]
    with TRACE.open(encoding="utf-8") as file:
        rows = [*csv.DictReader(file)]
    begun = _moment(rows[0])
    return [
        Asked(
            _moment(row) - begun,
            draw.choices(tenants, weights)[0],
            int(row["ContextTokens"]),
            int(row["GeneratedTokens"]),
        )
        for row in rows
    ]


def _moment(row: dict[str, str]) -> float:
    return datetime.fromisoformat(row["TIMESTAMP"][:26]).timestamp()


@dataclass
class Replay:
    """The sidecar's decisions, one request after the other."""

    table: PolicyTable
    keys: dict[str, str]
    """By tenant."""
    most: Callable[[Asked], int] = lambda _: 1000
    """The ``max_tokens`` that a client asks for."""
    now: float = 0.0
    refused: list[tuple[Asked, str]] = field(default_factory=list)
    """With the name of the limit."""
    counters: MemoryCounters = field(init=False)

    def __post_init__(self) -> None:
        begun = 1_800_000_000
        self.counters = MemoryCounters(clock=lambda: int((begun + self.now) * SECOND))

    def run(self, requests: Sequence[Asked]) -> None:
        """Those that are let in end when their answers have been written."""
        numbers = itertools.count()
        ending: list[tuple[float, int, Asked, ReservedExchange]] = []
        for asked in requests:
            while ending and ending[0][0] <= asked.at:
                self._end(*heapq.heappop(ending))
            self.now = asked.at
            exchange = self._begin(asked)
            if exchange is not None:
                heapq.heappush(ending, (asked.until, next(numbers), asked, exchange))
        while ending:
            self._end(*heapq.heappop(ending))

    def _begin(self, asked: Asked) -> ReservedExchange | None:
        headers = {"authorization": f"Bearer {self.keys[asked.tenant]}", **_JSON}
        admitted = admit(CheckedRequest("POST", CHAT, headers), self.table, self.now)
        assert isinstance(admitted, Admitted)
        if admitted.charges:
            outcome = _now(self.counters.take(admitted.charges, final=True))
            if isinstance(outcome, Refused):
                self.refused.append((asked, admitted.charges[0].rule.name))
                return None
        exchange = begin(admitted.policy, {}, "", Asker(admitted.proof.principal))
        assert isinstance(exchange, ReservedExchange)
        exchange.receive(RequestHeaders(end=False))
        actions = [*exchange.receive(RequestBody(asked.body(self.most(asked)), end=True))]
        while (wanted := exchange.reserving) is not None:
            taken = _now(self.counters.take(wanted.charges))
            actions += exchange.receive(Reserved(taken, now=self.now))
        if isinstance(actions[-1], ReplaceRequest):
            return exchange
        self.refused.append((asked, exchange.reservation.limit))
        return None

    def _end(self, at: float, _: int, asked: Asked, exchange: ReservedExchange) -> None:
        self.now = at
        exchange.receive(ResponseHeaders(200, _JSON, end=False))
        exchange.receive(ResponseBody(asked.answer(), end=True))
        while exchange.working:
            exchange.receive(Work())
        assert exchange.outcome == "served"
        reservation = exchange.reservation
        assert isinstance(reservation.taken, Taken)
        amounts = reservation.settlement(exchange.cost)
        _now(self.counters.settle(reservation.taken, amounts))


def _now(coroutine: Coroutine[Any, Any, T]) -> T:
    """What a store says that never waits."""
    try:
        coroutine.send(None)
    except StopIteration as done:
        value: T = done.value
        return value
    raise AssertionError("it waits")


def most_within(requests: Sequence[Asked], seconds: float, of: Callable[[Asked], int]) -> int:
    """The most that there was of it in any time so long."""
    first, total, most = 0, 0, 0
    for asked in requests:
        total += of(asked)
        while requests[first].at <= asked.at - seconds:
            total -= of(requests[first])
            first += 1
        most = max(most, total)
    return most


def most_at_once(requests: Sequence[Asked]) -> int:
    """How many were under way at most."""
    edges = sorted([(each.at, 1) for each in requests] + [(each.until, -1) for each in requests])
    return max(itertools.accumulate(change for _, change in edges))


def by_tenant(requests: Sequence[Asked]) -> Iterator[tuple[str, list[Asked]]]:
    key = lambda asked: asked.tenant  # noqa: E731
    for tenant, each in itertools.groupby(sorted(requests, key=key), key):
        yield tenant, [*each]


def policy_text(
    requests: Sequence[Asked], keys: Mapping[str, str], headroom: float, days: Mapping[str, int]
) -> str:
    """What a provider would sell: so much of each tenant's own peaks, and of its day.

    ``keys`` are the hashed ones; ``days`` are the tokens of those who bought another day.
    """
    lines = [
        "version: 1",
        "listen: unix:///run/extproc.sock",
        "health: 127.0.0.1:9101",
        'keys: {hmac: "env:HMAC"}',
        f"routes: [{{path: {CHAT}, dialect: openai_chat}}]",
        "fidelities: {text: {text: pass, usage: pass}}",
        "policies:",
    ]
    for tenant, own in by_tenant(requests):
        lines += _plan(tenant, own, headroom, days.get(tenant))
    lines += ["tenants:"]
    lines += [
        f'  {tenant}: {{policy: {tenant}, principals: ["{keys[tenant]}"]}}' for tenant in keys
    ]
    return "\n".join(lines)


def _plan(tenant: str, own: Sequence[Asked], headroom: float, day: int | None) -> list[str]:
    minute = ceil(headroom * most_within(own, 60, lambda _: 1))
    tokens = ceil(headroom * most_within(own, 60, lambda asked: asked.tokens))
    day = day or ceil(headroom * sum(asked.tokens for asked in own))
    at_once = ceil(headroom * most_at_once(own))
    return [
        f"  {tenant}:",
        '    models: ["*"]',
        "    fidelity: text",
        "    allow: {max_tokens: 4096}",
        "    limits:",
        f"      - {{name: requests, per: tenant, count: requests, max: {minute}, window: 1m}}",
        f"      - {{name: tokens, per: tenant, count: tokens, max: {tokens}, window: 1m}}",
        f"      - {{name: at-once, per: tenant, count: concurrent, max: {at_once}}}",
        "    budgets:",
        f"      - {{name: day, per: tenant, count: tokens, max: {day}, period: day}}",
    ]
