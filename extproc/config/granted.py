"""What each tenant is granted on each route, made when it is first asked for.

Rule: making it cannot fail, since every name in it was resolved before; and what is kept of it is
bounded: ten thousand tenants on eight routes are many more policies than are asked for at a time.
"""

from collections.abc import Callable, Collection, ItemsView, Iterator, Mapping
from typing import Final

from extproc.policy import Policy

KEPT: Final = 8192
"""Policies, of some 500 bytes each; making one again takes some twenty microseconds."""

Make = Callable[[str, str], Policy]
"""By tenant and name of a route that it has."""


class Granted(Mapping[tuple[str, str], Policy]):
    """By tenant and name of a route."""

    def __init__(self, tenants: Mapping[str, Mapping[str, object]], make: Make) -> None:
        """``tenants``: the routes that each has, by name."""
        self._tenants, self._make = tenants, make
        self._made: dict[tuple[str, str], Policy] = {}

    def __getitem__(self, place: tuple[str, str]) -> Policy:
        made = self._made.get(place)
        if made is not None:
            return made
        tenant, route = place
        if route not in self._tenants.get(tenant, ()):
            raise KeyError(place)
        if len(self._made) >= KEPT:
            del self._made[next(iter(self._made))]  # the oldest
        made = self._made[place] = self._make(tenant, route)
        return made

    def items(self) -> "Each":
        """All of them; of what is made for whoever looks at it nothing is kept."""
        return Each(self)

    def passing(self, place: tuple[str, str]) -> Policy:
        """One that is there, without keeping it."""
        return self._made.get(place) or self._make(*place)

    def forget(self) -> None:
        """What was made, one by one: all at once takes long enough to hold others up."""
        while self._made:
            self._made.popitem()

    def __contains__(self, place: object) -> bool:
        if not isinstance(place, tuple):
            return False
        tenant, route = place
        return route in self._tenants.get(tenant, ())

    def __iter__(self) -> Iterator[tuple[str, str]]:
        return ((tenant, route) for tenant, routes in self._tenants.items() for route in routes)

    def __len__(self) -> int:
        return sum(map(len, self._tenants.values()))


class Each(ItemsView[tuple[str, str], Policy]):
    """All that is granted, made one at a time: ten thousand tenants' would push out all those that
    requests ask for, and then be garbage to be searched.
    """

    def __init__(self, granted: Granted) -> None:
        super().__init__(granted)
        self._granted = granted

    def __iter__(self) -> Iterator[tuple[tuple[str, str], Policy]]:
        return ((place, self._granted.passing(place)) for place in self._granted)


class Selected(Mapping[str, Granted]):
    """By policy, what it would grant every tenant; made for those that are asked for."""

    def __init__(self, names: Collection[str], make: Callable[[str], Granted]) -> None:
        self._names, self._make = names, make
        self._made: dict[str, Granted] = {}

    def __getitem__(self, name: str) -> Granted:
        made = self._made.get(name)
        if made is None:
            if name not in self._names:
                raise KeyError(name)
            made = self._made[name] = self._make(name)
        return made

    def forget(self) -> None:
        """What was made, one by one."""
        while self._made:
            self._made.popitem()[1].forget()

    def __iter__(self) -> Iterator[str]:
        return iter(self._names)

    def __len__(self) -> int:
        return len(self._names)
