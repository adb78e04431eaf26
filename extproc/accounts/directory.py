"""Whose counters there are, and which limits they are of: all by the policy in force.

Rule: an operator names a tenant as the policy file does, a cohort as ``cohort:NAME``, and what
tenants share as ``shared:``; no name of a tenant has a colon.  A name that is not known is an
error, never a new counter.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from difflib import get_close_matches
from typing import Final

from extproc.accounts.rows import apart, short
from extproc.errors import OperatorError
from extproc.limits import Limit
from extproc.policy import Policy, PolicyTable

SHARED: Final = "shared:"
COHORT: Final = "cohort:"
_COMPARED: Final = 100
"""Names that one is compared with that is not known: more would take milliseconds."""
_LISTED: Final = 5
"""Names that an error tells."""

Limits = Mapping[str, Limit]
"""By name."""


class Directory:
    """Of one policy table; complete once ``survey`` has been exhausted."""

    def __init__(self) -> None:
        self._tenants: dict[str, tuple[Limit, ...]] = {}
        """Those that count it, and nobody else."""
        self._alike: dict[tuple[Limit, ...], tuple[Limit, ...]] = {}
        """The same of these once: most tenants have what others have."""
        self._others: dict[str, dict[str, Limit]] = {}
        self._order: list[str] = []
        self._places: dict[str, int] = {}

    def survey(self, policies: Mapping[tuple[str, str], Policy]) -> Iterator[None]:
        """Look at what each tenant has on each route, one at a time: there may be many."""
        for (tenant, _), policy in policies.items():
            own = {limit.name: limit for limit in self._tenants.get(tenant, ())}
            for group, limit in _grouped(policy):
                if group == tenant:
                    own[limit.name] = limit
                else:
                    self._others.setdefault(named(group), {})[limit.name] = limit
            limits = tuple(own.values())
            self._tenants[tenant] = self._alike.setdefault(limits, limits)
            yield
        shared = [SHARED] if SHARED in self._others else []
        cohorts = [whom for whom in self._others if whom != SHARED]
        # As the policy has them: to sort ten thousand would keep requests waiting.
        self._order = [*self._tenants, *cohorts, *shared]
        self._places = {whom: place for place, whom in enumerate(self._order)}

    def after(self, whom: str, most: int) -> list[str]:
        """Tenants, then cohorts, then what is shared: so many, behind this one.

        Raise OperatorError where it is gone.
        """
        if whom and whom not in self._places:
            raise OperatorError("another policy has been put in force meanwhile; ask again")
        start = self._places[whom] + 1 if whom else 0
        return self._order[start : start + most]

    def limits(self, whom: str) -> Limits:
        """Raise OperatorError where nobody is called so."""
        if ":" not in whom:
            if whom not in self._tenants:
                raise _unknown(whom, self._tenants)
            return {limit.name: limit for limit in self._tenants[whom]}
        if whom not in self._others:
            wrong = f"there is no {whom!r}"
            raise OperatorError(f"{wrong}; {_instead(whom, self._others)}")
        return self._others[whom]


def of_tenant(table: PolicyTable, tenant: str) -> Limits:
    """Those that count it, and nobody else.  Raise OperatorError where there is no such tenant."""
    found: dict[str, Limit] = {}
    for policy in _policies(table, tenant):
        found.update((limit.name, limit) for group, limit in _grouped(policy) if group == tenant)
    return found


def elsewhere(table: PolicyTable, tenant: str) -> dict[str, list[str]]:
    """What it counts against together with others: names of limits, by whose they are."""
    found: dict[str, dict[str, None]] = {}
    for policy in _policies(table, tenant):
        for group, limit in _grouped(policy):
            if group != tenant:
                found.setdefault(named(group), {})[limit.name] = None
    return {whom: [*names] for whom, names in sorted(found.items())}


def has(table: PolicyTable, tenant: str) -> bool:
    """Whether there is such a tenant."""
    return any((tenant, route.name) in table.policies for route in table.routes)


def group(whom: str) -> str:
    """What stores call it."""
    return "" if whom == SHARED else whom


def named(group: str) -> str:
    """What operators call it."""
    return group or SHARED


def find(limits: Limits, whom: str, name: str) -> Limit:
    """Raise OperatorError where there is no such limit."""
    if name not in limits:
        wrong = f"{whom} counts against no limit {name!r} of its own"
        raise OperatorError(f"{wrong}; {_instead(name, limits)}")
    return limits[name]


def subject_of(limit: Limit, subject: str | None, subjects: Sequence[str], *, more: bool) -> str:
    """Which counter is meant, of those that there are: by all of its subject, or as much of it as
    no other has.  Raise OperatorError where it is none, or several.

    ``more``: there are others, which are not among them.
    """
    scopes = apart(limit)
    if not scopes:
        if subject:
            raise OperatorError(f"{limit.name} has one counter; name no subject")
        return ""
    if not subject:
        wrong = f"{limit.name} has a counter for each {' and '.join(scopes)}"
        raise OperatorError(f"{wrong}; name one with --subject")
    if subject in subjects:
        return subject
    found = [
        each for each in subjects if each.startswith(subject) or short(each).startswith(subject)
    ]
    if len(found) > 1:
        raise OperatorError(f"{len(found)} counters of {limit.name} begin so; write more of it")
    if not found and not more:
        wrong = f"{limit.name} has counted nothing for such a subject"
        raise OperatorError(f"{wrong}; see them with: extproc tenants show")
    return found[0] if found else subject


def _grouped(policy: Policy) -> Iterator[tuple[str, Limit]]:
    cohort = policy.cohort or policy.tenant
    for limit in (*policy.limits, *policy.reserved):
        yield limit.group(policy.tenant, cohort), limit


def _policies(table: PolicyTable, tenant: str) -> Iterator[Policy]:
    if not has(table, tenant):
        raise _unknown(tenant, ())
    for route in table.routes:
        found = table.policies.get((tenant, route.name))
        if found is not None:
            yield found


def _unknown(tenant: str, known: Iterable[str]) -> OperatorError:
    return OperatorError(f"there is no tenant {tenant!r}; {_instead(tenant, known)}")


def _instead(name: str, known: Iterable[str]) -> str:
    listed = [*known]
    alike = [each for each in listed if each[:1] == name[:1] and abs(len(each) - len(name)) < 3]
    if close := get_close_matches(name, alike[:_COMPARED], n=1):
        return f"did you mean {close[0]!r}?"
    if not listed:
        return "there is none"
    more = f" and {len(listed) - _LISTED} more" if len(listed) > _LISTED else ""
    return f"there are: {', '.join(listed[:_LISTED])}{more}"
