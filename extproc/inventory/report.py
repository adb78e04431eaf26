"""What an inventory says, in no format.

A bound of ``math.inf`` means that nothing in the policy is one.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from enum import IntEnum
from typing import Literal

from extproc.prediction import Kind


class Rating(IntEnum):
    """How much is exposed; the worst reason there is decides."""

    LOW = 0
    MODERATE = 1
    HIGH = 2
    CRITICAL = 3

    @property
    def word(self) -> str:
        return self.name.lower()


@dataclass(frozen=True, slots=True)
class Reason:
    """What exposes something, and the setting that would change it."""

    rating: Rating
    what: str
    remedy: str


@dataclass(frozen=True, slots=True)
class Assumed:
    """Sizes that no policy says, of the models behind the routes."""

    classes: int = 10
    """Of a classifier; also scores and labels of an answer that has several."""
    dimensions: int = 384
    """Of an embedding."""
    tokens: int = 256
    """Of a text, as it is answered; where less is granted, that."""
    alternatives: int = 20
    """Of a token, where a tier does not say how many are shown."""


Private = Literal["", "counted", "uncounted"]


@dataclass(frozen=True, slots=True)
class Told:
    """A kind of prediction that passes."""

    kind: Kind
    mutators: tuple[str, ...]
    """As the policy writes them, in order; none where it passes as it is."""
    number: float
    """Bits that one number of it keeps at most."""
    own_space: bool
    """Whether its vectors say nothing next to those of other tenants."""
    predictions: int
    """In an answer to one input."""
    bits: float
    """Of all of them together, at most."""
    private: Private = ""
    """Whether it is answered privately, and whether a budget counts how much of that in all."""


@dataclass(frozen=True, slots=True)
class Way:
    """A credential by which the route can be had."""

    name: str
    kind: str
    strength: str


@dataclass(frozen=True, slots=True)
class Access:
    """Who gets in, how, and how often."""

    tenants: int
    ways: tuple[Way, ...]
    together: bool
    """Whether some of them must be proven together."""
    strength: int
    """The least that the strongest must have."""
    principal_day: float
    """Requests of one principal in a day."""
    tenant_day: float
    """Requests of one tenant in a day, whatever it has of principals."""


@dataclass(frozen=True, slots=True)
class Request:
    """What a request may be."""

    checks: tuple[str, ...]
    """Bounds and rules, in words."""
    validated: bool
    """Whether the route says any of them itself."""
    inputs: float
    """At most, of one request."""
    choices: float
    """Answers to one input, at most."""
    tokens: float
    """Written for one choice, at most."""
    tools: bool
    """Whether it may name tools that the model calls."""
    repeatable: bool
    """Whether it may fix what is drawn at random."""
    unread: int
    """Fields that the route lets through to the model server, whatever they ask for."""


@dataclass(frozen=True, slots=True)
class Shape:
    """How an answer leaves; None where that is as it comes."""

    grid: str | None
    length: str | None
    pace: str | None
    streams: bool
    """Whether it may be asked for as a stream."""


@dataclass(frozen=True, slots=True)
class Varies:
    """What an answer tells by other means than its predictions."""

    channel: str
    how: str


@dataclass(frozen=True, slots=True)
class Training:
    """What the policy declares of how models were trained; nobody here has checked it."""

    epsilon: float
    delta: float
    models: tuple[str, ...]
    """Patterns."""


@dataclass(frozen=True, slots=True)
class Surface:
    """A route as one policy has it, for some of its models."""

    policy: str
    route: str
    dialect: str
    high_risk: bool
    shadow: bool
    fidelity: str
    models: tuple[str, ...]
    """Patterns."""
    not_models: tuple[str, ...]
    """Patterns that other lines of the policy are about."""
    access: Access
    request: Request
    shape: Shape
    told: tuple[Told, ...]
    withheld: tuple[Kind, ...]
    """Kinds that the dialect could answer, and that do not pass."""
    kept: int
    """Fields of an answer that the route lets through, whatever they hold."""
    varies: tuple[Varies, ...]
    training: tuple[Training, ...] = ()
    """Declared of models of this surface; empty where nothing is."""
    reasons: tuple[Reason, ...] = ()
    """Worst first."""

    @property
    def rating(self) -> Rating:
        return worst(self.reasons)

    @property
    def bits_query(self) -> float:
        """Of one answer to one input."""
        return sum(each.bits for each in self.told) if not self.kept else math.inf

    @property
    def telling(self) -> bool:
        """Whether anything passes beside the structure of an answer."""
        return bool(self.told) or self.kept > 0

    @property
    def bits_request(self) -> float:
        return times(self.bits_query, self.request.inputs * self.request.choices)

    @property
    def bits_day(self) -> float:
        """For one principal."""
        return times(self.bits_request, self.access.principal_day)


@dataclass(frozen=True, slots=True)
class Inventory:
    """Of one policy file."""

    policy: str
    """The file's name."""
    tenant: str
    """Whose surfaces they are; empty where they are everybody's."""
    version: str
    assumed: Assumed
    tenants: int
    surfaces: tuple[Surface, ...]
    """Worst first."""
    reasons: tuple[Reason, ...]
    """About the file as a whole, worst first."""

    @property
    def rating(self) -> Rating:
        return max([worst(self.reasons), *(surface.rating for surface in self.surfaces)])


def worst(reasons: Sequence[Reason]) -> Rating:
    return max((reason.rating for reason in reasons), default=Rating.LOW)


def ranked(reasons: Sequence[Reason]) -> tuple[Reason, ...]:
    """Worst first, else in their order."""
    return tuple(sorted(reasons, key=lambda reason: -reason.rating))


def times(bits: float, count: float) -> float:
    """Of nothing, any number of times, there is nothing."""
    return bits * count if bits and count else 0.0
