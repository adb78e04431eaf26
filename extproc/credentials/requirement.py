"""What a route asks for: which credentials, together or one of them, and how strong.

Rules: a request that proves two tenants proves none, since servers behind us would choose between
them in their own way.  Of several proofs the strongest names the principal.  A credential that is
not strong enough is told so (RFC 9470), but only to whoever it belongs to.
"""

from collections.abc import Collection, Mapping

from msgspec import Struct, structs

from extproc.cause import Cause, furthest
from extproc.credentials.proof import Needed, Proof, Prover
from extproc.events import CheckedRequest


class Requirement(Struct, frozen=True):
    """By the names that the policy calls its credentials."""

    any_of: tuple[str, ...] = ()
    """One of these; empty: one of all there are."""
    all_of: tuple[str, ...] = ()
    """And each of these, of one tenant."""
    strength: int = 0
    """The least that the strongest of them must have."""
    acr_values: tuple[str, ...] = ()
    """What to ask an issuer for to be strong enough (OpenID Connect Core, section 2, ``acr``)."""


ANY = Requirement()


class Weak(Struct, frozen=True):
    """A valid credential of less strength than the route asks for."""

    proof: Proof


def authenticate(
    request: CheckedRequest,
    requirement: Requirement,
    provers: Mapping[str, Prover],
    owners: Mapping[str, str],
    now: float,
) -> Proof | Weak | Needed | Cause:
    """Who asks, whose tenant is named in the proof; or why the request does not prove it.

    ``owners`` is principal to tenant, ``now`` is in seconds of wall time.
    """
    one_of = requirement.any_of or (() if requirement.all_of else tuple(provers))
    proofs: dict[str, Proof] = {}
    causes: list[Cause] = []
    needed: Needed | None = None
    for name in dict.fromkeys((*requirement.all_of, *one_of)):
        proven = provers[name].prove(request, now)
        if isinstance(proven, Needed):
            needed = needed or proven
        elif isinstance(proven, Cause):
            causes.append(proven)
        elif proven.tenant:
            proofs[name] = proven
        elif tenant := owners.get(proven.principal):
            proofs[name] = structs.replace(proven, tenant=tenant)
        else:
            causes.append(Cause.PRINCIPAL_UNLISTED)
    agreed = len(proofs) == 1 or len({proof.tenant for proof in proofs.values()}) == 1
    if proofs and not agreed:
        causes.append(Cause.TENANTS_DIFFER)
    if not (agreed and _suffices(proofs, requirement.all_of, one_of)):
        return needed or furthest(causes)
    strongest = _bound(max(proofs.values(), key=lambda proof: proof.strength), proofs.values())
    return strongest if strongest.strength >= requirement.strength else Weak(strongest)


def _bound(strongest: Proof, proofs: Collection[Proof]) -> Proof:
    """What was signed, and how an owner was authenticated, holds for the request, whichever of its
    proofs names the principal.
    """
    signed = next((proof for proof in proofs if proof.once is not None), strongest)
    acr = strongest.acr or next((proof.acr for proof in proofs if proof.acr), "")
    if signed is strongest and acr == strongest.acr:
        return strongest
    return structs.replace(strongest, digest=signed.digest, once=signed.once, acr=acr)


def _suffices(
    proofs: Mapping[str, Proof], all_of: Collection[str], one_of: Collection[str]
) -> bool:
    each = all(name in proofs for name in all_of)
    return each and (not one_of or any(name in proofs for name in one_of))
