"""What applies to one tenant on one route: immutable, compiled once, replaced whole.

Rule: everything a request can name is resolved when the table is built, so that serving can no
longer fail on a name.  What the table does not hold is denied.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from fnmatch import fnmatchcase
from functools import cache, cached_property, partial
from hashlib import sha256
from typing import Final
from urllib.parse import unquote

import msgspec

from extproc.audit import Pseudonyms
from extproc.canonical import Steps, digests
from extproc.cause import Cause
from extproc.client_address import Proxies
from extproc.credentials import ANY, EnvoyJwts, Prover, Requirement
from extproc.credentials.envoy_jwt import NAMESPACE
from extproc.dialects import Dialect
from extproc.dialects.answers import Answers
from extproc.dialects.gate import Terms
from extproc.dialects.request import Asked
from extproc.dialects.shape import Batched, Gathering, Mutation
from extproc.draw import Draw, Draws
from extproc.errors import ClientError
from extproc.limits import Charge, Limit
from extproc.mutators import Keyed, Mutator, Rotate, TopK, Whole, limit, mutate, space_id
from extproc.mutators.batch import ByRows, ByTokens, mutate_rows, mutate_tokens
from extproc.prediction import Kind
from extproc.refusal import UNKNOWN_MODEL, Refusal
from extproc.shaping import UNSHAPED, Shaping
from extproc.validation import Contract

CLOSELY: Final = 32 << 10
"""Bytes of a request whose inputs are brought into their canonical form for the record alone: of
more it would cost too much."""

_PARAMETER = re.compile(r"\{(\w+)\}")
_BEFORE_VERB = re.compile(r"\{(\w+)\}:")
_SAFE_VALUE = re.compile(r"(?!\.\.?\Z)[\w.:@+ -]{1,256}", re.ASCII)


@dataclass(frozen=True, slots=True)
class Caps:
    """Bounds, in bytes, on what one exchange (and all together) may hold."""

    request: int = 1 << 20
    """A request body; larger is refused with 413."""
    document: int = 256 << 10
    """An answer that is held until it has been read to its end; more leaves as it is rewritten."""
    value: int = 1 << 20
    """One value of such a stream, and one event of an event stream."""
    held: int = 256 << 20
    """All bodies held by this process at one time; above it new work is refused with 503."""
    waiting: int = 10_000
    """Requests, not bytes, at one time whose answers may have to wait for their instant."""


@dataclass(frozen=True, slots=True)
class Fidelity:
    """A named tier: the mutators per kind; a kind that is missing is dropped."""

    name: str
    mutators: Mapping[Kind, Sequence[Mutator]]

    @property
    def keyed(self) -> bool:
        """Whether any of its mutators draws."""
        return any(isinstance(each, Keyed) for chain in self.mutators.values() for each in chain)

    @property
    def alternatives(self) -> int | None:
        """How many alternatives of a token it shows, None where it shows all there are."""
        shown = [each.k for each in self.mutators.get("logprobs", ()) if isinstance(each, TopK)]
        return min(shown, default=None)

    @property
    def rotates(self) -> bool:
        """Whether its vectors lie in a space of their tenant's own."""
        return any(isinstance(each, Rotate) for each in self.mutators.get("embedding", ()))

    @property
    def compared(self) -> int | None:
        """Inputs that one request may have, where vectors are compared; None where they are not."""
        chain = self.mutators.get("embedding", ())
        return min((each.MOST for each in chain if isinstance(each, Whole)), default=None)

    def bits(self, kind: Kind, size: int, inputs: int = 1) -> float:
        """How much one prediction tells at most, of so many classes, dimensions, alternatives of a
        token, or tokens of a text; it is one of those that answer so many inputs.

        Of a kind whose size nobody knows, and that is not dropped, any amount.
        """
        chain = self.mutators.get(kind)
        return limit(chain, kind, size, inputs).bits if chain is not None else 0.0

    def digest(self) -> bytes:
        """Of what it does, whatever it is called: 32 octets."""
        chains = sorted((kind, tuple(chain)) for kind, chain in self.mutators.items())
        return sha256(msgspec.json.encode(chains)).digest()

    def edits(self) -> dict[Kind, Mutation | None]:
        """By kind: the mutators as one function, or None where the kind passes untouched."""
        return {kind: _mutation(kind, mutators) for kind, mutators in self.mutators.items()}


def _mutation(kind: Kind, mutators: Sequence[Mutator]) -> Mutation | None:
    match mutators:
        case []:
            return None
        case [*each, Whole() as last]:
            return Gathering(partial(mutate, tuple(each)), last.apply_all)
        case _:
            return _batched(kind, tuple(mutators))


def _batched(kind: Kind, mutators: Sequence[Mutator]) -> Mutation:
    one = partial(mutate, mutators)
    by_rows = [each for each in mutators if isinstance(each, ByRows)]
    by_tokens = [each for each in mutators if isinstance(each, ByTokens)]
    if kind == "logprobs" and len(by_tokens) == len(mutators):
        return Batched(one, tokens=partial(mutate_tokens, by_tokens))
    if kind != "logprobs" and len(by_rows) == len(mutators):
        return Batched(one, rows=partial(mutate_rows, by_rows, kind))
    return one


@dataclass(frozen=True, slots=True)
class Policy:
    """One tenant on one route."""

    tenant: str
    route: "Route"
    fidelity: Fidelity
    edits: Mapping[Kind, Mutation | None]
    """``fidelity.edits()``, built once."""
    answers: Answers
    """``route.dialect.answers()``, built once."""
    terms: Terms
    """What its requests may ask for."""
    draw: Draw | None
    """Of the key epoch and the tenant; None where no mutator of the tier is keyed."""
    models: tuple[str, ...]
    """Patterns as in fnmatch; a model that matches none is unknown to this tenant."""
    limits: tuple[Limit, ...]
    shadow: bool
    """Decide and record, change nothing."""
    caps: Caps
    shaping: Shaping = UNSHAPED
    most_inputs: int | None = None
    """Of one request, where its tier compares what the route answers; None where it does not."""
    spaced: bool = False
    """Whether its answers are told apart by the space that their vectors lie in."""
    audited: bool = False
    """Whether the digests of inputs are wanted for the record."""

    exceptions: "tuple[tuple[tuple[str, ...], Policy | None], ...]" = ()
    """What applies to models of these patterns instead, the first that fits; None where they are
    unknown on this route."""

    def check_inputs(self, count: int) -> None:
        """Raise ClientError where one request may not have so many."""
        most = self.most_inputs
        if most is not None and count > most:
            raise ClientError(f"No more than {most} inputs can be compared in one request.")

    def space(self, model: str) -> str:
        """The name of that space; empty where there is none."""
        return space_id(self._space(model)) if self.spaced else ""

    def of(self, model: str) -> "Policy | None":
        """What applies to a model, None where it is unknown to this tenant on this route."""
        if not _fits(model, self.models):
            return None
        return next((other for models, other in self.exceptions if _fits(model, models)), self)

    def draws(self, model: str, inputs: Sequence[bytes]) -> Draws | None:
        """What the answer about inputs of these digests draws from."""
        if self.draw is None:
            return None
        return Draws(self._space(model), inputs, self.fidelity.digest())

    def _space(self, model: str) -> Draw:
        assert self.draw is not None
        return self.draw.child(b"model " + model.encode())

    def digests(self, asked: Asked) -> Steps[Sequence[bytes]]:
        """Of the canonical inputs, where anything draws from them or a record is kept.

        For the record alone, and of a body that is long, of its bytes as they are.
        """
        if self.draw is None and not self.audited:
            return ()
        if self.draw is None and len(asked.body) > CLOSELY:
            return (sha256(asked.body).digest(),)
        return (yield from digests(asked.inputs))

    def permits(self, model: str) -> bool:
        return self.of(model) is not None

    def unknown(self, model: str) -> Refusal:
        """How a model is refused that is not permitted."""
        listed = _fits(model, self.models)
        return UNKNOWN_MODEL.called(Cause.MODEL_DENIED) if listed else UNKNOWN_MODEL

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
    """A template: ``{name}`` stands for one path segment, ``{name}:verb`` for one that ends so."""
    dialect: Dialect
    requirement: Requirement = ANY
    contract: Contract | None = None
    """What its requests must be, beside what the dialect says."""
    name: str = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "name", f"{self.method} {self.path}")

    def match(self, path: str) -> dict[str, str] | None:
        """The template's parameters, percent-decoded once, or None where the path is another.

        A parameter that no model name needs to be (with slashes, controls or a second layer of
        percent-encoding, not ASCII, or a dot segment of RFC 3986) does not match: servers behind us
        read such names in different ways.  Nor does a colon before the verb, which they may look
        for from either end.
        """
        found = _pattern(self.path).fullmatch(path)
        if found is None:
            return None
        values = {name: unquote(value) for name, value in found.groupdict().items()}
        if any(":" in values[name] for name in _BEFORE_VERB.findall(self.path)):
            return None
        return values if all(map(_SAFE_VALUE.fullmatch, values.values())) else None


def _fits(model: str, patterns: Sequence[str]) -> bool:
    return any(fnmatchcase(model, pattern) for pattern in patterns)


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


class Excerpt(msgspec.Struct, frozen=True):
    """What the record of an exchange needs of a table when it ends: one that was replaced goes,
    though an exchange of it runs for hours.
    """

    version: str
    pseudonyms: Pseudonyms | None = None
    policy: Policy | None = None


@dataclass(frozen=True)
class PolicyTable:
    """Every policy of one configuration."""

    version: str
    """Digest of the configuration: an exchange is finished by the table that admitted it."""
    key: bytes = field(repr=False)
    """HMAC key under which API keys are hashed."""
    routes: tuple[Route, ...]
    provers: Mapping[str, Prover]
    """By the name that the policy calls a credential."""
    tenants: Mapping[str, str]
    """Principal -> tenant."""
    policies: Mapping[tuple[str, str], Policy]
    """(tenant, route name) -> policy."""
    caps: Caps
    shapings: Mapping[str, Shaping] = field(default_factory=dict)
    """By tenant, for what it is denied; under "", for strangers."""
    pseudonyms: Pseudonyms | None = None
    """What stands for callers and inputs in the audit log, where there is one."""
    proxies: Proxies = field(default_factory=Proxies)
    """Between clients and Envoy."""

    def excerpt(self, policy: Policy | None) -> "Excerpt":
        """For the record of an exchange under this policy."""
        return Excerpt(self.version, self.pseudonyms, policy)

    def served(self) -> "PolicyTable":
        """What ext_proc needs of it, while it admits nobody any more."""
        return replace(self, provers={}, tenants={})

    @cached_property
    def credential_headers(self) -> tuple[str, ...]:
        """What a request proves who it is by: taken out before it goes on."""
        return tuple(
            dict.fromkeys(name for prover in self.provers.values() for name in prover.headers)
        )

    @cached_property
    def namespaces(self) -> tuple[str, ...]:
        """The dynamic metadata that a credential asks for."""
        asked = any(isinstance(prover, EnvoyJwts) for prover in self.provers.values())
        return (NAMESPACE,) if asked else ()
