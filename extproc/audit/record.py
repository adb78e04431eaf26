"""What the lines of an audit log say.

Rule: names, counts, codes and keyed digests; never a credential, a prompt, a vector or a score.
Every field but those of what is told (``Told``, below) is the log's own, and stands in no
query by default.
"""

from collections.abc import Mapping
from datetime import datetime
from typing import Any, Literal

from msgspec import Struct

from extproc.marks.stamps import Stamp

Decision = Literal["served", "refused", "cut", "unfinished"]
GapReason = Literal["crash", "queue", "refused", "seen"]
EnforcedBy = Literal[
    "start",  # of the sidecar
    "files",  # they have changed
    "signal",  # SIGHUP
]
End = Literal["", "rotated", "stopped"]
ActOutcome = Literal[
    "done",
    "unknown",  # the store did not say in time
]


class Record(Struct, frozen=True, tag_field="kind", tag="exchange"):
    """One exchange."""

    time: datetime
    """Of its end."""
    request: str
    """What clients are told as ``x-request-id``."""
    decision: Decision
    reason: str = ""
    """The true cause, where it was not served; the client was told its class alone."""
    detail: str = ""
    """Of a cause that the model server's answer gave: names and bounds; or which limit it was, or
    step of escalation."""
    shadow: bool = False
    """Whether this was only decided, by a policy on trial, and everything let through."""
    principal: str = ""
    """See Pseudonyms.principal."""
    tenant: str = ""
    route: str = ""
    model: str = ""
    inputs: int = 0
    """How many the request held."""
    stream: bool = False
    fingerprint: str = ""
    """See Pseudonyms.input."""
    epoch: str = ""
    """Which key fingerprint and principal are of."""
    policy: str = ""
    """Digest of the configuration that decided."""
    fidelity: str = ""
    changed: Mapping[str, int] = {}
    """What was stripped from or set in the request: how often, by place."""
    dropped: Mapping[str, int] = {}
    """What was stripped from the answer: how often, by place."""
    charge: Mapping[str, float] = {}
    """What it cost the caller, by unit; credits to the thousandth, all else in whole numbers."""
    status: int = 0
    """The HTTP status that the client got; 0 where it got none from here."""
    duration: float = 0.0
    """Seconds."""


class Act(Struct, frozen=True, tag_field="kind", tag="act"):
    """What an operator did about budgets, or suspects."""

    time: datetime
    act: str
    """``grant``, ``reset``, ``freeze`` or ``thaw``; about a suspect ``suspect_trust``,
    ``suspect_freeze`` or ``suspect_forgive``."""
    uid: int
    """Whose process asked for it, as the kernel says."""
    pid: int
    who: str
    """What the system calls that user; empty where it has no name."""
    tenant: str
    """Or ``cohort:`` and its name, or ``shared:``."""
    budget: str = ""
    """The name of the limit."""
    subject: str = ""
    """Whom it counts, among those that the limit tells apart; see Pseudonyms.subject.  Of an act
    about a suspect: see Suspected."""
    epoch: str = ""
    """Which key the subject is of."""
    amount: float | None = None
    """What was granted, in its unit; None where that is all that was spent.  Of an act about a
    suspect: the seconds that it holds for; None where it has no end."""
    unit: str = ""
    counters: int = 0
    """How many were changed."""
    policy: str = ""
    """Digest of the configuration in force."""
    outcome: ActOutcome = "done"


class Suspected(Struct, frozen=True, tag_field="kind", tag="suspected"):
    """What was found of somebody: a step of the ladder that begins or ends, or an alarm."""

    time: datetime
    finding: str
    """Its name, which is the id of the alert about it."""
    subject: str
    """Whose profile it is: a tenant, ``cohort:NAME``, or a tenant and a principal of it, by
    Pseudonyms.suspect."""
    tenant: str = ""
    principal: str = ""
    """See Pseudonyms.principal; empty where the profile is of more than one."""
    epoch: str = ""
    """Which key that is of."""
    traffic: str = ""
    """The traffic class."""
    suspicion: float = 0.0
    """From 0 to 1."""
    before: str = ""
    """The step that it stood on; empty for none."""
    after: str = ""
    """The step that it stands on now."""
    escalated: bool = False
    """Whether that is a higher one."""
    until: datetime | None = None
    """When that ends."""
    shadow: bool = False
    """Whether nothing comes of it, as a policy on trial has it."""
    evidence: Mapping[str, float] = {}
    """In nats, by detector; of those alone that say something."""
    counts: Mapping[str, int] = {}
    """What was counted of it."""
    policy: str = ""
    """Digest of the configuration that decided."""


class Seen(Struct, frozen=True, tag_field="kind", tag="seen", omit_defaults=True):
    """What detectors learned of one exchange, from which they can be asked again.

    It is a line of its own, since it is made when the exchange's own record has long been queued:
    that one waits for nothing.
    """

    time: datetime
    """Of its request."""
    request: str
    """As the exchange's own record has it."""
    tenant: str = ""
    principal: str = ""
    """See Pseudonyms.principal."""
    epoch: str = ""
    """Which key that is of."""
    route: str = ""
    network: str = ""
    """See detectors/observation.py."""
    client: str = ""
    reference: str = ""
    """By which reference it was looked at: see detectors/seen.py."""
    features: Mapping[str, Any] = {}
    """See detectors/seen.py: bucket numbers and keyed digests."""


class Enforced(Struct, frozen=True, tag_field="kind", tag="policy"):
    """Which policy is in force from now on."""

    time: datetime
    policy: str
    """Digest of the configuration."""
    before: str = ""
    """That of the one that was in force until now; empty where the sidecar has begun with it."""
    cause: EnforcedBy = "start"


class Marked(Struct, frozen=True, tag_field="kind", tag="mark"):
    """A cell of the input space that was answered as a mark, or as a control: see
    docs/ownership.md.  What was asked and answered is in the vault, sealed.
    """

    time: datetime
    """Of the answer."""
    request: str
    """As the exchange's own record has it."""
    tenant: str
    cohort: str
    """Whose key it was; empty where it was the tenant's own."""
    route: str
    model: str
    cell: str
    """A keyed digest of it, and of whose it is."""
    stamp: Stamp
    commitment: str
    """SHA-256 of the entry: see marks/entry.py."""
    policy: str = ""
    """Digest of the configuration that decided."""


class Opening(Struct, frozen=True, tag_field="kind", tag="open"):
    """The first line of a file."""

    time: datetime
    file: int
    """Its number in the log, from 1."""
    previous: str
    """Hash of the last line of the file before."""
    every: int
    """How many records stand between two checkpoints at most."""


class Gap(Struct, frozen=True, tag_field="kind", tag="gap"):
    """Records that are missing, and that the log itself knows of."""

    time: datetime
    reason: GapReason
    """``crash``: the process ended without a closing line.  ``queue``: records found no place.
    ``refused``: requests were turned away because the log could not be written.  ``seen``: what
    detectors learned was left out, for the sake of records."""
    count: int | None = None
    """How many; None where nobody can know."""
    torn: int = 0
    """Bytes after the last whole line, taken away."""


class Checkpoint(Struct, frozen=True, tag_field="kind", tag="checkpoint"):
    """A line that is signed, and with it all before."""

    time: datetime
    key: str
    """Which key signed: see signature.name."""
    end: End = ""
    """Why nothing follows in this file, or in this run of the process."""


Told = Record | Act | Suspected | Seen | Enforced | Marked
"""What is told to a log; all else it writes by itself."""
Entry = Told | Opening | Gap | Checkpoint
