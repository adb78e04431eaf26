"""What may happen to an answer: fields nobody knows, bits that flip, values of another type.

Everything is drawn from one ``random.Random``, so that a seed names a case.
"""

import random
from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import replace
from typing import Any, Final

import orjson

from extproc.dialects.answers import Array, Body, Document, Events, Frames, Lines
from tests.corpus.exchanges import Recorded
from tests.laws.serving import answer_of

Json = Any
PLANTED: Final = "pl4nted"
FREE_FORM: Final[Mapping[str, Collection[str]]] = {
    "anthropic_messages": {"input"},
    "gemini_generate": {"args"},
    "ollama_chat": {"arguments"},
}
"""By dialect: members whose value is the model's own JSON, in which any name is text."""
KEYED_BY_LABEL: Final[Collection[str]] = ()
"""Dialects in whose answers the labels are the names: there a stranger is one more label."""

_SWAPS: Final[tuple[Json, ...]] = (
    None, True, 0, -1, 7, 0.5, -1e308, 10**18, "", "x", "s3cret", "9" * 400, [], {}, [None],
    [[]], [{}], {"a": 1}, [1, "x"], [0.5] * 3, {"type": "x"}, "AAAA", "AACAfw==", "\0", "\ud7ff",
)  # fmt: skip


def replanted(exchange: Recorded, change: Callable[[Json], Json]) -> bytes | None:
    """The answer with each of its JSON documents changed; None where it holds none."""

    def line(raw: bytes) -> bytes:
        name, data = (raw[:6], raw[6:]) if raw.startswith(b"data: ") else (b"", raw)
        try:
            return name + dumps(change(orjson.loads(data)))
        except orjson.JSONDecodeError:
            return raw

    match answer_of(exchange):
        case Document() | Array():
            return dumps(change(orjson.loads(exchange.answer)))
        case Events() | Lines():
            return b"\n".join(map(line, exchange.answer.split(b"\n")))
        case Body() | Frames():
            return None


_TWICE: Final = "\u0001twice\u0001"


def dumps(value: Json) -> bytes:
    """JSON in which a member marked by ``repeat`` is called what its neighbour is."""
    return orjson.dumps(value).replace(orjson.dumps(_TWICE)[1:-1], b"")


def planted(value: Json, draw: random.Random, *, everywhere: bool, free: Collection[str]) -> Json:
    """The value with unknown members in its objects; below ``free`` names they are text."""
    if isinstance(value, list):
        return [planted(item, draw, everywhere=everywhere, free=free) for item in value]
    if not isinstance(value, dict):
        return value
    members = [
        (name, item if name in free else planted(item, draw, everywhere=everywhere, free=free))
        for name, item in value.items()
    ]
    if everywhere or draw.random() < 0.5:
        members.insert(draw.randint(0, len(members)), (_name(draw), _stranger(draw)))
    return dict(members)


def _name(draw: random.Random) -> str:
    tail = "".join(
        chr(draw.choice((0x61, 0xE9, 0x4E2D, 0x1F600))) for _ in range(draw.randint(0, 3))
    )
    return draw.choice((PLANTED, f"x{PLANTED}", f"{PLANTED}{tail}", f"{PLANTED}.a"))


def _stranger(draw: random.Random) -> Json:
    secrets = (PLANTED, [PLANTED], {PLANTED: PLANTED}, [{PLANTED: [PLANTED, 1]}], {"text": PLANTED})
    return draw.choice(secrets)


def repeated(value: Json, draw: random.Random) -> Json:
    """One member said twice, first with a value that a parser of last values never sees."""
    spots = [(inside, key) for inside, key in _spots(value) if isinstance(inside, dict)]
    if spots:
        inside, key = draw.choice(spots)
        members = list(inside.items())
        members.insert([*inside].index(key), (f"{key}{_TWICE}", PLANTED))
        inside.clear()
        inside.update(members)
    return value


def damaged(exchange: Recorded, draw: random.Random) -> bytes:
    """The answer after one or two accidents."""
    answer = exchange.answer
    for _ in range(draw.randint(1, 2)):
        answer = draw.choice(_ACCIDENTS)(exchange, answer, draw)
    return answer


def in_bytes(body: bytes, draw: random.Random) -> bytes:
    """Bits flipped, a part lost, repeated, moved, or put in."""
    at, to = sorted(draw.randint(0, len(body)) for _ in range(2))
    match draw.choice(["flip", "cut", "lose", "repeat", "put", "swap"]):
        case "flip" if body:
            at = draw.randrange(len(body))
            return body[:at] + bytes([body[at] ^ (1 << draw.randrange(8))]) + body[at + 1 :]
        case "cut":
            return body[:at]
        case "lose":
            return body[:at] + body[min(to, at + 40) :]
        case "repeat":
            return body[:to] + body[at:to] + body[to:]
        case "put":
            noise = draw.choice((b'"', b"{", b"]", b",", b"\\", b"\n", b"\n\n", b"\0", b"\xff"))
            return body[:at] + noise * draw.randint(1, 3) + body[at:]
        case _:
            return body[to:] + body[:at]


def in_values(value: Json, draw: random.Random) -> Json:
    """One value of another type, lost, moved, or said twice."""
    spots = list(_spots(value))
    if not spots:
        return draw.choice(_SWAPS)
    inside, key = draw.choice(spots)
    match draw.choice(["swap", "swap", "swap", "lose", "repeat", "number"]):
        case "swap":
            inside[key] = draw.choice(_SWAPS)
        case "lose":
            del inside[key]
        case "repeat" if isinstance(inside, dict):
            inside[f"{key}{_TWICE}"] = draw.choice((inside[key], *_SWAPS))
        case "repeat":
            inside.insert(key, inside[key])
        case _:
            inside[key] = draw.choice((1e300, -1e300, 5e-324, 2**63, -(2**63), 1.0000001, -0.0))
    return value


def _spots(value: Json) -> Iterator[tuple[Any, Any]]:
    """Every object with each of its names, every array with each of its indices."""
    if isinstance(value, dict | list):
        for key, item in list(value.items() if isinstance(value, dict) else enumerate(value)):
            yield value, key
            yield from _spots(item)


def _of_bytes(exchange: Recorded, answer: bytes, draw: random.Random) -> bytes:
    return in_bytes(answer, draw)


def _of_values(exchange: Recorded, answer: bytes, draw: random.Random) -> bytes:
    """As long as the answer can still be read as the framing says; else of its bytes."""
    try:
        holding = replace(exchange, answer=answer)
        after = replanted(holding, lambda value: in_values(value, draw))
    except orjson.JSONDecodeError:
        after = None
    return in_bytes(answer, draw) if after is None else after


_ACCIDENTS: Final = (_of_bytes, _of_values, _of_values)
