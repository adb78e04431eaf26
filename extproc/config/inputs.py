"""What a route asks of its requests: the schema read and compiled, and every name of it checked.

Rule: a schema stands in its file, refers to no other, and can be decided in linear time: its
patterns have no look-around and no back-reference, and its formats are known.  A rule for a field
that the route's requests do not have, or for a tensor where there is none, is an error.
"""

import hashlib
from typing import Any, Final

import orjson

from extproc.config.diagnosis import shown
from extproc.config.document import Document, Place
from extproc.config.expectation import instead
from extproc.config.settings import InputSettings
from extproc.dialects import Dialect, KServeV2, KServeV2Grpc, TensorFlowGrpc
from extproc.dialects.gate import Object, gate_of
from extproc.units import octets
from extproc.validation import Contract, Domain, Schema, Size

MAX_SCHEMA: Final = 1 << 20
"""Bytes of a schema's file."""
CHECKED: Final = 256 << 10
"""Bytes of a body, by default, where it is looked into: some milliseconds."""
_UNBOUNDED: Final = 1 << 50
_PATTERN: Final = 1 << 20
"""Bytes of a compiled pattern."""
_TENSORS: Final = (KServeV2, KServeV2Grpc, TensorFlowGrpc)


def compile_contract(
    document: Document, place: Place, settings: InputSettings, dialect: Dialect
) -> Contract:
    """Raise ConfigError where a part of it could never hold, or the schema cannot be used."""
    gate = gate_of(dialect.read)
    size = Size(settings.depth, settings.array, settings.string, settings.count)
    contract = Contract(
        body=_body(settings),
        headers=octets(settings.headers) if settings.headers is not None else None,
        batch=settings.batch,
        size=size,
        schema=_schema(document, (*place, "schema"), settings.schema),
        fields=settings.fields,
        tensors=settings.tensors,
    )
    if contract.documents and gate is None:
        name = next((name for name in _OF_DOCUMENTS if getattr(settings, name)), "count")
        wrong = "the requests of this dialect are no JSON objects"
        raise document.fault((*place, name), wrong, "remove it")
    if settings.tensors and not _has_tensors(dialect):
        wrong = "the requests of this dialect hold no named tensors"
        raise document.fault((*place, "tensors"), wrong, "remove it, or write fields")
    for path, domain in settings.fields.items():
        assert gate is not None
        _check_field(document, (*place, "fields", path), path, gate, dialect)
        if not domain.types:
            wrong, remedy = "says nothing", "name a range, values, a length or characters"
            raise document.fault((*place, "fields", path), wrong, remedy)
        _check_domain(document, (*place, "fields", path), domain)
    for name, tensor in settings.tensors.items():
        _check_domain(document, (*place, "tensors", name), tensor)
    return contract


_OF_DOCUMENTS: Final = ("depth", "array", "string", "schema", "fields")


def _body(settings: InputSettings) -> int:
    if settings.body is not None:
        return octets(settings.body)
    looked_into = any(getattr(settings, name) for name in _OF_DOCUMENTS)
    return CHECKED if looked_into else _UNBOUNDED


def _has_tensors(dialect: Dialect) -> bool:
    if isinstance(dialect, TensorFlowGrpc):
        return dialect.call == "Predict"
    return isinstance(dialect, _TENSORS)


def _check_field(
    document: Document, place: Place, path: str, gate: Object, dialect: Dialect
) -> None:
    allowed = getattr(dialect, "allow_request", ())
    known = [*gate.fields, *allowed]
    name = path.partition(".")[0]
    if name not in known:
        wrong = f"requests have no field {shown(name)}"
        raise document.fault(place, wrong, instead(name, known))


def _check_domain(document: Document, place: Place, domain: Domain) -> None:
    for least, most in (("min", "max"), ("min_length", "max_length")):
        low, high = getattr(domain, least), getattr(domain, most)
        if low is not None and high is not None and low > high:
            wrong = f"more than {most}, so that nothing is left"
            raise document.fault((*place, least), wrong, "lower it")


def _schema(document: Document, place: Place, reference: str | None) -> Schema | None:
    if reference is None:
        return None
    path = document.folder(place) / reference.removeprefix("file:")
    try:
        text = document.files.read(path, MAX_SCHEMA)
    except OSError as error:
        wrong = f"{path} cannot be read ({error.strerror})"
        raise document.fault(place, wrong, "write file:PATH of a JSON Schema") from error
    if len(text) > MAX_SCHEMA:
        raise document.fault(place, f"larger than {MAX_SCHEMA} bytes", "write a shorter schema")
    return Schema(_validator(document, place, text), hashlib.sha256(text).hexdigest())


def _validator(document: Document, place: Place, text: bytes) -> Any:
    import jsonschema_rs  # noqa: PLC0415 - 3 MiB, for those who have a schema

    try:
        return jsonschema_rs.validator_for(
            orjson.loads(text),
            validate_formats=True,
            ignore_unknown_formats=False,
            pattern_options=jsonschema_rs.RegexOptions(
                size_limit=_PATTERN, dfa_size_limit=_PATTERN
            ),
            offline=True,
        )
    except orjson.JSONDecodeError as error:
        raise document.fault(place, f"no JSON: {error}", "correct it") from error
    except (jsonschema_rs.ValidationError, jsonschema_rs.ReferencingError, ValueError) as error:
        first = str(error).partition("\n")[0]
        wrong = f"no JSON Schema that can be used: {first:.200}"
        remedy = "correct it; a schema refers to itself alone, and its patterns look nowhere else"
        raise document.fault(place, wrong, remedy) from error
