"""Where counters live, as the policy file says it."""

from typing import Annotated, Literal

from msgspec import Meta, Struct, field

from extproc.units import Duration, SecretReference

_Counters = Annotated[int, Meta(ge=1, le=10_000_000)]


class MemoryStore(Struct, frozen=True, forbid_unknown_fields=True, tag_field="kind", tag="memory"):
    """In this process, which counts for itself."""

    max_counters: _Counters = 100_000
    """One for each limit and whom it counts; of some 200 bytes each."""
    share: _Counters = 10_000
    """The most of them that one tenant has; of those beyond all are counted together."""
    max_nonces: Annotated[int, Meta(ge=1, le=10_000_000)] = 300_000
    """Of signed requests, each kept for as long as its signature counts; of some 250 bytes each."""
    lease: Duration = "15m"
    """After that long what was reserved and never settled is given back, but for what is sure."""


class LocalShare(Struct, frozen=True, forbid_unknown_fields=True):
    """While the store cannot be reached, each replica counts for itself."""

    local: Annotated[float, Meta(gt=0, le=1)]
    """With this part of every limit, and at least 1."""


class Slices(Struct, frozen=True, forbid_unknown_fields=True):
    """What a replica takes of a limit at once, and serves requests from without a round trip."""

    share: Annotated[float, Meta(gt=0, le=0.25)] = 0.02
    """Of the limit's maximum."""
    time: Annotated[str, Meta(pattern=r"^([1-9]|[1-5][0-9])s\Z")] = field(default="5s", name="for")
    """How long it holds them; less than a minute."""


class RedisStore(Struct, frozen=True, forbid_unknown_fields=True, tag_field="kind", tag="redis"):
    """In a Redis or a Valkey, for any number of replicas together."""

    url: SecretReference
    """redis://, rediss:// (TLS) or unix://, with user and password; several hosts stand between
    commas: Sentinels, or nodes of a Cluster."""
    topology: Literal["single", "sentinel", "cluster"] = "single"
    master: Annotated[str, Meta(pattern=r"^[A-Za-z0-9._-]{1,64}\Z")] = "mymaster"
    """What Sentinels call the master."""
    sentinel_password: SecretReference | None = None
    """Of the Sentinels; the URL's is the master's."""
    ca: Annotated[str, Meta(min_length=1)] | None = None
    """File of the authorities that the server's certificate is of; else those of this machine."""
    certificate: Annotated[str, Meta(min_length=1)] | None = None
    """File of our own, where the server asks for one."""
    key: Annotated[str, Meta(min_length=1)] | None = None
    """File of its key."""
    prefix: Annotated[str, Meta(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]{0,63}\Z")] = "extproc"
    """Of all keys; sidecars with the same count together."""
    share: _Counters = 10_000
    """The most counters that one tenant has; of those beyond all are counted together."""
    reservations: _Counters = 100_000
    """The most that one tenant may have under way."""
    lease: Duration = "15m"
    """After that long what was reserved and never settled is given back, but for what is sure."""
    wait: Annotated[str, Meta(pattern=r"^([5-9]|[1-4][0-9])ms\Z")] = "40ms"
    """The most that a request waits for the store; less than 50ms."""
    on_failure: Literal["deny"] | LocalShare = "deny"
    """What happens while it cannot be reached, or has lost what it knew."""
    slices: Slices | None = None
    """Whether replicas take slices of limits, and count most requests by themselves."""


StoreSettings = MemoryStore | RedisStore
