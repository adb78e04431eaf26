"""The two header fields of a signed request, ``Signature-Input`` and ``Signature`` (RFC 9421).

Rules: one signature and no more, in the one way that RFC 8941 (section 4.1) writes it, so that the
text itself is what was signed; every name once; components without parameters; no parameter that
RFC 9421 (section 2.3) does not have.  Whatever else stands there is no signature.
"""

import re
from base64 import b64decode
from typing import Final

from msgspec import Struct

LONGEST_INPUT: Final = 2048
LONGEST_SIGNATURE: Final = 1024
"""Characters; an RSA signature of 4096 bits has 684."""
MOST_COMPONENTS: Final = 32

_LABEL: Final = r"[a-z*][a-z0-9_.*-]{0,63}"
_NAME: Final = r'"@?[a-z0-9][a-z0-9-]{0,63}"'
_TEXT: Final = r'"[ !#-\[\]-~]{1,256}"'  # without the two characters that would be escaped
_INTEGER: Final = r"(?:0|[1-9][0-9]{0,14})"
_PARAMETER: Final = rf";(?:(created|expires)=({_INTEGER})|(nonce|alg|keyid|tag)=({_TEXT}))"
_INPUT: Final = re.compile(rf"({_LABEL})=(\(({_NAME}(?: {_NAME})*)\)((?:{_PARAMETER})+))", re.ASCII)
_PARAMETERS: Final = re.compile(_PARAMETER, re.ASCII)
_BASE64: Final = r"(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?"
_SIGNATURE: Final = re.compile(rf"({_LABEL})=:({_BASE64}):", re.ASCII)


class Signed(Struct, frozen=True):
    """What a signature says it is."""

    components: tuple[str, ...]
    created: int
    nonce: str
    key: str
    """``keyid``: which key to check with."""
    parameters: str
    """The value of ``@signature-params``, as it was signed."""
    signature: bytes
    algorithm: str = ""
    expires: int | None = None


def read(signature_input: str, signature: str) -> Signed | None:
    """The one signature of a request; None where there is none, or more, or something else."""
    if len(signature_input) > LONGEST_INPUT or len(signature) > LONGEST_SIGNATURE:
        return None
    said, given = _INPUT.fullmatch(signature_input), _SIGNATURE.fullmatch(signature)
    if said is None or given is None or said[1] != given[1]:
        return None
    components = tuple(said[3].replace('"', "").split(" "))
    parameters = _parameters(said[4])
    if parameters is None or _repeated(components):
        return None
    return _signed(components, parameters, said[2], b64decode(given[2]))


def _repeated(components: tuple[str, ...]) -> bool:
    return len(components) > MOST_COMPONENTS or len(set(components)) != len(components)


def _parameters(text: str) -> dict[str, str] | None:
    """By name, without quotes; None where one is repeated."""
    found: dict[str, str] = {}
    for number, integer, name, string in _PARAMETERS.findall(text):
        if (number or name) in found:
            return None
        found[number or name] = integer or string[1:-1]
    return found


def _signed(
    components: tuple[str, ...], parameters: dict[str, str], text: str, signature: bytes
) -> Signed | None:
    """What names no key, no time or no nonce proves nothing: it could be shown for ever."""
    if not parameters.keys() >= {"created", "nonce", "keyid"}:
        return None
    expires = parameters.get("expires")
    return Signed(
        components,
        int(parameters["created"]),
        parameters["nonce"],
        parameters["keyid"],
        text,
        signature,
        parameters.get("alg", ""),
        int(expires) if expires is not None else None,
    )
