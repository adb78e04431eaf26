"""What applies to one tenant on one route: immutable, compiled once, replaced whole.

Rule: everything a request can name is resolved when the table is built, so that serving can no
longer fail on a name.  What the table does not hold is denied.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from functools import cache, partial
from urllib.parse import unquote

from extproc.dialects import Dialect
from extproc.dialects.shape import Edit, Node
from extproc.limits import Charge, Limit
from extproc.mutators import Mutator, mutate
from extproc.prediction import Kind

_PARAMETER = re.compile(r"\{(\w+)\}")
_SAFE_VALUE = re.compile(r"(?!\.\.?\Z)[\w.:@+ -]{1,256}", re.ASCII)


@dataclass(frozen=True, slots=True)
class Caps:
    """Bounds, in bytes, on what one exchange (and all together) may hold."""

    request: int = 1 << 20
    """A request body; larger is refused with 413."""
    document: int = 256 << 10
    """An answer that is rewritten whole; larger is rewritten as a stream of values."""
    value: int = 1 << 20
    """One value of such a stream, and one event of an event stream."""
    held: int = 256 << 20
    """All bodies held by this process at one time; above it new work is refused with 503."""


@dataclass(frozen=True, slots=True)
class Fidelity:
    """A named tier: the mutators per kind; a kind that is missing is dropped."""

    name: str
    mutators: Mapping[Kind, Sequence[Mutator]]

    def edits(self) -> dict[Kind, Edit | None]:
        """By kind: the mutators as one function, or None where the kind passes untouched."""
        return {
            kind: partial(mutate, tuple(mutators)) if mutators else None
            for kind, mutators in self.mutators.items()
        }


@dataclass(frozen=True, slots=True)
class Policy:
    """One tenant on one route."""

    tenant: str
    route: "Route"
    fidelity: Fidelity
    edits: Mapping[Kind, Edit | None]
    """``fidelity.edits()``, built once."""
    answer: Node
    """``route.dialect.answer()``, built once."""
    models: tuple[str, ...]
    """Patterns as in fnmatch; a model that matches none is unknown to this tenant."""
    limits: tuple[Limit, ...]
    shadow: bool
    """Decide and record, change nothing."""
    caps: Caps

    def permits(self, model: str) -> bool:
        return any(fnmatchcase(model, pattern) for pattern in self.models)

    def charges(self, principal: str) -> list[Charge]:
        """What one request of this principal counts against."""
        subjects = {"principal": principal, "tenant": self.tenant}
        return [
            Charge(f"{self.tenant}|{limit.name}|{limit.per}|{subjects[limit.per]}", limit)
            for limit in self.limits
        ]


@dataclass(frozen=True, slots=True)
class Route:
    """A method and a path template, and the dialect spoken there."""

    method: str
    path: str
    """A template: ``{name}`` stands for one path segment."""
    dialect: Dialect

    @property
    def name(self) -> str:
        return f"{self.method} {self.path}"

    def match(self, path: str) -> dict[str, str] | None:
        """The template's parameters, percent-decoded once, or None where the path is another.

        A parameter that no model name needs to be (with slashes, controls or a second layer of
        percent-encoding, not ASCII, or a dot segment of RFC 3986) does not match: servers behind us
        read such names in different ways.
        """
        found = _pattern(self.path).fullmatch(path)
        if found is None:
            return None
        values = {name: unquote(value) for name, value in found.groupdict().items()}
        return values if all(map(_SAFE_VALUE.fullmatch, values.values())) else None


@cache
def _pattern(template: str) -> re.Pattern[str]:
    """Only called with templates of the configuration, so that the cache is bounded by it."""
    parts = re.split(_PARAMETER, template)  # literals and parameter names alternate
    return re.compile(
        "".join(
            f"(?P<{part}>[^/]+)" if index % 2 else re.escape(part)
            for index, part in enumerate(parts)
        )
    )


@dataclass(frozen=True, slots=True)
class PolicyTable:
    """Every policy of one configuration."""

    version: str
    """Digest of the configuration: an exchange is finished by the table that admitted it."""
    key: bytes = field(repr=False)
    """HMAC key under which API keys are hashed."""
    routes: tuple[Route, ...]
    tenants: Mapping[str, str]
    """Principal -> tenant.  A key's principal is its keyed hash, so how long a look-up takes says
    nothing about any key."""
    policies: Mapping[tuple[str, str], Policy]
    """(tenant, route name) -> policy."""
    caps: Caps
