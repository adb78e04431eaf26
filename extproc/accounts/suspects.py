"""What an operator sees of suspects, and may say about them.

Rule: a subject is called as alerts and audit records call it: a tenant, ``cohort:NAME``, or
``TENANT|PSEUDONYM`` of a principal; whoever is asked about may be named so.
"""

from datetime import datetime
from typing import Annotated, Final, Literal

from msgspec import Meta, Struct

Word = Literal[
    "trust",  # it stands on no step, whatever it does
    "freeze",  # every request of it is refused
    "forgive",  # it stands on none, what was counted of it is nothing, and no word is left
]
SubjectName = Annotated[str, Meta(min_length=1, max_length=4200)]
FOREVER: Final = 10 * 365 * 86_400.0
"""Seconds that a word holds at most."""


class Suspects(Struct, frozen=True, forbid_unknown_fields=True, tag_field="do", tag="suspects"):
    """Some of them, in the order of their names."""

    after: Annotated[str, Meta(max_length=4200)] = ""


class ShowSuspect(
    Struct, frozen=True, forbid_unknown_fields=True, tag_field="do", tag="show_suspect"
):
    """All that is known of one."""

    subject: SubjectName


class Override(Struct, frozen=True, forbid_unknown_fields=True, tag_field="do", tag="override"):
    """What becomes of one, whatever the evidence."""

    subject: SubjectName
    word: Word
    seconds: Annotated[float, Meta(gt=0, le=FOREVER)] | None = None
    """For how long; None for ever."""


class Change(Struct, frozen=True):
    """A step that began or ended."""

    time: datetime
    before: str
    after: str
    suspicion: float
    shadow: bool


class Suspect(Struct, frozen=True):
    subject: str
    tenant: str
    """Empty where it is a cohort."""
    traffic: str
    """The traffic class that it is measured by."""
    suspicion: float
    """From 0 to 1."""
    step: str
    """Empty where it stands on none."""
    until: datetime | None
    """When that ends."""
    shadow: bool
    """Whether nothing comes of it, as a policy on trial has it."""
    word: Literal["", "trusted", "frozen"]
    """What an operator said."""
    word_until: datetime | None
    """None where that has no end."""
    evidence: dict[str, float]
    """In nats, by detector, the strongest first; of those alone that say something."""
    counts: dict[str, int]
    cohorts: tuple[str, ...] = ()
    """It is linked with."""
    history: tuple[Change, ...] = ()
    """Its latest, the latest last, as far as this sidecar saw them since it was started."""


class SuspectPage(Struct, frozen=True, tag_field="answer", tag="suspects"):
    suspects: tuple[Suspect, ...]
    after: str
    """What to ask for next, where there may be more; else empty."""


class ShownSuspect(Struct, frozen=True, tag_field="answer", tag="suspect"):
    suspect: Suspect


class Overridden(Struct, frozen=True, tag_field="answer", tag="overridden"):
    word: Word
    suspect: Suspect
    """As it stands since."""
    audited: bool = False
    """Whether an audit log has a record of it."""
