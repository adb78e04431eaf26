"""What is asked over the control socket, and answered: one JSON object a line.

Rule: every text that is asked is bounded, and an unknown field is an error.
"""

from typing import Annotated, Final, Literal

import msgspec
from msgspec import Meta, Struct

from extproc.accounts.rows import Row
from extproc.accounts.suspects import (
    Overridden,
    Override,
    ShownSuspect,
    ShowSuspect,
    SuspectPage,
    Suspects,
)

LONGEST: Final = 64 << 10
"""Bytes of a line that is asked."""
MOST: Final = 200
"""Counters of one answer."""

Whom = Annotated[str, Meta(min_length=1, max_length=80)]
Name = Annotated[str, Meta(min_length=1, max_length=64)]
Subject = Annotated[str, Meta(max_length=4096)]
ActName = Literal["grant", "reset", "freeze", "thaw"]


class Tenants(Struct, frozen=True, forbid_unknown_fields=True, tag_field="do", tag="tenants"):
    """Some of them, with the counters that are most used."""

    after: Annotated[str, Meta(max_length=80)] = ""
    private: bool = False
    """Only budgets of privacy, and of those all counters that one answer has room for."""


class Show(Struct, frozen=True, forbid_unknown_fields=True, tag_field="do", tag="show"):
    """The counters of one."""

    whom: Whom
    most: Annotated[int, Meta(ge=1, le=MOST)] = 50


class Grant(Struct, frozen=True, forbid_unknown_fields=True, tag_field="do", tag="grant"):
    """Give so much of a limit, in its unit."""

    whom: Whom
    limit: Name
    amount: Annotated[float, Meta(gt=0, le=1e12)]
    subject: Subject | None = None


class Reset(Struct, frozen=True, forbid_unknown_fields=True, tag_field="do", tag="reset"):
    """Give back all that was spent of a limit."""

    whom: Whom
    limit: Name
    subject: Subject | None = None
    all: bool = False
    """Of every subject that it counts."""


class Freeze(Struct, frozen=True, forbid_unknown_fields=True, tag_field="do", tag="freeze"):
    """Refuse all requests of a tenant."""

    whom: Whom


class Thaw(Struct, frozen=True, forbid_unknown_fields=True, tag_field="do", tag="thaw"):
    """Let a tenant in again."""

    whom: Whom


ACTS: Final = (Grant, Reset, Freeze, Thaw)
Acting = Grant | Reset | Freeze | Thaw
AboutSuspects = Suspects | ShowSuspect | Override
Ask = Tenants | Show | Acting | AboutSuspects


class Holder(Struct, frozen=True):
    """Whose counters they are."""

    whom: str
    frozen: bool
    counters: tuple[Row, ...]
    more: int = 0
    """Counters beside these."""
    elsewhere: dict[str, list[str]] = {}
    """What a tenant counts against together with others: limits, by whose they are."""
    suspicion: float | None = None
    """Of a tenant, or of the most suspicious principal of it; None where nobody looks."""
    step: str = ""
    """Where that one stands on the ladder."""


class Page(Struct, frozen=True, tag_field="answer", tag="page"):
    holders: tuple[Holder, ...]
    after: str
    """The last of them, where there may be more; else empty."""


class Shown(Struct, frozen=True, tag_field="answer", tag="shown"):
    holder: Holder


class Done(Struct, frozen=True, tag_field="answer", tag="done"):
    """An act that was done."""

    act: ActName
    whom: str
    limit: str = ""
    subject: str = ""
    amount: float | None = None
    unit: str = ""
    counters: int = 0
    """How many were changed."""
    now: Row | None = None
    """The counter since, where it is one."""
    audited: bool = False
    """Whether an audit log has a record of it."""


class Failed(Struct, frozen=True, tag_field="answer", tag="failed"):
    kind: Literal["malformed", "unknown", "refused", "unavailable", "busy", "internal"]
    message: str


Answer = Page | Shown | Done | SuspectPage | ShownSuspect | Overridden | Failed

encode = msgspec.json.Encoder().encode
decode_ask = msgspec.json.Decoder(Ask).decode
decode_answer = msgspec.json.Decoder(Answer).decode
