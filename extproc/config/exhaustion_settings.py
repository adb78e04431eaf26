"""``exhausted:`` of a budget, as types: what becomes of a request when nothing is left."""

from typing import Annotated, Literal

from msgspec import Meta, Struct

from extproc.config.names import Name
from extproc.credentials.claims import Acr
from extproc.units import Duration


class ProofOfWorkSettings(Struct, frozen=True, forbid_unknown_fields=True):
    """How much work, in time of one core of a modest machine, on average."""

    kind: Literal["proof_of_work"]
    least: Duration = "250ms"
    """For so many ``bits``, or less, by whoever is not suspected."""
    most: Duration = "2s"
    """Whatever is asked, by whomever."""
    bits: Annotated[int, Meta(ge=1, le=1_000_000_000)] = 64
    """Twice as many cost twice as much."""


class ThrottleSettings(Struct, frozen=True, forbid_unknown_fields=True):
    """At most ``max`` requests at once, refilled evenly over the window."""

    max: Annotated[int, Meta(ge=1, le=1_000_000_000)]
    window: Duration


class OnTerms(Struct, frozen=True, forbid_unknown_fields=True):
    """One of these."""

    fidelity: Name | None = None
    """The tier that answers are given at."""
    challenge: (
        Annotated[
            Literal["proof_of_work"] | ProofOfWorkSettings,
            Meta(description="proof_of_work, or its configuration"),
        ]
        | None
    ) = None
    """What must be done first.  A name stands for the challenge with its defaults."""
    acr: Annotated[tuple[Acr, ...], Meta(min_length=1, max_length=16)] | None = None
    """Values of the claim ``acr``, one of which the caller's token must have."""
    throttle: ThrottleSettings | None = None
    """The rate that is left."""


ExhaustedSettings = Annotated[
    Literal["deny"] | OnTerms,
    Meta(description="deny, or one of fidelity, challenge, acr and throttle"),
]
