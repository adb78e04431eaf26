"""What is exposed whichever route is asked: how callers are known, who can reach the sidecar, and
what is left behind of a request.

Rule: as rating.py has it, each reason is about one setting that is missing.
"""

from collections.abc import Iterator
from datetime import datetime
from ipaddress import ip_address
from typing import Final

from extproc.config import Config
from extproc.config.privacy_budgets import FORGETFUL, is_forgetful
from extproc.config.settings import Settings
from extproc.credentials import ApiKey, Credential, Introspection, Jwt, Signature
from extproc.inventory.issued import issued
from extproc.inventory.rating import STRONG
from extproc.inventory.report import Rating, Reason
from extproc.policy import PolicyTable
from extproc.rollout import WHOLE
from extproc.units import seconds

LONG: Final = 300.0
"""Seconds that a token which was withdrawn may still be taken."""


def findings(config: Config, table: PolicyTable, now: datetime) -> Iterator[Reason]:
    """In no order.  ``now`` is what keys are old at."""
    settings = config.settings
    yield from _rollout(settings)
    yield from _addresses(settings)
    yield from _audit(settings)
    yield from _strangers(settings)
    yield from _unused(settings, table)
    if is_forgetful(settings):
        yield Reason(
            Rating.HIGH, FORGETFUL, "store: {kind: redis, ...}, one that keeps what it has"
        )
    for name, credential in settings.credentials.items():
        yield from _credential(name, credential)
    yield from _listed(settings)
    yield from issued(config, now)


def _rollout(settings: Settings) -> Iterator[Reason]:
    rollout = settings.rollout.rollout()
    match rollout.mode:
        case "off":
            how = "off: nobody looks, and everything passes, whoever asks"
        case "shadow":
            how = "in the shadow: everything passes, whoever asks"
        case _ if rollout.percent < WHOLE.percent:
            how = f"to {rollout.percent} % of tenants: all of the others', and of strangers, passes"
        case _:
            return
    yield Reason(Rating.CRITICAL, f"rollout {how}", "rollout: {mode: enforce, percent: 100}")


def _addresses(settings: Settings) -> Iterator[Reason]:
    if not _is_near(settings.listen):
        what = "listen: whoever reaches the address speaks to the sidecar as Envoy does"
        yield Reason(Rating.HIGH, what, "listen: unix:///run/extproc/extproc.sock")
    if settings.admin is not None and not _is_near(settings.admin):
        what = "admin: metrics, with names of routes and tenants' counts, can be had from elsewhere"
        yield Reason(Rating.MODERATE, what, "admin: 127.0.0.1:9102")
    if not _is_near(settings.health):
        what = "health: whether the sidecar serves can be had from elsewhere"
        yield Reason(Rating.LOW, what, "health: 127.0.0.1:9101")


def _is_near(address: str) -> bool:
    """Whether only this machine reaches it."""
    host = address.rpartition(":")[0].strip("[]")
    if address.startswith("unix://") or host == "localhost":
        return True
    return ip_address(host).is_loopback


def _audit(settings: Settings) -> Iterator[Reason]:
    if settings.audit is None:
        what = "no audit log: nobody can tell later who asked what, or how much"
        yield Reason(Rating.MODERATE, what, "audit: {path, key}; see docs/audit.md")
    elif settings.audit.full == "drop":
        what = "audit.full: whoever fills the disk asks without a trace"
        yield Reason(Rating.LOW, what, "full: refuse")


def _strangers(settings: Settings) -> Iterator[Reason]:
    for name, told, remedy in (
        ("timing", "the time tells what was looked at", "timing: {grid: 250ms}"),
        ("length", "the length tells which refusal it is", "length: {buckets: pow2}"),
    ):
        if getattr(settings, name) is None:
            what = f"strangers, who have no policy, are answered without {name}: {told}"
            yield Reason(Rating.LOW, what, f"{remedy}, at the top level")


def _unused(settings: Settings, table: PolicyTable) -> Iterator[Reason]:
    used = {tenant.policy for tenant in settings.tenants.values()}
    for name in settings.policies:
        if name not in used:
            what = f"policy {name}: no tenant has it, and it waits for one"
            yield Reason(Rating.LOW, what, "remove it")
    one = {tenant.policy: name for name, tenant in settings.tenants.items()}
    for route in table.routes:
        if not any((name, route.name) in table.policies for name in one.values()):
            what = f"route {route.name}: no tenant can ask it"
            yield Reason(Rating.LOW, what, "remove it")


def _credential(name: str, credential: Credential) -> Iterator[Reason]:
    place = f"credentials.{name}"
    match credential:
        case ApiKey() if credential.strength >= STRONG:
            what = f"{place}: a key counts as strong, and whoever copies one has it"
            yield Reason(Rating.LOW, what, "strength: 1, and a stronger credential beside it")
        case Jwt():
            yield from _jwt(place, credential)
        case Introspection() if seconds(credential.cache) > LONG:
            what = f"{place}: a token that its issuer revokes is taken for {credential.cache}"
            yield Reason(Rating.MODERATE, what, "cache: 60s")
        case Signature():
            yield from _signature(place, credential)
        case _:
            pass


def _jwt(place: str, credential: Jwt) -> Iterator[Reason]:
    old = [name for name in credential.algorithms if name.startswith("RS")]
    if old:
        what = f"{place}: {', '.join(old)} sign with the padding of PKCS #1 v1.5"
        yield Reason(Rating.LOW, what, "algorithms: [ES256], as far as the issuer can")
    if len(credential.algorithms) > 1:
        what = f"{place}: {len(credential.algorithms)} algorithms are taken of one issuer"
        yield Reason(Rating.LOW, what, "name the one that it signs with")
    if seconds(credential.skew) > LONG:
        what = f"{place}: expired tokens are taken for {credential.skew} more"
        yield Reason(Rating.MODERATE, what, "skew: 60s")


def _signature(place: str, credential: Signature) -> Iterator[Reason]:
    if seconds(credential.max_age) > LONG:
        what = f"{place}: a signature counts for {credential.max_age}"
        yield Reason(Rating.LOW, what, "max_age: 60s")
    shared = sum(key.secret is not None for key in credential.keys.values())
    if shared:
        what = f"{place}: {shared} keys are secrets that both ends have"
        yield Reason(Rating.LOW, what, "algorithm: ed25519, with a public_key")


def _listed(settings: Settings) -> Iterator[Reason]:
    """Keys that the policy itself lists."""
    lists = (tenant.principals for tenant in settings.tenants.values())
    keys = sum(each.startswith("key:") for principals in lists for each in principals)
    if keys:
        what = f"{keys} keys stand in the policy itself, and never expire"
        yield Reason(Rating.LOW, what, "credentials: {keys: {kind: api_key, file: keys.jsonl}}")
