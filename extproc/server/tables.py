"""The policy in force, and those that were in force a moment ago.

Rule: one step puts another policy in force, with the issuers it asks.  Whoever decides takes the
one in force once, and keeps it to the end of the decision; ext_proc goes on by the one that
ext_authz decided by, and by no other.  Of those that were replaced, a few are kept for a while for
the requests that are between the two; what nobody knows any more is refused.
"""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Final, Self

from extproc.config.granted import Granted, Selected
from extproc.credentials import ApiKeys, Needed
from extproc.errors import IssuerUnavailable, ProtocolError
from extproc.policy import PolicyTable

KEPT: Final = 4
"""Policies that were replaced, each of some 2 kB a tenant."""

Ask = Callable[[Needed], Awaitable[None]]
"""Has a credential know what its issuer says of a token, or raises IssuerUnavailable."""


async def nobody(needed: Needed) -> None:
    """Of a policy that asks no issuer."""
    raise IssuerUnavailable(needed.credential)


class InForce:
    """A table and whom it asks; entered by whoever decides by it."""

    def __init__(self, table: PolicyTable, ask: Ask = nobody) -> None:
        self.table, self.ask = table, ask
        self._deciding = 0
        self._free = asyncio.Event()

    def __enter__(self) -> Self:
        self._deciding += 1
        return self

    def __exit__(self, *_: object) -> None:
        self._deciding -= 1
        if not self._deciding:
            self._free.set()

    async def unused(self) -> None:
        """Wait until nobody decides by it; it must have been replaced."""
        while self._deciding:
            self._free.clear()
            await self._free.wait()


class Tables:
    """Only the event loop touches them."""

    def __init__(self, table: PolicyTable, ask: Ask = nobody) -> None:
        self.now = InForce(table, ask)
        self._before: dict[str, PolicyTable] = {}

    def swap(self, table: PolicyTable, ask: Ask = nobody) -> InForce:
        """Put another one in force; returns the one that was."""
        before, self.now = self.now, InForce(table, ask)
        self._before.pop(before.table.version, None)
        self._before[before.table.version] = before.table.served()
        if len(self._before) > KEPT:
            del self._before[next(iter(self._before))]  # the oldest
        return before

    def of(self, version: str) -> PolicyTable:
        """The one that ext_authz decided by.  Raise ProtocolError where it is not known."""
        if version == self.now.table.version:
            return self.now.table
        if version not in self._before:
            raise ProtocolError("the metadata of ext_authz is not of this policy")
        return self._before[version]

    def forget(self, table: PolicyTable) -> None:
        """Nothing of it is between ext_authz and ext_proc any more."""
        kept = self._before.get(table.version)
        if kept is not None and kept.policies is table.policies:
            del self._before[table.version]


def let_go(table: PolicyTable) -> None:
    """What was made for a table, in small parts: at once it would hold others up.

    It must admit nobody any more, and be that of no exchange to come.
    """
    for prover in table.provers.values():
        if isinstance(prover, ApiKeys):
            prover.forget()
    if isinstance(table.policies, Granted):
        table.policies.forget()
    if isinstance(table.selected, Selected):
        table.selected.forget()
