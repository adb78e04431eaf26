"""What each tenant is granted on each route, made when it is first asked for.

Rule: making it cannot fail, since every name in it was resolved before; and what is kept of it is
bounded: ten thousand tenants on eight routes are many more policies than are asked for at a time.
"""

from collections.abc import Callable, Iterator, Mapping
from typing import Final

from extproc.policy import Policy

KEPT: Final = 8192
"""Policies, of some 500 bytes each; making one again takes some twenty microseconds."""

Grant = Callable[[str, str], Policy]
"""By tenant and name of a route, both of which are known."""


class Granted(Mapping[tuple[str, str], Policy]):
    """By tenant and name of a route."""

    def __init__(
        self, tenants: Mapping[str, object], routes: Mapping[str, object], grant: Grant
    ) -> None:
        self._tenants, self._routes, self._grant = tenants, routes, grant
        self._made: dict[tuple[str, str], Policy] = {}

    def __getitem__(self, place: tuple[str, str]) -> Policy:
        made = self._made.get(place)
        if made is not None:
            return made
        tenant, route = place
        if tenant not in self._tenants or route not in self._routes:
            raise KeyError(place)
        if len(self._made) >= KEPT:
            del self._made[next(iter(self._made))]  # the oldest
        made = self._made[place] = self._grant(tenant, route)
        return made

    def __iter__(self) -> Iterator[tuple[str, str]]:
        return ((tenant, route) for tenant in self._tenants for route in self._routes)

    def __len__(self) -> int:
        return len(self._tenants) * len(self._routes)
