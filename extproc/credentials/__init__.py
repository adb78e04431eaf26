"""Who is calling.  A credential is a function from a request to what it proves.

To add one: write a file here with a class that is its configuration (its fields are the YAML's
fields) and a Prover beside it, add the class to the Credential union and have config/credentials.py
compile one into the other.  What a route asks for stands in requirement.py.
"""

from extproc.credentials.api_key import ApiKey, ApiKeys
from extproc.credentials.envoy_jwt import EnvoyJwt, EnvoyJwts
from extproc.credentials.introspection import Introspection, Introspections
from extproc.credentials.jwt import Jwt, Jwts
from extproc.credentials.mtls import Certificates, Mtls
from extproc.credentials.proof import Needed, Once, Proof, Prover, Replays
from extproc.credentials.requirement import ANY, Requirement, Weak, authenticate
from extproc.credentials.signature import Signature, Signatures, SigningKey

__all__ = [
    "ANY",
    "ApiKey",
    "ApiKeys",
    "Certificates",
    "Credential",
    "EnvoyJwt",
    "EnvoyJwts",
    "Introspection",
    "Introspections",
    "Jwt",
    "Jwts",
    "Mtls",
    "Needed",
    "Once",
    "Proof",
    "Prover",
    "Replays",
    "Requirement",
    "Signature",
    "Signatures",
    "SigningKey",
    "Weak",
    "authenticate",
]

Credential = ApiKey | Jwt | Introspection | EnvoyJwt | Mtls | Signature
