"""The policy file, as types.

Rule: what a type cannot say is checked by compile_table; an unknown field is an error everywhere.
"""

from typing import Annotated, Final, Literal

from msgspec import Meta, Struct, field

from extproc.caps import Caps
from extproc.config.audit_settings import AuditSettings, OwnershipSettings
from extproc.config.control import ControlSocket
from extproc.config.detection_settings import DetectionSettings, StepSettings
from extproc.config.limit_settings import (
    BudgetSettings,
    CreditSettings,
    LimitSettings,
    ModelPattern,
    RoutePattern,
)
from extproc.config.names import Name
from extproc.config.stores import MemoryStore, StoreSettings
from extproc.config.training import Declared
from extproc.credentials import ApiKey, Credential
from extproc.dialects import Dialect
from extproc.information import UNSIZED, Sizes
from extproc.marks.writing import Writing
from extproc.mutators import Mutator
from extproc.prediction import Kind
from extproc.rate_limit_fields import FAMILIES, Family
from extproc.rollout import Mode, Rollout
from extproc.units import Duration, SecretReference, Size
from extproc.validation import Domain, TensorDomain

Network = Annotated[
    str,
    Meta(
        pattern=r"^[0-9A-Fa-f:.]{2,45}/[0-9]{1,3}\Z",
        description="a range of IP addresses such as 10.0.0.0/8 or fd00::/8",
    ),
]
Address = Annotated[
    str,
    Meta(
        pattern=r"^(unix:///.+|(\[[0-9A-Fa-f:.]+\]|[0-9.]+|localhost):[1-9][0-9]{0,4})\Z",
        description="unix:///PATH, or an IP address and port such as 127.0.0.1:9100",
    ),
]
TcpAddress = Annotated[
    str,
    Meta(
        pattern=r"^(\[[0-9A-Fa-f:.]+\]|[0-9.]+|localhost):[1-9][0-9]{0,4}\Z",
        description="an IP address and port such as 127.0.0.1:9101",
    ),
]
SchemaReference = Annotated[
    str,
    Meta(pattern=r"^file:.+\Z", description="file:PATH of a JSON Schema"),
]
FieldPath = Annotated[
    str,
    Meta(
        pattern=r"^[^.\[\]]+(\.[^.\[\]]+)*\Z",
        max_length=256,
        description="the names that lead to a field, such as messages.content",
    ),
]
TensorName = Annotated[
    str, Meta(min_length=1, max_length=256, description="the name of an input tensor")
]
PathTemplate = Annotated[
    str,
    Meta(
        pattern=r"^(/(?!\.{1,2}(/|$))(\{[a-z][a-z0-9_]*\}(:[A-Za-z]+)?|[A-Za-z0-9._:@+-]+))+\Z",
        max_length=1024,
        description="a path such as /v1/embeddings or /v2/models/{model}/infer",
    ),
]
Principal = Annotated[
    str,
    Meta(
        pattern=(
            r"^(key:[0-9a-f]{64}|jwt:[!-{}~]{1,512}\|[ -~]{1,255}|mtls:sha256:[0-9a-f]{64}"
            r"|mtls:[a-z][a-z0-9+.-]*://[!-~]{1,2040})\Z"
        ),
        description="the hash of a key, as printed by: extproc keys hash; or jwt:ISSUER|SUBJECT, "
        "mtls:URI, or mtls:sha256:DIGEST of a certificate",
    ),
]
_CAPS: Final = Caps()


class KeySettings(Struct, frozen=True, forbid_unknown_fields=True):
    """Secrets, by reference."""

    hmac: SecretReference
    """Under which API keys are hashed, and from which keyed mutators draw; at least 32 bytes."""
    epoch: Annotated[int, Meta(ge=1, le=1_000_000)] = 1
    """Number of the key that keyed mutators draw from; another one draws everything anew."""


class CapSettings(Struct, frozen=True, forbid_unknown_fields=True):
    """Bounds on what is held in memory; see extproc.policy.Caps."""

    request: Size = _CAPS.request
    document: Size = _CAPS.document
    value: Size = _CAPS.value
    held: Size = _CAPS.held
    waiting: Annotated[int, Meta(ge=1, le=1_000_000)] = _CAPS.waiting


class ClientSettings(Struct, frozen=True, forbid_unknown_fields=True):
    """Proxies between clients and Envoy, whose word counts for where a request comes from."""

    proxies: Annotated[tuple[Network, ...], Meta(min_length=1, max_length=1000)]
    """Where they connect from."""
    trusted_hops: Annotated[int, Meta(ge=1, le=10)] = 1
    """How many of them each request passes."""


class RequirementSettings(Struct, frozen=True, forbid_unknown_fields=True):
    """What a caller must prove: credentials, by their names; by default any one there is."""

    any_of: tuple[Name, ...] = ()
    all_of: tuple[Name, ...] = ()
    strength: Annotated[int, Meta(ge=0, le=10)] | None = None
    """The least that the strongest of what is proven must have: by default any, on a route of high
    risk 2."""


class InputSettings(Struct, frozen=True, forbid_unknown_fields=True):
    """What the requests of a route must be; nothing is asked where nothing is said."""

    body: Size | None = None
    """The largest body; where it is looked into 256KiB unless told otherwise."""
    headers: Size | None = None
    """The most that all header fields may have, names and values."""
    depth: Annotated[int, Meta(ge=1, le=1000)] | None = None
    """Of objects and arrays in one another."""
    array: Annotated[int, Meta(ge=1, le=100_000_000)] | None = None
    """Items of one array, or members of one object."""
    string: Annotated[int, Meta(ge=1, le=100_000_000)] | None = None
    """Characters of one text."""
    count: Annotated[int, Meta(ge=1, le=10_000_000)] = 5_000
    """Objects and arrays in all, where sizes or fields are checked."""
    batch: Annotated[int, Meta(ge=1, le=1_000_000)] | None = None
    """Inputs of one request."""
    schema: SchemaReference | None = None
    """A JSON Schema, for the body as the client sent it."""
    fields: dict[FieldPath, Domain] = {}
    """What fields may hold, by their path of names."""
    tensors: dict[TensorName, TensorDomain] = {}
    """What input tensors may be, by name; others are refused where any is named."""


class RouteSettings(Struct, frozen=True, forbid_unknown_fields=True):
    """A path that may be asked; any other is denied."""

    path: PathTemplate
    dialect: Annotated[
        str | Dialect, Meta(description="the name of a dialect, or its configuration")
    ]
    """A name stands for the dialect with its defaults."""
    method: Literal["GET", "POST"] = "POST"
    credentials: RequirementSettings = RequirementSettings()
    risk: Literal["normal", "high"] = "normal"
    """Of high risk is what tells most of a model at once: embeddings, logits, similarities.  Such a
    route is there only for policies that name it under ``high_risk``, and for stronger
    credentials."""
    input: InputSettings = InputSettings()
    """What its requests must be, beside what the dialect says."""
    sizes: Sizes = UNSIZED
    """How large its answers are, which budgets in bits are reserved by: see docs/bits.md."""
    training_privacy: Declared | None = None
    """What was promised to each record trained on: see docs/dp-training.md.  Nothing checks it."""


_WHAT = "pass, or a list of mutators such as {kind: round, digits: 2}"
_Chain = Annotated[tuple[Mutator | Writing, ...], Meta(min_length=1)]
FidelitySettings = dict[Kind, Annotated[Literal["pass"] | _Chain, Meta(description=_WHAT)]]
"""A tier: what happens to each kind of prediction.  Kinds not named are dropped."""


class TimingSettings(Struct, frozen=True, forbid_unknown_fields=True):
    """When answers leave: at whole multiples of the grid after the request arrived."""

    grid: Duration


class LengthSettings(Struct, frozen=True, forbid_unknown_fields=True):
    """How long answers look."""

    buckets: Literal["pow2"] | Annotated[int, Meta(ge=256, le=1 << 20)]
    """Filled up to a power of two, of at least 512 bytes, or to a multiple of so many bytes."""


class StreamSettings(Struct, frozen=True, forbid_unknown_fields=True):
    """Streams leave in pieces of ``size`` bytes, one at every tick, whatever is ready."""

    tick: Duration
    size: Annotated[int, Meta(ge=64, le=65_536)] = 512


_Count = Annotated[int, Meta(ge=1, le=1_000_000_000)]


class AllowSettings(Struct, frozen=True, forbid_unknown_fields=True):
    """Features, of which any is granted that is not named here; see extproc.entitlement."""

    streaming: bool | None = None
    """Whether an answer may be asked for as a stream."""
    tools: bool | None = None
    """Whether tools may be named that the model calls."""
    batch: _Count | None = None
    """The most inputs of one request."""
    choices: _Count | None = None
    """The most answers to one input: n, best_of, candidateCount."""
    max_tokens: _Count | None = None
    """The most that may be asked to be written; set where a request names no maximum."""


class ExceptionSettings(Struct, frozen=True, forbid_unknown_fields=True):
    """What holds instead on some routes, for some models."""

    routes: Annotated[tuple[RoutePattern, ...], Meta(min_length=1)] = ("*",)
    models: tuple[ModelPattern, ...] = ()
    """All models where none is named."""
    fidelity: Name | None = None
    """Instead of the policy's."""
    allow: AllowSettings = AllowSettings()
    """Of what is not named here, what the policy allows."""
    deny: bool = False
    """Such a route, or such a model there, is as if it did not exist."""


class PolicySettings(Struct, frozen=True, forbid_unknown_fields=True):
    """What a tenant may ask, how much, and how exactly it is answered."""

    models: Annotated[tuple[ModelPattern, ...], Meta(min_length=1)]
    fidelity: Name
    routes: Annotated[tuple[RoutePattern, ...], Meta(min_length=1)] = ("*",)
    """Which routes there are for it; others are unknown."""
    high_risk: tuple[RoutePattern, ...] = ()
    """Which of them though they are of high risk."""
    allow: AllowSettings = AllowSettings()
    """Which features, and how much of them."""
    exceptions: Annotated[tuple[ExceptionSettings, ...], Meta(max_length=100)] = ()
    """What holds instead: of those for a route and a model the first."""
    repeatable: bool = True
    """Whether requests may fix what is drawn at random: a seed, a temperature near 0."""
    mode: Literal["enforce", "shadow"] = "enforce"
    """In the shadow everything is decided and recorded, and nothing is changed; but what the routes
    deny (path, method, media type, query string) stays denied."""
    limits: Annotated[tuple[LimitSettings, ...], Meta(max_length=50)] = ()
    """How much at once, and how much under way."""
    budgets: Annotated[tuple[BudgetSettings, ...], Meta(max_length=50)] = ()
    """How much in an hour, a day, a month, or ever."""
    traffic: Name = "user"
    """Which of the kinds of callers that the file ``detection.reference`` knows its callers are
    of: each has thresholds of its own."""
    escalation: Annotated[tuple[StepSettings, ...], Meta(max_length=10)] = ()
    """What becomes of callers that look as if they copied a model, the mildest first."""
    escalations_per_hour: Annotated[int, Meta(ge=1, le=1_000_000)] = 10
    """The most callers that are put on a step in an hour: were what detects them misled, it would
    not lock everybody out."""
    limit_headers: tuple[Family, ...] = FAMILIES
    """By which header fields callers are told what is left of their limits."""
    timing: TimingSettings | None = None
    """Instead of the file's own."""
    length: LengthSettings | None = None
    """Instead of the file's own."""
    stream: StreamSettings | None = None


class TenantSettings(Struct, frozen=True, forbid_unknown_fields=True):
    """Who owns which keys, and is which subject of an issuer.

    Keys of a key file, and tokens that say so, name their tenant themselves.
    """

    policy: Name
    cohort: Name | None = None
    """Those who belong together, and share what counts each cohort; by default nobody else."""
    exempt: bool = False
    """Whether it is never put on a step of ``escalation``, however it asks, and never marked."""
    principals: Annotated[tuple[Principal, ...], Meta(min_length=1)] = ()


class RolloutSettings(Struct, frozen=True, forbid_unknown_fields=True):
    """How far the file is in force."""

    mode: Mode = "enforce"
    """``off``: nobody looks, and everything passes.  ``shadow``: everything is decided and
    recorded, and everything passes, whoever asks for what."""
    percent: Annotated[int, Meta(ge=1, le=100)] = 100
    """Of its tenants for whom it is in force; for the others, and for strangers, it is as in the
    shadow.  Those of a smaller share are among those of a larger one."""

    def rollout(self) -> Rollout:
        return Rollout(self.mode, self.percent)


class Settings(Struct, frozen=True, forbid_unknown_fields=True):
    """The whole file."""

    version: Literal[1]
    listen: Address
    """Where Envoy asks, for ext_authz and ext_proc."""
    health: TcpAddress
    """Where probes ask, by grpc.health.v1."""
    keys: KeySettings
    routes: Annotated[tuple[RouteSettings, ...], Meta(min_length=1, max_length=200)]
    credentials: Annotated[dict[Name, Credential], Meta(min_length=1)] = field(
        default_factory=lambda: {"keys": ApiKey()}
    )
    """What callers prove who they are by; API keys unless told otherwise."""
    admin: TcpAddress | None = None
    """Where /metrics, /livez and /readyz are."""
    control: ControlSocket | None = None
    """Where ``extproc tenants`` asks and acts; its file is the sidecar's user's alone."""
    store: StoreSettings = MemoryStore()
    caps: CapSettings = CapSettings()
    drain: Duration = "30s"
    """How long running exchanges may finish after SIGTERM."""
    notice: Duration = "0s"
    """How long new ones are still taken after SIGTERM, while whoever asks for its health goes
    elsewhere."""
    fidelities: dict[Name, FidelitySettings] = {}
    """Best first."""
    policies: dict[Name, PolicySettings] = {}
    tenants: dict[Name, TenantSettings] = {}
    limits: Annotated[tuple[LimitSettings, ...], Meta(max_length=50)] = ()
    """Of all tenants together, but for those that they tell apart."""
    budgets: Annotated[tuple[BudgetSettings, ...], Meta(max_length=50)] = ()
    """Of all tenants together, but for those that they tell apart."""
    credits: CreditSettings = CreditSettings()
    """What a request costs where credits are counted."""
    timing: TimingSettings | None = None
    """Of policies without their own, and of what is answered to strangers."""
    length: LengthSettings | None = None
    """Of policies without their own, and of what is answered to strangers."""
    clients: ClientSettings | None = None
    """Without it, a request comes from whoever connects to Envoy."""
    audit: AuditSettings | None = None
    """Where every request leaves a record."""
    ownership: OwnershipSettings | None = None
    """Where the marks are told that a copied model is known by."""
    detection: DetectionSettings | None = None
    """Without it, nobody looks at how callers ask."""
    rollout: RolloutSettings = RolloutSettings()
    """In force for all, unless told otherwise."""
