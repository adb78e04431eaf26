"""Limits, budgets and what a request costs, as types of the policy file."""

from typing import Annotated, Literal

from msgspec import Meta, Struct

from extproc.config.exhaustion_settings import ExhaustedSettings
from extproc.config.names import Name
from extproc.limits import Scope
from extproc.prediction import Kind
from extproc.privacy import LARGEST
from extproc.units import Duration

Counted = Literal["requests", "queries", "tokens", "credits", "bits", "concurrent"]
Most = Annotated[int, Meta(ge=1, le=1_000_000_000_000)]
RoutePattern = Annotated[
    str,
    Meta(
        pattern=r"^(\*|(GET|POST|\*) (\*|/\S*))\Z",
        max_length=1100,
        description="a route such as POST /v1/embeddings, in which * stands for any text",
    ),
]
ModelPattern = Annotated[
    str,
    Meta(
        min_length=1,
        max_length=256,
        description="the name of a model, in which * stands for any text",
    ),
]
Zone = Annotated[
    str,
    Meta(
        pattern=r"^[A-Za-z][A-Za-z0-9_+/-]{0,63}\Z",
        description="a time zone such as UTC or Europe/Berlin",
    ),
]


class PrefixSettings(Struct, frozen=True, forbid_unknown_fields=True):
    """How many bits of a client's address tell networks apart."""

    ipv4: Annotated[int, Meta(ge=8, le=32)] = 32
    ipv6: Annotated[int, Meta(ge=16, le=128)] = 64


class _Counting(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What limits and budgets have in common."""

    name: Name
    per: Scope | Annotated[tuple[Scope, ...], Meta(min_length=1, max_length=9)]
    """Whom it tells apart: each of these has an allowance of its own."""
    routes: Annotated[tuple[RoutePattern, ...], Meta(min_length=1)] = ("*",)
    """Whose requests count; all unless told otherwise."""
    models: tuple[ModelPattern, ...] = ()
    """All models where none is named."""
    risk: Literal["normal", "high"] | None = None
    """Only routes of this class, where one is named."""
    kinds: tuple[Kind, ...] = ()
    """Only bits, or privacy, of these kinds of prediction, where one is named."""
    prefix: PrefixSettings = PrefixSettings()
    """Of addresses."""


class LimitSettings(_Counting, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """At most ``max`` at once, refilled evenly over the window; or so much under way at a time."""

    count: Counted
    max: Most

    window: Duration | None = None
    """Needed, unless what is counted is what is under way: ``count: concurrent``."""


class BudgetSettings(_Counting, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """At most ``max`` in a period of the calendar, or in any time of the length of a window; or as
    much as a promise of privacy has room for, in a lifetime.
    """

    count: Counted | Literal["privacy"]
    max: Most | None = None
    """Of privacy, that follows from the next two."""
    epsilon: Annotated[float, Meta(gt=0, le=LARGEST)] | None = None
    """All that is answered tells of what is protected at most so much, but for ``delta``."""
    delta: Annotated[float, Meta(ge=0, lt=1)] | None = None
    """How likely more is told; 0 where that never happens."""

    window: Duration | None = None
    period: Literal["hour", "day", "month", "lifetime"] | None = None
    zone: Zone = "UTC"
    """Whose calendar it is."""
    exhausted: ExhaustedSettings = "deny"
    """What becomes of requests for which nothing is left."""


_Price = Annotated[float, Meta(ge=0, le=1_000_000)]


class ModelPrice(Struct, frozen=True, forbid_unknown_fields=True):
    """What some models are worth."""

    models: Annotated[tuple[ModelPattern, ...], Meta(min_length=1)]
    times: _Price


class CreditSettings(Struct, frozen=True, forbid_unknown_fields=True):
    """What a request costs: a sum, times what its model and its route's risk class are worth."""

    request: _Price = 0.0
    query: _Price = 1.0
    """Of each input."""
    input_token: _Price = 0.0
    output_token: _Price = 0.0
    high_risk: _Price = 1.0
    """Times so much on routes of high risk."""
    models: Annotated[tuple[ModelPrice, ...], Meta(max_length=100)] = ()
    """Times so much for models: the first that fits."""
