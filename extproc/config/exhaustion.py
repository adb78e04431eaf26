"""What becomes of a request for which a budget has nothing left: from the settings to an action.

Rule: one thing happens to a request for which nothing is left; two would leave open which.
"""

from collections.abc import Collection
from typing import Final, Literal

from extproc.config.document import Document, Place
from extproc.config.exhaustion_settings import OnTerms, ProofOfWorkSettings, ThrottleSettings
from extproc.config.expectation import instead, one_of
from extproc.limits import microseconds
from extproc.limits.exhaustion import (
    PER_SECOND,
    Action,
    Challenge,
    Deny,
    Lower,
    StepUp,
    Throttle,
)
from extproc.limits.rate import Rate
from extproc.units import seconds

LONGEST: Final = 10.0
"""Seconds of the dearest challenge: its solution is checked in less than 5 ms."""
_ACTIONS: Final = ("fidelity", "challenge", "acr", "throttle")


def compile_exhausted(
    document: Document,
    place: Place,
    settings: Literal["deny"] | OnTerms,
    budget: str,
    tiers: Collection[str],
) -> Action:
    """The action; ``tiers`` are those that there are.  Raise ConfigError unless it is one."""
    if isinstance(settings, str):
        return Deny()
    named = [name for name in _ACTIONS if getattr(settings, name) is not None]
    if len(named) != 1:
        wrong = f"has {' and '.join(named)}" if named else "says nothing"
        raise document.fault(place, wrong, f"write deny, or {one_of(_ACTIONS)}")
    if settings.fidelity is not None:
        return _lower(document, (*place, "fidelity"), settings.fidelity, tiers)
    if settings.challenge is not None:
        return _challenge(document, (*place, "challenge"), settings.challenge)
    if settings.acr is not None:
        return StepUp(settings.acr)
    assert settings.throttle is not None  # one of them is there
    return _throttle(budget, settings.throttle)


def _lower(document: Document, place: Place, tier: str, tiers: Collection[str]) -> Lower:
    if tier not in tiers:
        raise document.fault(place, "no such tier under fidelities", instead(tier, tiers))
    return Lower(tier)


def _challenge(
    document: Document, place: Place, settings: Literal["proof_of_work"] | ProofOfWorkSettings
) -> Challenge:
    asked = ProofOfWorkSettings("proof_of_work") if isinstance(settings, str) else settings
    least, most = seconds(asked.least), seconds(asked.most)
    if most > LONGEST:
        raise document.fault((*place, "most"), "is too long", f"write at most {LONGEST:.0f}s")
    if least > most:
        raise document.fault((*place, "least"), "is above most", f"write at most {asked.most}")
    return Challenge(round(least * PER_SECOND), round(most * PER_SECOND), asked.bits)


def _throttle(budget: str, settings: ThrottleSettings) -> Throttle:
    """Its rule has a name that no rule of a policy can have."""
    name, window = f"{budget}:throttle/{settings.window}", microseconds(seconds(settings.window))
    return Throttle(Rate(name, settings.max, window))
