"""A gateway without its wire: requests about votes, counted in a store as the sidecar counts them.

What is measured is what there is to be had: the answers, and how much of a promise is left.
"""

import asyncio
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

import orjson

from extproc.beginning import begin
from extproc.config import compile_table, load
from extproc.credentials import Replays
from extproc.events import (
    Action,
    Event,
    ReplaceRequest,
    ReplaceResponse,
    RequestBody,
    RequestHeaders,
    Respond,
    ResponseBody,
    ResponseHeaders,
    Work,
)
from extproc.limits import Memos
from extproc.policy import PolicyTable
from extproc.reservation import Asker
from extproc.reserved_exchange import ReservedExchange
from extproc.server.reserver import Reserver
from extproc.server.telemetry import Telemetry
from extproc.stores.memory import MemoryCounters
from extproc.stores.memory_memos import MemoryMemos
from extproc.stores.memory_replays import MemoryReplays
from extproc.stores.redis.accounts import RedisAccounts
from tests.config.example import ENVIRON

TEACHERS: Final = 250
SURE: Final = [0, 250, 0]
TORN: Final = [84, 83, 83]
GAUSSIAN: Final = "{kind: noisy_max, noise: gaussian, scale: 40}"
GUMBEL: Final = "{kind: noisy_max, noise: gumbel, scale: 40}"
CHECKED: Final = "{kind: noisy_max, noise: gaussian, scale: 40, threshold: {votes: 200, sigma: 20}}"
BUDGET: Final = "{name: digits, count: privacy, epsilon: 2, delta: 1e-5, per: tenant}"
_TEXT: Final = """\
version: 1
listen: unix:///run/extproc.sock
health: 127.0.0.1:9101
store: {kind: memory}
keys: {hmac: "env:HMAC"}
MORE
routes:
  - {path: /votes, dialect: {kind: votes, teachers: 250, classes: [ape, bee, cat]}}
fidelities:
  private: {votes: [MECHANISM]}
  rough: {votes: [{kind: noisy_max, noise: gaussian, scale: 400}]}
  silent: {}
policies:
  own: {models: ["*"], fidelity: private, budgets: [BUDGET]}
tenants:
  acme: {policy: own, principals: ["key:a", "key:b"], cohort: band}
  beta: {policy: own, principals: ["key:c"], cohort: band}
  gamma: {policy: own, principals: ["key:d"]}
"""


def text(budget: str = BUDGET, mechanism: str = GAUSSIAN, more: str = "") -> str:
    """A policy file."""
    whole = _TEXT.replace("MECHANISM", mechanism).replace("MORE\n", more)
    whole = whole.replace("[BUDGET]", f"[{budget}]")
    for key in "abcd":
        whole = whole.replace(f'"key:{key}"', f'"key:{key * 64}"')
    return whole


def table(folder: Path, policy: str | None = None) -> PolicyTable:
    path = folder / "policy.yaml"
    path.write_text(text() if policy is None else policy, encoding="utf-8")
    return compile_table(load(path), ENVIRON)


class Gateway:
    """Of one process: a replica where others have the same stores."""

    def __init__(
        self,
        table: PolicyTable,
        counters: MemoryCounters | RedisAccounts | None = None,
        memos: Memos | None = None,
        replays: Replays | None = None,
    ) -> None:
        self.table = table
        self.counters = counters if counters is not None else MemoryCounters()
        self.memos = memos if memos is not None else MemoryMemos()
        self.reserver = Reserver(
            self.counters, replays or MemoryReplays(began=0), Telemetry(), memos=self.memos
        )

    async def ask(
        self, *inputs: Any, votes: Sequence[int] = SURE, settles: bool = True, **more: Any
    ) -> Any:
        """The votes that are served, or the status of a refusal.

        ``answer`` is what the model server says, which has the votes of each input else; ``tenant``
        and ``key`` ask; ``settles`` is False where the sidecar dies before it has.
        """
        tenant, key = more.get("tenant", "acme"), more.get("key", "a")
        policy = self.table.policies[tenant, "POST /votes"]
        machine = begin(policy, {}, "", Asker(f"key:{key * 64}"))
        assert isinstance(machine, ReservedExchange)
        served = await self._served(machine, inputs, more.get("answer"), votes)
        if settles:
            taken = machine.reservation.taken
            if taken is not None:
                amounts = machine.reservation.settlement(machine.cost)
                self.reserver.settle(taken, amounts, machine.memos)
            await self.reserver.settled(5)
        return served

    async def _served(
        self,
        machine: ReservedExchange,
        inputs: Sequence[Any],
        answer: Any,
        votes: Sequence[int],
    ) -> Any:
        body = orjson.dumps({"model": "zoo", "inputs": [*inputs]})
        machine.receive(RequestHeaders(end=False))
        actions = [*machine.receive(RequestBody(body, end=True))]
        while machine.working or machine.reserving is not None:
            wanted = machine.reserving
            step = Work() if wanted is None else await self.reserver.reserve(wanted)
            actions += machine.receive(step)
        match actions:
            case [Respond(status)]:
                return status
            case [ReplaceRequest()]:
                pass
            case _:
                raise AssertionError(actions)
        said = answer if answer is not None else {"model": "zoo", "votes": [[*votes]] * len(inputs)}
        head = {"content-type": "application/json"}
        machine.receive(ResponseHeaders(said if isinstance(said, int) else 200, head, end=False))
        if isinstance(said, int):
            return machine.status
        match _done(machine, ResponseBody(orjson.dumps(said), end=True)):
            case [ReplaceResponse(body=served)]:
                return orjson.loads(served)["votes"]
            case [Respond(status)]:
                return status
            case _:
                raise AssertionError(actions)

    async def spent(self, group: str = "acme", tenant: str = "acme") -> dict[str, int]:
        """By counter, RULE:SUBJECT; in billionths."""
        rules = [limit.rule for limit in self.table.policies[tenant, "POST /votes"].reserved]
        account = await self.counters.read(group, rules, most=100)
        return {f"{each.rule}:{each.subject}": each.spent for each in account.standings}

    async def together(self, *asked: Any) -> list[Any]:
        """All at one time, an input each."""
        return list(await asyncio.gather(*(self.ask(each) for each in asked)))


def _done(machine: ReservedExchange, event: Event) -> list[Action]:
    """What becomes of an event, when others have had their turns."""
    actions = [*machine.receive(event)]
    while machine.working:
        actions += machine.receive(Work())
    return actions
