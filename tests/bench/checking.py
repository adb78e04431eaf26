"""What it costs to look at a request before it goes on: sizes, a schema, fields, features."""

from dataclasses import replace
from typing import Any, Final

import jsonschema_rs
import msgspec
import orjson

from extproc.entitlement import Entitlement
from extproc.policy import PolicyTable
from extproc.reading import read
from extproc.validation import Contract, Domain, Schema, Size
from tests.bench import bodies
from tests.bench.figures import Figure, Table
from tests.bench.timing import EMPTY_LOOP, Work, empty_loop, take_turns

_ROLES: Final = ["system", "user", "assistant"]
_MESSAGE: Final = {
    "type": "object",
    "properties": {
        "role": {"enum": _ROLES},
        "content": {"type": "string", "minLength": 1, "maxLength": 4000},
        "name": {"type": "string", "pattern": "^[a-z0-9_]{1,64}$"},
    },
    "required": ["role", "content"],
    "additionalProperties": False,
}
SCHEMA: Final = {
    "type": "object",
    "properties": {
        "model": {"type": "string", "maxLength": 64},
        "messages": {"type": "array", "minItems": 1, "maxItems": 200, "items": _MESSAGE},
        "temperature": {"type": "number", "minimum": 0, "maximum": 2},
        "max_tokens": {"type": "integer", "minimum": 1, "maximum": 4096},
    },
    "required": ["model", "messages"],
    "additionalProperties": False,
}
SIZE: Final = Size(depth=16, array=1000, string=20_000)
TEXT: Final = Domain(max_length=4000, characters="text", scripts=("latin",))


def conversation() -> dict[str, Any]:
    """A chat request of 10 KB, in 50 messages."""
    messages = [
        {"role": _ROLES[1 + number % 2], "name": f"turn_{number}", "content": "And then? " * 15}
        for number in range(50)
    ]
    return {"model": "chat", "messages": messages, "temperature": 0.7, "max_tokens": 64}


def checking(table: PolicyTable) -> Table:
    asked = conversation()
    body = orjson.dumps(asked)
    schema = Schema(jsonschema_rs.validator_for(SCHEMA), "")
    fields = {"messages.content": TEXT}
    (chat,) = (each for each in table.policies.values() if each.route.path == bodies.CHAT)
    contract = Contract(size=SIZE, schema=schema, fields=fields)
    granted = Entitlement(tools=False, choices=1, max_tokens=64)
    guarded = replace(
        chat,
        route=replace(chat.route, contract=contract),
        terms=msgspec.structs.replace(chat.terms, entitlement=granted),
    )
    scale, size, valid, domain, plain, whole = take_turns(
        [
            Work(empty_loop),
            Work(lambda: SIZE.check(asked)),
            Work(lambda: schema.check(asked)),
            Work(lambda: Contract(fields=fields).check_document(asked)),
            Work(lambda: read(chat, body, {})),
            Work(lambda: read(guarded, body, {})),
        ]
    )
    return Table(
        f"Looking at a chat request of {len(body) / 1000:.0f} KB, 50 messages",
        "",
        (
            Figure(EMPTY_LOOP, "us", scale),
            Figure("depth, length of arrays and strings", "us", size),
            Figure("JSON Schema", "us", valid, goal=100),
            Figure("characters and scripts of 50 texts", "us", domain),
            Figure("the whole request gate, without", "us", plain),
            Figure("the whole request gate, with all of it", "us", whole),
        ),
    )
