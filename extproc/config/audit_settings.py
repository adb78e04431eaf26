"""The audit log of a policy file, and the vault that it commits to."""

from typing import Annotated, Literal

from msgspec import Meta, Struct

from extproc.units import Duration, SecretReference, Size


class CheckpointSettings(Struct, frozen=True, forbid_unknown_fields=True):
    """When the audit log is signed: after so many records, or so long after one of them."""

    every: Annotated[int, Meta(ge=1, le=1_000_000)] = 1000
    within: Duration = "10s"


class RotationSettings(Struct, frozen=True, forbid_unknown_fields=True):
    """When the audit log goes on in a new file, and how many old ones are kept."""

    size: Size = "100MiB"
    age: Duration = "1d"
    keep: Annotated[int, Meta(ge=1, le=100_000)] = 30


class AuditSettings(Struct, frozen=True, forbid_unknown_fields=True):
    """One record of every exchange, in files that show whether they were changed."""

    path: Annotated[str, Meta(min_length=1)]
    """The file that is written; older ones stand beside it, with a number behind their name."""
    key: SecretReference
    """Ed25519 private key that signs; from: extproc audit key."""
    pseudonyms: SecretReference | None = None
    """Under which callers and inputs are hashed; else keys.hmac.  Destroyed, nobody can tell any
    more whom or what its records are about."""
    checkpoint: CheckpointSettings = CheckpointSettings()
    rotate: RotationSettings = RotationSettings()
    full: Literal["refuse", "drop"] = "refuse"
    """What happens while records cannot be written: requests are refused, or records dropped and
    counted."""
    queue: Annotated[int, Meta(ge=1, le=1_000_000)] = 10_000
    """Records that may wait to be written; of some 1,000 bytes each."""
    fsync: Literal["always", "checkpoint", "never"] = "checkpoint"
    """When the disk must confirm: after every write, at every checkpoint, or when it likes."""


class OwnershipSettings(Struct, frozen=True, forbid_unknown_fields=True):
    """Where what marks are committed to is kept, sealed: see docs/ownership.md."""

    vault: Annotated[str, Meta(min_length=1)]
    """The file that entries are appended to, relative to the policy file."""
    recipient: SecretReference
    """X25519 public key that they are sealed to; from: extproc keys vault."""
    entries: Annotated[int, Meta(ge=1, le=10_000_000)] = 100_000
    """At most, in the file; each of some 500 bytes and its input.  Move it away, and another is
    begun."""
    queue: Annotated[int, Meta(ge=1, le=100_000)] = 1000
    """Entries that may wait to be written."""
    embeddings: Annotated[float, Meta(ge=0.0, le=1.0)] = 0.2
    """The share of distinct inputs whose embeddings are committed to, where a tier marks them by
    mark_positions; each of some 7 bytes a component besides.  They take no more than half of the
    entries, and of the queue."""
