"""Policies to test with, and scripts: what comes into a machine, and what it must answer.

Every body here holds a secret where no tier of these tests lets it through.
"""

from collections.abc import Mapping, Sequence
from typing import Protocol

from hypothesis import strategies as st

from extproc.caps import Caps
from extproc.credentials import ApiKey, ApiKeys
from extproc.dialects import Dialect, OpenAIChat
from extproc.dialects.gate import Terms
from extproc.events import (
    Action,
    Event,
    RequestBody,
    RequestHeaders,
    RequestTrailers,
    ResponseBody,
    ResponseHeaders,
    ResponseTrailers,
    Work,
)
from extproc.fidelity import Fidelity
from extproc.limits import Limit, Rate, Reserved, Scope, microseconds
from extproc.mutators import Mutator
from extproc.policy import Policy, PolicyTable
from extproc.prediction import Kind
from extproc.route import Route
from extproc.shaping import UNSHAPED, Shaping

HMAC_KEY = b"k" * 32
TEXT_ONLY: Mapping[Kind, Sequence[Mutator]] = {"text": (), "usage": ()}

Step = tuple[Event, Sequence[Action]]

SECRET = "s3cret"
ASK = b'{"model":"m","messages":[{"role":"user","content":"s3cret"}]}'
ASK_STREAM = b'{"model":"m","messages":[{"role":"user","content":"s3cret"}],"stream":true}'
ANSWER = (
    b'{"id":"c1","model":"m","choices":[{"index":0,"message":{"role":"assistant","content":"Hi"},'
    b'"finish_reason":"stop"}],"usage":{"total_tokens":2}}'
)
LEAKY = (
    b'{"id":"c1","model":"m-s3cret","system_fingerprint":"s3cret","choices":[{"index":0,'
    b'"message":{"role":"assistant","content":"Hi","reasoning":"s3cret"},"logprobs":{"content":'
    b'[{"token":"s3cret","logprob":-1.5}]},"finish_reason":"stop","s3cret":1}],'
    b'"usage":{"prompt_tokens":9,"completion_tokens":1,"total_tokens":10}}'
)
REDUCED = (
    b'{"id":"c1","model":"m","choices":[{"index":0,"message":{"role":"assistant","content":"Hi"},'
    b'"logprobs":null,"finish_reason":"stop"}],'
    b'"usage":{"prompt_tokens":9,"completion_tokens":1,"total_tokens":10}}'
)
EVENT = b'data: {"id":"c1","choices":[{"index":0,"delta":{"content":"Hi"}}]}\n\n'
LEAKY_EVENT = b'data: {"id":"c1","x":"s3cret","choices":[{"index":0,"delta":{"content":"Hi"}}]}\n\n'
LAST = b"data: [DONE]\n\n"


def rate(name: str, per: Scope, most: int, window: float) -> Limit:
    """A limit of requests, refilled over so many seconds."""
    return Limit(Rate(f"{name}/{window:g}s", most, microseconds(window)), "requests", (per,))


async def unreserved(_: object) -> Reserved:
    """A store that cannot be asked."""
    return Reserved(None)


class Machine(Protocol):
    @property
    def working(self) -> bool: ...

    def receive(self, event: Event | Work) -> Sequence[Action]: ...


def told(machine: Machine, event: Event) -> list[Action]:
    """What a machine does about an event, over as many turns as it takes."""
    actions = [*machine.receive(event)]
    while machine.working:
        actions += machine.receive(Work())
    return actions


def play(machine: Machine, *script: Step) -> None:
    """Feed each event, and check that exactly its actions come out."""
    for step, (event, actions) in enumerate(script):
        assert told(machine, event) == [*actions], f"step {step}: {event}"


def policy(
    dialect: Dialect | None = None,
    *,
    kinds: Mapping[Kind, Sequence[Mutator]] = TEXT_ONLY,
    models: tuple[str, ...] = ("*",),
    limits: tuple[Limit, ...] = (),
    reserved: tuple[Limit, ...] = (),
    caps: Caps | None = None,
    shadow: bool = False,
    tenant: str = "acme",
    route: tuple[str, str] = ("POST", "/v1/chat/completions"),
    shaping: Shaping = UNSHAPED,
) -> Policy:
    """A tenant on a route; chat completions of text and token counts unless told otherwise."""
    spoken = OpenAIChat() if dialect is None else dialect
    fidelity = Fidelity("standard", kinds)
    return Policy(
        tenant=tenant,
        route=Route(*route, spoken),
        fidelity=fidelity,
        edits=fidelity.edits(),
        answers=spoken.answers(),
        terms=Terms(frozenset(kinds)),
        draw=None,
        models=models,
        limits=limits,
        reserved=reserved,
        cohort=tenant,
        secret=HMAC_KEY,
        shadow=shadow,
        caps=caps or Caps(),
        shaping=shaping,
    )


def table(
    *policies: Policy,
    tenants: Mapping[str, str] | None = None,
    caps: Caps | None = None,
    strangers: Shaping = UNSHAPED,
) -> PolicyTable:
    """``tenants`` is principal to tenant."""
    return PolicyTable(
        version="v1",
        key=HMAC_KEY,
        routes=tuple({found.route.name: found.route for found in policies}.values()),
        provers={"keys": ApiKeys(ApiKey(), HMAC_KEY, tenants or {})},
        tenants=tenants or {},
        policies={(found.tenant, found.route.name): found for found in policies},
        caps=caps or Caps(),
        shapings={"": strangers, **{found.tenant: found.shaping for found in policies}},
    )


def headers(
    content_type: str = "application/json", status: int = 200, *, end: bool = False, **more: str
) -> ResponseHeaders:
    found = {":status": str(status), "content-type": content_type}
    found |= {name.replace("_", "-"): value for name, value in more.items()}
    return ResponseHeaders(status, found, end=end)


# Random scripts: as they should be, with accidents.

SAID = b'{"id":"c","x":"s3cret","choices":[{"index":0,"message":{"content":"s3cret"}}]}'
SAID_EVENT = b'data: {"id":"c","choices":[{"index":0,"delta":{"content":"s3cret"}}]}\n\n'
SAID_OFTEN = b'{"id":"c","choices":[' + b",".join([b'{"index":1}'] * 60) + b"]}"

request_pieces = st.sampled_from(
    [
        ASK,
        ASK_STREAM,
        ASK[:20],
        ASK[20:],
        ASK.replace(b'"m"', b'"other"'),
        ASK.replace(b'"m"', b'""'),
        b"",
        b"s3cret",
        b"{" * 90,
    ]
)
response_pieces = st.sampled_from(
    [
        SAID,
        SAID[:30],
        SAID[30:],
        SAID_OFTEN,
        SAID_OFTEN[:200],
        SAID_OFTEN[200:],
        SAID_EVENT,
        SAID_EVENT * 3,
        LAST,
        b": s3cret\n\n",
        b'data: {"error":"s3cret"}\n\n',
        b"data: s3cret",
        b"s3cret",
        b"\xff",
        b"\n\n",
        b"",
    ]
)
content_types = st.sampled_from(
    ["application/json"] * 3 + ["text/event-stream"] * 3 + ["text/s3cret", ""]
)
answers = st.builds(
    lambda kind, status, end, more: headers(kind, status, end=end, **more),
    content_types,
    st.sampled_from([200] * 6 + [204, 101, 302, 404, 500]),
    st.sampled_from([False] * 5 + [True]),
    st.sampled_from([{}, {}, {}, {"content_encoding": "gzip"}, {"openai_model": SECRET}]),
)
events = st.one_of(
    st.builds(RequestHeaders, st.booleans()),
    st.builds(RequestBody, request_pieces, st.booleans()),
    st.builds(RequestTrailers, st.sampled_from([(), ("x-sum",)])),
    answers,
    st.builds(ResponseBody, response_pieces, st.booleans()),
    st.builds(ResponseTrailers, st.sampled_from([(), ("x-sum", "grpc-status")])),
)


documents = st.sampled_from(
    [SAID, SAID_OFTEN, SAID_OFTEN, SAID_OFTEN[:-9], SAID_OFTEN + b"x", b"7"]
)
event_pieces = st.sampled_from(
    [SAID_EVENT] * 4
    + [SAID_EVENT[:30], SAID_EVENT[30:], b": s3cret\n\n", b"data: s3cret\n\n", LAST]
)


@st.composite
def answered(draw: st.DrawFn) -> tuple[ResponseHeaders, list[bytes]]:
    """An answer's headers, and the pieces of its body."""
    match draw(st.sampled_from(["document", "stream", "anything"])):
        case "document":
            body, cut = draw(documents), draw(st.integers(0, 800))
            return headers(), [body[:cut], body[cut:]]
        case "stream":
            return headers("text/event-stream"), draw(st.lists(event_pieces, max_size=5))
        case _:
            return draw(answers), draw(st.lists(response_pieces, max_size=3))


@st.composite
def in_order(draw: st.DrawFn) -> list[Event]:
    answer, pieces = draw(answered())
    plain = answer.headers["content-type"] == "application/json" and draw(st.booleans())
    ask = ASK if plain else ASK_STREAM
    cut, trailers = draw(st.integers(0, len(ask))), draw(st.booleans())
    return [
        RequestHeaders(end=False),
        RequestBody(ask[:cut], end=False),
        RequestBody(ask[cut:], end=not trailers),
        *([RequestTrailers()] if trailers else []),
        answer,
        *(ResponseBody(piece, end=False) for piece in pieces),
        ResponseTrailers() if draw(st.booleans()) else ResponseBody(b"", end=True),
    ]


@st.composite
def with_accidents(draw: st.DrawFn) -> list[Event]:
    """Mostly in order: what is only random rarely gets beyond the request."""
    script = draw(in_order())
    for _ in range(draw(st.sampled_from([0, 0, 1, 1, 2, 3]))):
        at, other = (draw(st.integers(0, len(script) - 1)) for _ in range(2))
        match draw(st.sampled_from(["replace", "insert", "repeat", "lose", "swap"])):
            case "replace":
                script[at] = draw(events)
            case "insert":
                script.insert(at, draw(events))
            case "repeat":
                script.insert(at, script[at])
            case "lose" if len(script) > 1:
                del script[at]
            case _:
                script[at], script[other] = script[other], script[at]
    return script


scripts = st.one_of(
    *[with_accidents()] * 4,
    st.lists(events, max_size=6).map(lambda others: [RequestHeaders(end=False), *others]),
)
