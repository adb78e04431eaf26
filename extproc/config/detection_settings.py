"""``detection:`` and ``escalation:`` as types: who is looked for, and what becomes of them.

Rule: what a type cannot say is checked by detection.py and escalations.py.
"""

from typing import Annotated, Literal

from msgspec import Meta, Struct, field

from extproc.config.exhaustion_settings import ProofOfWorkSettings, ThrottleSettings
from extproc.config.names import Name
from extproc.credentials.claims import URL
from extproc.units import Duration, SecretReference

AlertUrl = Annotated[
    str,
    Meta(
        pattern=rf"^({URL})\Z",
        max_length=2048,
        description="https://HOST/PATH; http:// only of this machine",
    ),
]


class AlertSettings(Struct, frozen=True, forbid_unknown_fields=True):
    """Who is told that a caller's place on the ladder changes: a webhook, once at least."""

    url: AlertUrl
    """Where events are posted: CloudEvents, as JSON."""
    secret: SecretReference
    """Under which each is signed, by HMAC-SHA-256; at least 32 bytes."""
    ca: Annotated[str, Meta(min_length=1)] | None = None
    """File of the authorities that the receiver's certificate is of; else those of this machine."""


class LossSettings(Struct, frozen=True, forbid_unknown_fields=True):
    """What meets callers who are new since what was known of callers has been lost."""

    fidelity: Name
    """The tier that they are answered at, where theirs is above it."""


class DetectionSettings(Struct, frozen=True, forbid_unknown_fields=True):
    """Whether callers look as if they copied a model."""

    reference: Annotated[str, Meta(min_length=1, max_length=4096)]
    """File of what callers look like that use it: made by ``extproc calibrate``."""
    half_life: Duration = "7d"
    """After that long what a caller asked counts half."""
    per: Literal["tenant", "principal"] = "tenant"
    """Whose queries are looked at together, and who is suspected: a tenant with all its keys, or
    each of its principals by itself."""
    profiles: Annotated[int, Meta(ge=1, le=10_000_000)] = 100_000
    """Callers that are kept in mind; of at most 4 KiB each."""
    mode: Literal["enforce", "shadow"] = "enforce"
    """In the shadow what would be done is counted and told, and is not done."""
    on_loss: LossSettings | None = None
    """Without it, those of whom nothing is known any more are met as those who were never seen."""
    alerts: Annotated[tuple[AlertSettings, ...], Meta(max_length=16)] = ()
    """Nobody is told where none is named; records and metrics tell it all the same."""


class StepSettings(Struct, frozen=True, forbid_unknown_fields=True):
    """What becomes of callers from some suspicion on: one of throttle, fidelity, challenge and
    deny.  Those of all steps below hold with it, each for its own time.
    """

    above: Annotated[float, Meta(gt=0, lt=1, description="a number above 0 and below 1")]
    """The suspicion from which on it holds: 0.9 is what one of a thousand callers that mean well
    reaches once in its life."""
    time: Duration = field(name="for")
    """How long it holds, however suspicion falls meanwhile."""
    throttle: ThrottleSettings | None = None
    """The rate that is left."""
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
    deny: bool = False
    """Refused, as by a limit that is used up."""
