"""Limits as a policy has them: a rule, what it counts, and whom it tells apart.

Rule: what a request counts against is decided here alone, from what is known about it, and every
counter by one name; so that no path of a request is counted otherwise, or not at all.
"""

from collections.abc import Iterator, Mapping, Sequence
from fnmatch import fnmatchcase
from hashlib import sha256
from typing import Any, Final, Literal

from msgspec import Struct

from extproc.limits.amounts import Amounts
from extproc.limits.charge import PRIVATE, Charge, Unit
from extproc.limits.exhaustion import DENY, Action
from extproc.limits.rule import Rule
from extproc.prediction import Kind

Scope = Literal[
    "principal",  # one proven identity
    "user",  # whom the request names as its end user
    "address",  # where it comes from, to a length of the prefix
    "tenant",
    "cohort",  # tenants that belong together
    "route",
    "model",
    "risk",  # the risk class of the route
    "kind",  # each kind of prediction that the answer may hold
]

_OF_TENANT: frozenset[Scope] = frozenset({"principal", "user", "tenant"})
"""What there is of one tenant only."""
_WITHIN: frozenset[Scope] = frozenset({"principal", "user", "address"})
"""What callers of one tenant are told apart by."""


Networks = Mapping[tuple[int, int], str]
"""Where a request comes from, by the lengths of the prefixes of IPv4 and IPv6: a keyed digest."""


LONGEST: Final = 256
"""Characters of a subject; of what is longer, or no text, a digest stands for it."""


class Caller(Struct, frozen=True):
    """Who asks, for what: what counters can be told apart by."""

    tenant: str
    principal: str
    cohort: str = ""
    """Its tenant's name, where that belongs to none."""
    route: str = ""
    risk: str = ""
    networks: Networks = {}
    user: str = ""
    """A keyed digest; empty where the request names nobody."""
    model: str = ""


class Limit(Struct, frozen=True):
    """One line of a policy's limits or budgets."""

    rule: Rule[Any]
    unit: Unit
    per: tuple[Scope, ...] = ("tenant",)
    shared: bool = False
    """Whether tenants share it, but for those that ``per`` tells apart."""
    models: tuple[str, ...] = ()
    """Patterns as in fnmatch; all where there is none."""
    kinds: frozenset[Kind] = frozenset()
    """Of bits and of privacy, those of these kinds; all where there is none."""
    prefix: tuple[int, int] = (32, 64)
    """Of addresses: how many bits tell networks apart, of IPv4 and IPv6."""
    budget: bool = False
    """Whether it is an allowance, that is given back where nothing was had for it."""
    exhausted: Action = DENY
    """What becomes of requests for which nothing is left."""
    promise: tuple[float, float] | None = None
    """Of privacy: epsilon, and delta."""

    @property
    def name(self) -> str:
        """As the policy file has it; the rule's is followed by its window."""
        return self.rule.name.partition("/")[0]

    @property
    def early(self) -> bool:
        """Whether a request's header fields say all that it needs."""
        late = {"user", "model", "kind"}
        return (
            self.unit == "requests"
            and not self.budget
            and not self.models
            and late.isdisjoint(self.per)
        )

    @property
    def own(self) -> bool:
        """Whether only callers of one tenant count on it, who may know so."""
        return "cohort" not in self.per and not (self.shared and _OF_TENANT.isdisjoint(self.per))

    def charges(self, caller: Caller, amounts: Amounts) -> Iterator[Charge]:
        """What a request counts for."""
        if self.models and not any(fnmatchcase(caller.model, each) for each in self.models):
            return
        if "kind" not in self.per:
            yield from self._charge(caller, amounts, "", self.kinds)
            return
        for kind in amounts.privacy if self.unit in PRIVATE else amounts.bits:
            if not self.kinds or kind in self.kinds:
                yield from self._charge(caller, amounts, kind, frozenset({kind}))

    def _charge(
        self, caller: Caller, amounts: Amounts, kind: str, kinds: frozenset[Kind]
    ) -> Iterator[Charge]:
        amount, kept = amounts.of(self.unit, kinds)
        if amount:
            group = self.group(caller.tenant, caller.cohort)
            subject = self._subject(caller, kind)
            yield Charge(self.rule, group, subject, amount, kept, unit=self.unit, kinds=kinds)

    def group(self, tenant: str, cohort: str) -> str:
        """Whose counters its own stand among; see Charge."""
        if "cohort" in self.per:
            return f"cohort:{cohort}"
        return tenant if self.own else ""

    def _subject(self, caller: Caller, kind: str) -> str:
        """One text for each caller, of bounded length, whatever a request calls its model."""
        scopes = [scope for scope in self.per if scope not in {"tenant", "cohort"}]
        values = [self._value(scope, caller, kind) for scope in scopes]
        subject = values[0] if len(values) == 1 else "|".join(map(_escaped, values))
        if len(subject) <= LONGEST and subject.isprintable():
            return subject
        return sha256(subject.encode(errors="surrogatepass")).hexdigest()[:32]

    def whom(self, caller: Caller) -> str:
        """Which of the callers of a tenant it counts; empty where all of them together."""
        apart = (_escaped(self._value(each, caller, "")) for each in self.per if each in _WITHIN)
        return "|".join(apart)

    def _value(self, scope: Scope, caller: Caller, kind: str) -> str:
        match scope:
            case "address":
                return caller.networks.get(self.prefix, "")
            case "kind":
                return kind
            case _:
                return str(getattr(caller, scope))


def _escaped(value: str) -> str:
    return value.replace("%", "%25").replace("|", "%7C")


def charges(limits: Sequence[Limit], caller: Caller, amounts: Amounts) -> list[Charge]:
    """What a request counts for, of all of them, in their order."""
    return [charge for limit in limits for charge in limit.charges(caller, amounts)]
