"""Why a request was refused, by the names that records, metrics and the audit log have for it.

Rule: closed, so that nothing a client sent can be one of them; and no answer depends on which it
is.  Those of credentials stand in the order of how far a credential got: of several that prove
nothing, the record names the one that got furthest.
"""

from collections.abc import Iterable
from enum import StrEnum
from typing import Self


class Cause(StrEnum):
    """A name, and what it means."""

    meaning: str

    def __new__(cls, name: str, meaning: str) -> Self:
        member = str.__new__(cls, name)
        member._value_, member.meaning = name, meaning
        return member

    # Who asks is not known: 401.
    CREDENTIAL_MISSING = "credential_missing", "nothing that a credential of the policy reads"
    KEY_MALFORMED = "key_malformed", "nothing that can be an API key"
    TOKEN_MALFORMED = "token_malformed", "not one bearer token, or none that can be read"
    CERTIFICATE_UNKNOWN = "certificate_unknown", "a client certificate that is nobody's"
    SIGNATURE_MALFORMED = "signature_malformed", "not one signature, or none that can be read"
    KEY_AMBIGUOUS = "key_ambiguous", "header fields that name different API keys"
    KEY_UNKNOWN = "key_unknown", "an API key that nobody has"
    CREDENTIAL_OTHER = "credential_other", "valid, but not all that the route asks for"
    TOKEN_ISSUER = "token_issuer", "a token of another issuer"
    TOKEN_ALGORITHM = "token_algorithm", "signed by an algorithm that is not the issuer's"
    TOKEN_INACTIVE = "token_inactive", "a token that its issuer takes for none"
    TOKEN_KEYS_MISSING = "token_keys_missing", "the issuer's keys could not be had, or are stale"
    TOKEN_KEY_UNKNOWN = "token_key_unknown", "signed by a key that the issuer does not list"
    TOKEN_SIGNATURE = "token_signature", "a signature that is not the issuer's"
    TOKEN_CLAIMS = "token_claims", "a claim is missing, or of another type than it should be"
    TOKEN_BOUND = "token_bound", "bound to a key of its owner, and merely borne"
    TOKEN_EARLY = "token_early", "issued, or valid, at a time to come"
    TOKEN_EXPIRED = "token_expired", "a token of a time that is over"
    TOKEN_AUDIENCE = "token_audience", "a token for others"
    TOKEN_TENANT = "token_tenant", "names a tenant that the policy does not have"
    SIGNATURE_KEY_UNKNOWN = "signature_key_unknown", "signed by a key that nobody has"
    SIGNATURE_ALGORITHM = "signature_algorithm", "names another algorithm than its key has"
    SIGNATURE_EARLY = "signature_early", "signed at a time to come"
    SIGNATURE_EXPIRED = "signature_expired", "signed too long ago, or expired"
    SIGNATURE_UNCOVERED = "signature_uncovered", "does not cover all that decides what is asked"
    SIGNATURE_DIGEST = "signature_digest", "a content-digest that names no digest we know"
    SIGNATURE_WRONG = "signature_wrong", "not a signature of the request, by its key"
    KEY_EXPIRED = "key_expired", "an API key of a time that is over"
    KEY_REVOKED = "key_revoked", "an API key that was revoked"
    CERTIFICATE_AMBIGUOUS = "certificate_ambiguous", "a client certificate that is two tenants'"
    PRINCIPAL_UNLISTED = "principal_unlisted", "somebody whom no tenant lists"
    TENANTS_DIFFER = "tenants_differ", "credentials of two tenants"
    REPLAYED = "replayed", "a signed request that was served before"
    BODY_NOT_AS_SIGNED = "body_not_as_signed", "another body than the one that was signed"

    # What is asked is not there for this tenant: 404.
    ROUTE_NOT_GRANTED = "route_not_granted", "a route that the tenant's policy does not have"
    QUERY_UNKNOWN = "query_unknown", "a query parameter that the API does not know"
    UPGRADE = "upgrade", "another protocol on the same connection, as WebSocket is"
    MODEL_DENIED = "model_denied", "a model that an exception of the policy denies"
    UPSTREAM_NOT_FOUND = "upstream_not_found", "granted, but the model server has no such model"

    # It is there, but not so: 403.
    FEATURE_STREAMING = "feature_streaming", "a stream"
    FEATURE_TOOLS = "feature_tools", "tools"
    FEATURE_BATCH = "feature_batch", "more inputs than are granted"
    FEATURE_CHOICES = "feature_choices", "more answers to one input than are granted"
    FEATURE_MAX_TOKENS = "feature_max_tokens", "more tokens than are granted"

    # A budget is used up, and work was to be done for more: 429.
    CHALLENGED = "challenged", "no solution of a challenge, where one would let it pass"
    SOLUTION_MALFORMED = "solution_malformed", "nothing that can be the solution of a challenge"
    SOLUTION_FOREIGN = "solution_foreign", "of a challenge that is another's, or nobody's"
    SOLUTION_EXPIRED = "solution_expired", "of a challenge of a time that is over"
    SOLUTION_WRONG = "solution_wrong", "no solution of the challenge that it names"
    SOLUTION_SPENT = "solution_spent", "a solution that was used before"
    SOLUTION_CHEAP = "solution_cheap", "of a challenge for less than is asked now"

    # What was sent cannot be read, or is not as the route wants it: 400, 413, 415.
    CONTENT_CODING = "content_coding", "a body that is compressed"
    MEDIA_TYPE_UNCHECKED = "media_type_unchecked", "a body that the route's rules cannot look at"
    INPUT_TOO_LARGE = "input_too_large", "a body above the route's own bound"
    INPUT_SIZE = "input_size", "too deep, too many, or too long"
    INPUT_SCHEMA = "input_schema", "not of the route's JSON Schema"
    INPUT_FIELD = "input_field", "a field outside its domain"
    INPUT_TENSOR = "input_tensor", "a tensor outside its domain"
    INPUT_BATCH = "input_batch", "more inputs than the route takes"

    # It is more than may be had now: 429.
    SUSPECTED = "suspected", "looks like somebody who copies a model"
    TENANT_STOPPED = "tenant_stopped", "an operator has stopped the tenant"

    # The service cannot answer now: 503.
    OVERLOADED = "overloaded", "more is held, or waits, than caps allow"
    AUDIT_UNAVAILABLE = "audit_unavailable", "a record could not be kept"
    STORE_UNAVAILABLE = "store_unavailable", "the store did not answer in time, or is full"
    ISSUER_UNAVAILABLE = "issuer_unavailable", "an issuer could not be asked about a token"
    UPSTREAM_ERROR = "upstream_error", "the model server, or the way to it"


_FAR = {cause: place for place, cause in enumerate(Cause)}


def furthest(causes: Iterable[Cause]) -> Cause:
    """Of the credentials that prove nothing, how far the best of them got."""
    return max(causes, key=_FAR.__getitem__, default=Cause.CREDENTIAL_MISSING)
