"""Every row of the table of APIs, held against what the code does.

A place of an answer holds a secret in an exchange of the sweep, which goes through real Envoy in
tests/e2e/test_sweep.py; it passes with the kind that the table says, and without it does not.
"""

import hmac
from collections.abc import Iterator
from dataclasses import replace
from email.message import Message as Form
from email.parser import BytesParser
from functools import cache
from typing import Any, Final, get_args

import orjson
import pytest
from google.protobuf.json_format import ParseDict

from extproc.admission import Admitted, Denied, admit
from extproc.dialects import Dialect, KServeV2Grpc, Status, TensorFlowGrpc
from extproc.dialects.answers import Array, Events, Lines
from extproc.dialects.gate import Terms
from extproc.dialects.grpc_dialect import framed, unframed
from extproc.dialects.multipart import Part, write_form
from extproc.errors import ClientError
from extproc.events import CheckedRequest
from extproc.prediction import KINDS, Kind
from tests.corpus.exchanges import SECRETS, Recorded, dialect_of, recorded
from tests.corpus.surfaces import (
    Ask,
    Effect,
    Surface,
    To,
    Whose,
    having,
    spelt_out,
    surfaces,
    values,
)
from tests.laws.serving import OPEN, TEXT_AND_LABEL, answer_of, serve
from tests.playbook import HMAC_KEY, policy, table
from tests.protos import message

EXCHANGES: Final = {one.name: one for one in recorded()}
POOREST: Final = Terms((), repeatable=False, alternatives=0, salt="salt")
EVERY: Final = frozenset(KINDS)
RICHEST: Final = Terms(KINDS, untouched=KINDS, salt="salt")
GRPC: Final = (KServeV2Grpc, TensorFlowGrpc)


# Answers.

LEAKS: Final = [
    pytest.param(surface, name, whose, place, id=f"{name}-{whose}-{place}")
    for surface in surfaces()
    for name, places in surface.exchanges
    for whose, listed in places.items()
    for each in listed
    for place in spelt_out(each)
    if whose != "fault"
]
FAULTS: Final = [
    pytest.param(surface.document, place, id=f"{surface.document}-{place}")
    for surface in surfaces()
    for place in surface.leaks.get("fault", ())
]


def failing(one: Recorded, said: Any) -> bytes:
    """An answer that says this alone, or a stream that says it first."""
    written = orjson.dumps(said)
    match answer_of(one):
        case Events(named=named):
            name = b"event: " + said["type"].encode() + b"\n" if named else b""
            return name + b"data: " + written + b"\n\n" + one.answer
        case Lines():
            return written + b"\n" + one.answer
        case Array():
            return b"[" + written + b"," + one.answer.lstrip()[1:]
        case _:
            return written


FAILURES: Final = [
    pytest.param(EXCHANGES[name], failing(EXCHANGES[name], said), id=f"{name}-{number}")
    for surface in surfaces()
    for name, _ in surface.exchanges
    for number, said in enumerate(surface.failures)
]


@pytest.mark.parametrize(("surface", "name", "whose", "place"), LEAKS)
def test_a_place_of_an_answer_passes_with_its_kind_and_not_without(
    surface: Surface, name: str, whose: Whose, place: str
) -> None:
    one = EXCHANGES[name]
    came = at(place, told(surface, one, one.answer, one.answer_headers))
    assert came, f"no exchange of {name} has {place}"
    secret = whose not in {"text", "label", "everybody"}
    secrets = [value for value in came if is_secret(value) is secret]
    assert secrets, f"{place} holds no secret in {name}"
    everything = at(place, shown(surface, name, EVERY))
    if whose == "everybody":
        assert at(place, shown(surface, name, frozenset(TEXT_AND_LABEL)))
    elif whose == "nobody":
        assert not among(secrets, everything)
    else:
        assert len(among(secrets, everything)) == len(secrets)
        assert not among(secrets, at(place, shown(surface, name, EVERY - {whose})))


@pytest.mark.parametrize(("one", "answer"), FAILURES)
def test_what_only_a_failure_says_is_not_released(one: Recorded, answer: bytes) -> None:
    served = serve(replace(one, answer=answer), OPEN)
    assert not served.released
    assert b"s3cret-failure" in answer
    assert b"s3cret-failure" not in served.wire


@pytest.mark.parametrize(("name", "place"), FAULTS)
def test_an_answer_that_reports_a_failure_is_not_released(name: str, place: str) -> None:
    one = EXCHANGES[name]
    answer = having(orjson.loads(one.answer), place, {"message": "s3cret-failure"})
    served = serve(replace(one, answer=orjson.dumps(answer)), OPEN)
    assert (served.released, served.status) == (False, 502)
    assert b"s3cret" not in served.wire


def at(place: str, frames: list[Any]) -> list[Any]:
    return [value for frame in frames for value in values(frame, place) if value is not None]


def among(wanted: list[Any], found: list[Any]) -> list[Any]:
    return [value for value in wanted if value in found]


def is_secret(value: Any) -> bool:
    """Whether the sweep would find it, were its numbers written in text; truth values have none."""
    text = orjson.dumps(value) + "".join(f"{number:.5f} " for number in numbers(value)).encode()
    return value == [True] or any(secret in text for secret in SECRETS)


def numbers(value: Any) -> Iterator[float]:
    match value:
        case dict() | list():
            for item in value.values() if isinstance(value, dict) else value:
                yield from numbers(item)
        case float():
            yield value
        case _:
            return


@cache
def shown(surface: Surface, one: str, kinds: frozenset[Kind]) -> list[Any]:
    """What a tier of these kinds gets to see; nothing where the answer is not released."""
    served = serve(EXCHANGES[one], dict.fromkeys(kinds, ()))
    if not served.released:
        return []
    return told(surface, EXCHANGES[one], served.body, dict(served.headers))


def told(surface: Surface, one: Recorded, body: bytes, headers: Any) -> list[Any]:
    """What an answer says, frame by frame, as JSON would put it."""
    if surface.message is not None:
        return [plain(message(surface.message[1]).FromString(unframed(body)))]
    match answer_of(one):
        case Events():
            lines = [line for line in body.splitlines() if line.startswith(b"data: {")]
            return [orjson.loads(line.removeprefix(b"data: ")) for line in lines]
        case Lines():
            return [orjson.loads(line) for line in body.splitlines() if line.strip()]
        case Array():
            return [*orjson.loads(body)]
        case _ if one.media_type == "text/csv":
            return [[line.split(",") for line in body.decode().splitlines()]]
        case _ if "metadata" in headers:
            return [{"body": body.decode("latin-1"), "metadata": orjson.loads(headers["metadata"])}]
        case _ if "inference-header-content-length" in headers:
            return [with_tensors(body, int(headers["inference-header-content-length"]))]
        case _:
            return [orjson.loads(body)]


def with_tensors(body: bytes, length: int) -> Any:
    """The JSON of a binary answer, each output with its octets."""
    head, tail = orjson.loads(body[:length]), body[length:]
    for output in head["outputs"]:
        size = output["parameters"]["binary_data_size"]
        output["octets"], tail = tail[:size].decode("latin-1"), tail[size:]
    return head


def plain(value: Any) -> Any:
    """A message of protobuf's as JSON could hold it, by the names of its .proto file."""
    if isinstance(value, bytes):
        return value.decode("latin-1")
    if isinstance(value, str | int | float):
        return value
    if hasattr(value, "ListFields"):
        return {field.name: plain(item) for field, item in value.ListFields()}
    if hasattr(value, "items"):
        return {key: plain(item) for key, item in value.items()}
    return [plain(item) for item in value]


HEADERS: Final = [
    pytest.param(surface.document, name, id=f"{surface.name}-{name}")
    for surface in surfaces()
    for name in surface.header_fields
]
TYPES: Final = [
    pytest.param(surface.document, name, id=f"{surface.name}-{name}")
    for surface in surfaces()
    for name in surface.media_types
]


@pytest.mark.parametrize(("name", "header"), HEADERS)
def test_a_header_field_of_an_answer_passes_for_nobody(name: str, header: str) -> None:
    served = serve(replace(EXCHANGES[name], answer_headers={header: "s3cret"}), OPEN)
    assert served.released
    assert header not in dict(served.headers)


@pytest.mark.parametrize(("name", "media_type"), TYPES)
def test_an_answer_of_a_type_that_is_not_read_is_not_released(name: str, media_type: str) -> None:
    one = replace(EXCHANGES[name], answer_headers={"content-type": media_type})
    served = serve(one, OPEN)
    assert (served.released, served.status) == (False, 502)
    assert [secret for secret in SECRETS if secret in served.wire] == []


# Requests.

ASKS: Final = [
    pytest.param(surface, ask, id=f"{surface.name}-{ask.field}={orjson.dumps(ask.value).decode()}")
    for surface in surfaces()
    for ask in surface.asks
]


@pytest.mark.parametrize(("surface", "ask"), ASKS)
def test_a_field_of_a_request_has_the_effect_that_the_table_says(
    surface: Surface, ask: Ask
) -> None:
    assert effect(surface, ask, POOREST) == said(surface, ask, ask.poor)
    assert effect(surface, ask, RICHEST) == said(surface, ask, ask.rich)


@pytest.mark.parametrize(
    "surface",
    [pytest.param(each, id=each.name) for each in surfaces() if each.request is not None],
)
def test_the_least_request_goes_on_under_any_terms(surface: Surface) -> None:
    """So that what is refused is refused for its one field."""
    for terms in (POOREST, RICHEST):
        # What is added by name (a salt, a temperature) is no part of what was asked.
        sent = forwarded(surface, surface.request, {}, terms)
        asked = (
            surface.request if surface.message is None else plain(written(surface, surface.request))
        )
        assert sent | asked == sent


def said(surface: Surface, ask: Ask, wanted: Effect) -> list[Any] | str:
    """What the table says that goes on at the field's place."""
    match wanted:
        case To(value):
            return [value]
        case "pass" if surface.message is not None:
            return values(plain(written(surface, asking(surface, ask))), ask.field)
        case "pass":
            return [ask.value]
        case "out":
            return []
        case "refused":
            return wanted


def effect(surface: Surface, ask: Ask, terms: Terms) -> list[Any] | str:
    """What goes on at the field's place."""
    kind, _, header = ask.field.partition(" ")
    try:
        if kind == "header":
            sent = forwarded(surface, surface.request, {header: ask.value}, terms)
            return [sent["headers"].get(header, ask.value)]
        return values(forwarded(surface, asking(surface, ask), {}, terms), ask.field)
    except ClientError:
        return "refused"


def asking(surface: Surface, ask: Ask) -> Any:
    return having(surface.request | ask.beside, ask.field, ask.value)


def forwarded(surface: Surface, request: Any, headers: dict[str, str], terms: Terms) -> Any:
    """What goes on to the model server; its header fields stand under ``headers``."""
    one = EXCHANGES[surface.exchanges[0][0]]
    dialect = one.route.dialect if surface.dialect is None else dialect_of(surface.dialect)
    parameters = {name: one.parameters[name] for name in one.parameters if name == "model"}
    parameters |= {"content-type": "application/json"} | headers
    if isinstance(dialect, GRPC):
        asked = dialect.read(framed(written(surface, request).SerializeToString()), {}, terms)
        assert surface.message is not None
        return plain(message(surface.message[0]).FromString(unframed(asked.body)))
    if "multipart/form-data" in dialect.MEDIA_TYPES:
        body, parameters["content-type"] = form(request)
        asked = dialect.read(body, parameters, terms)
        return fields(asked.body, asked.set_headers["content-type"])
    asked = dialect.read(orjson.dumps(request), parameters, terms)
    return {**orjson.loads(asked.body), **({"headers": asked.set_headers} if headers else {})}


def written(surface: Surface, request: Any) -> Any:
    assert surface.message is not None
    return ParseDict(request, message(surface.message[0])())


def form(request: dict[str, Any]) -> tuple[bytes, str]:
    parts = [
        Part(f"{name}[]" if isinstance(value, list) else name, item.encode())
        for name, value in request.items()
        for item in (value if isinstance(value, list) else [value])
    ]
    audio = Part("file", b"RIFF", "a.wav")
    return write_form([*parts, audio], b"")


def fields(body: bytes, content_type: str) -> dict[str, Any]:
    """The fields of a form, as Python's own reader of mail finds them."""
    read: Form = BytesParser().parsebytes(f"content-type: {content_type}\r\n\r\n".encode() + body)
    found: dict[str, Any] = {}
    for part in read.get_payload():
        assert isinstance(part, Form)
        name = str(part.get_param("name", header="content-disposition"))
        text = str(part.get_payload())
        if name.endswith("[]"):
            found.setdefault(name.removesuffix("[]"), []).append(text)
        else:
            found[name] = text
    return found


# Paths.

TRAPS: Final = [
    pytest.param(surface, trap, id=f"{surface.name}-{trap}")
    for surface in surfaces()
    for trap in surface.traps
]
KEY: Final = "sk-acme"
PRINCIPAL: Final = f"key:{hmac.new(HMAC_KEY, KEY.encode(), 'sha256').hexdigest()}"


@pytest.mark.parametrize(("surface", "trap"), TRAPS)
def test_another_way_to_the_same_model_is_denied(surface: Surface, trap: str) -> None:
    method, _, path = trap.partition(" ")
    routes = [EXCHANGES[name].route for name, _ in surface.exchanges]
    denied = admit(checked(method, path, routes[0].dialect), routed(surface), now=0.0)
    assert isinstance(denied, Denied)
    assert denied.refusal.status in {404, 405}


@pytest.mark.parametrize("surface", [pytest.param(each, id=each.name) for each in surfaces()])
def test_the_path_itself_is_admitted(surface: Surface) -> None:
    for name, _ in surface.exchanges:
        one = EXCHANGES[name]
        path, _, _ = one.path.partition("?")
        request = checked(one.route.method, path, one.route.dialect)
        assert isinstance(admit(request, routed(surface), now=0.0), Admitted)


def checked(method: str, path: str, dialect: Dialect) -> CheckedRequest:
    media_type = max(dialect.MEDIA_TYPES)
    fields = {"content-type": media_type, "authorization": f"Bearer {KEY}"}
    return CheckedRequest(method, path, fields)


def routed(surface: Surface) -> Any:
    """A table of policies in which the surface's own paths are routed, and no other."""
    routes = {EXCHANGES[name].route.name: EXCHANGES[name].route for name, _ in surface.exchanges}
    policies = [
        policy(route.dialect, route=(route.method, route.path), models=("*",))
        for route in routes.values()
    ]
    return table(*policies, tenants={PRINCIPAL: "acme"})


# The table.


def test_every_exchange_of_the_sweep_has_its_place_in_the_table() -> None:
    listed = {name for surface in surfaces() for name, _ in surface.exchanges}
    assert listed == EXCHANGES.keys()


def test_every_dialect_has_its_place_in_the_table() -> None:
    kinds = {
        type(EXCHANGES[name].route.dialect) for each in surfaces() for name, _ in each.exchanges
    }
    assert kinds == set(get_args(Dialect)) - {Status}


@pytest.mark.parametrize("surface", [pytest.param(each, id=each.name) for each in surfaces()])
def test_a_surface_says_where_it_is_served(surface: Surface) -> None:
    for name, _ in surface.exchanges:
        one, (method, path) = EXCHANGES[name], surface.path.split(" ")
        assert method == one.route.method
        assert replace(one.route, path=path).match(one.path.partition("?")[0]) is not None


def test_no_two_surfaces_have_one_name() -> None:
    names = [surface.name for surface in surfaces()]
    assert len(set(names)) == len(names)


def test_places_are_spelt_out() -> None:
    assert [*spelt_out("a.{b,c[].{d,e}}.f")] == ["a.b.f", "a.c[].d.f", "a.c[].e.f"]
    with pytest.raises(ValueError, match="brace"):
        [*spelt_out("a.{b")]


def test_values_are_found_by_their_places() -> None:
    value = {"a": [{"t": "x", "b": 1}, {"t": "y", "b": [2, 3]}], "c": {"d": 4}}
    assert values(value, "a[].b") == [1, [2, 3]]
    assert values(value, "a[t=y].b[]") == [2, 3]
    assert values(value, "a[1].b[0]") == [2]
    assert values(value, "c.*") == [4]
    assert values(value, "a.b") == values(value, "c.d[]") == values(value, "c[t=x].d") == []


def test_a_value_is_put_at_a_place() -> None:
    assert having({"a": 1}, "b.c[].d", 2) == {"a": 1, "b": {"c": [{"d": 2}]}}
    assert having({"a": [{"b": 1}]}, "a[].c", 2) == {"a": [{"b": 1, "c": 2}]}
    assert having({"a": [1]}, "a[]", 2) == {"a": [1, 2]}
    assert having({}, "a[]", 2) == {"a": [2]}
