"""Exchanges over gRPC: one message each way, and the status that ends an answer."""

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from extproc.caps import Caps
from extproc.dialects import KServeV2Grpc
from extproc.dialects.grpc_dialect import PLAIN, framed
from extproc.draw import Draw
from extproc.errors import ProtocolError
from extproc.events import (
    ReplaceRequest,
    RequestBody,
    RequestHeaders,
    Respond,
    ResponseBody,
    ResponseHeaders,
    ResponseTrailers,
    SendResponseBody,
    SendResponseHeaders,
    SendResponseTrailers,
    Work,
)
from extproc.exchange import Exchange, State
from extproc.mutators import LabelOnly, Round
from extproc.refusal import (
    OVERLOADED,
    RATE_LIMITED,
    UPSTREAM_UNREADABLE,
    Refusal,
    of_status,
    of_upstream,
)
from extproc.shadow import ShadowExchange
from tests.playbook import SECRET, Step, play, policy, told
from tests.protos import message

DIALECT = KServeV2Grpc(outputs={"probs": "probabilities"})
ROUTE = ("POST", "/inference.GRPCInferenceService/ModelInfer")


def ask() -> bytes:
    request = message("inference.ModelInferRequest")(model_name="m")
    tensor = request.inputs.add(name="x", datatype="FP32", shape=[1, 1])
    tensor.contents.fp32_contents.append(0.5)
    return framed(request.SerializeToString())


def answer(*values: float, rows: int = 1, hidden: bool = False) -> bytes:
    response = message("inference.ModelInferResponse")(model_name="m")
    response.outputs.add(name="probs", datatype="FP64", shape=[rows, len(values) // rows])
    response.raw_output_contents.append(np.array(values).tobytes())
    if hidden:
        response.outputs.add(name="logits", datatype="BYTES", shape=[1])
        response.raw_output_contents.append(b"\x06\0\0\0" + SECRET.encode())
    return framed(response.SerializeToString())


LEAKY = answer(0.75, 0.25, hidden=True)
REDUCED = answer(1.0, 0.0)


def exchange(**about: Any) -> Exchange:
    about = {"kinds": {"probabilities": (LabelOnly(),)}, **about}
    return Exchange(policy(DIALECT, route=ROUTE, **about), {})


def asked() -> tuple[Step, ...]:
    return (
        (RequestHeaders(end=False), []),
        (RequestBody(ask(), end=True), [ReplaceRequest(ask(), PLAIN)]),
    )


def headers(*, end: bool = False, status: int = 200, **more: str) -> ResponseHeaders:
    found = {":status": str(status), "content-type": "application/grpc"}
    found |= {name.replace("_", "-"): value for name, value in more.items()}
    return ResponseHeaders(status, found, end=end)


def respond(refusal: Refusal, number: int) -> Respond:
    return Respond(
        refusal.status, {}, refusal.message.encode(), f"extproc_{refusal.outcome}", number
    )


UNREADABLE = respond(UPSTREAM_UNREADABLE, 13)


def test_the_space_of_vectors_is_named_before_them_and_not_before_an_error() -> None:
    name = "x-extproc-space-id"
    for status, passed in (("0", True), ("13", False)):
        chosen = policy(DIALECT, route=ROUTE, kinds={"probabilities": (LabelOnly(),)})
        machine = Exchange(replace(chosen, draw=Draw(b"k" * 32), spaced=True), {})
        play(machine, *asked(), (headers(x_extproc_space_id=SECRET), []))
        told(machine, ResponseBody(LEAKY, end=False))
        head, *_ = told(machine, ResponseTrailers(("grpc-status",), status))
        assert isinstance(head, SendResponseHeaders)
        assert name in head.remove_headers
        assert (len(head.set_headers.get(name, "")) == 16) is passed


def test_an_answer_is_reduced_and_its_status_passes() -> None:
    machine = exchange()
    trailers = ("grpc-status", "grpc-message", "x-model")
    play(
        machine,
        *asked(),
        (headers(x_model=SECRET, grpc_encoding="identity"), []),
        (ResponseBody(LEAKY[:9], end=False), []),
        (ResponseBody(LEAKY[9:], end=False), []),
        (
            ResponseTrailers(trailers, "0"),
            [
                SendResponseHeaders({}, ("x-model", "grpc-encoding")),
                SendResponseBody(REDUCED, end=False),
                SendResponseTrailers(("grpc-message", "x-model")),
            ],
        ),
    )
    assert (machine.state, machine.outcome, machine.held) == (State.DONE, "served", 0)
    assert machine.done
    assert machine.dropped == {"outputs[](tensor)": 1}


@pytest.mark.parametrize("status", ["", "x", "17", "31337", "0, 13"])
def test_an_answer_without_a_readable_status_is_not_released(status: str) -> None:
    machine = exchange()
    body = ResponseBody(LEAKY, end=False)
    play(machine, *asked(), (headers(), []), (body, []))
    assert machine.receive(ResponseTrailers(("grpc-status",), status)) == [UNREADABLE]
    assert machine.fault == "the answer ends without a status"


def test_an_answer_that_ends_without_trailers_is_not_released() -> None:
    machine = exchange()
    play(machine, *asked(), (headers(), []), (ResponseBody(LEAKY, end=True), [UNREADABLE]))
    assert machine.fault == "the answer ends without a status"


@pytest.mark.parametrize("body", [b"", LEAKY[:-1], LEAKY + LEAKY, b"\x01" + LEAKY[1:], b"\0\0"])
def test_an_answer_is_one_whole_plain_message(body: bytes) -> None:
    machine = exchange()
    play(machine, *asked(), (headers(), []))
    actions = [*machine.receive(ResponseBody(body, end=False))]
    actions += machine.receive(ResponseTrailers(("grpc-status",), "0"))
    assert actions == [UNREADABLE]


def test_an_error_of_the_server_keeps_its_number_alone() -> None:
    machine = exchange()
    play(
        machine,
        *asked(),
        (
            headers(end=True, grpc_status="5", grpc_message=SECRET, x_host=SECRET),
            [SendResponseHeaders({"grpc-message": of_status(400).message}, ("x-host",))],
        ),
    )
    assert (machine.state, machine.outcome) == (State.DONE, "request_refused")


@pytest.mark.parametrize("body", [b"", LEAKY, LEAKY[:7]])
def test_an_error_after_the_headers_keeps_its_number_alone(body: bytes) -> None:
    machine = exchange()
    names = ("grpc-status", "grpc-message", "grpc-status-details-bin")
    play(
        machine,
        *asked(),
        (headers(), []),
        (ResponseBody(body, end=False), []),
        (
            ResponseTrailers(names, "13"),
            [
                SendResponseHeaders({}, ()),
                SendResponseTrailers(
                    ("grpc-status-details-bin",), {"grpc-message": of_status(500).message}
                ),
            ],
        ),
    )
    assert (machine.state, machine.outcome, machine.held) == (State.DONE, "upstream_error", 0)


def test_an_error_behind_what_has_left_is_told_too() -> None:
    machine = exchange(caps=Caps(document=10))
    play(
        machine,
        *asked(),
        (headers(), []),
        (
            ResponseBody(LEAKY, end=False),
            [SendResponseHeaders({}, ()), SendResponseBody(REDUCED, end=False)],
        ),
        (
            ResponseTrailers(("grpc-status",), "14"),
            [SendResponseTrailers((), {"grpc-message": of_status(500).message})],
        ),
    )


@pytest.mark.parametrize("status", ["", "0", "31337"])
def test_header_fields_alone_are_an_error_or_nothing(status: str) -> None:
    play(exchange(), *asked(), (headers(end=True, grpc_status=status), [UNREADABLE]))
    play(exchange(), *asked(), (headers(end=True), [UNREADABLE]))


@pytest.mark.parametrize("end", [True, False])
def test_an_http_error_becomes_a_status(*, end: bool) -> None:
    failed = respond(of_upstream(503), 14)
    play(exchange(), *asked(), (headers(end=end, status=503), [failed]))


def test_a_reply_of_envoys_own_before_the_request_was_whole_becomes_a_status() -> None:
    first = asked()[0]
    play(exchange(), first, (headers(end=False), [respond(of_status(200), 13)]))
    play(
        exchange(),
        first,
        (
            headers(end=True, grpc_status="14", grpc_message=SECRET),
            [SendResponseHeaders({"grpc-message": of_status(500).message}, ())],
        ),
    )


def test_another_content_type_is_not_released() -> None:
    event = headers()
    plain = {**event.headers, "content-type": "application/json"}
    play(exchange(), *asked(), (ResponseHeaders(200, plain, end=False), [UNREADABLE]))


def test_a_refusal_has_a_number_and_no_type_of_content() -> None:
    machine = exchange()
    assert machine.refuse(RATE_LIMITED.after(7)) == [
        Respond(
            429,
            {"retry-after": "10"},
            RATE_LIMITED.message.encode(),
            "extproc_rate_limit_exceeded",
            8,
        )
    ]


# Large answers are rewritten in steps.

LARGE = answer(*([0.25] * 4 * 40_000), rows=40_000)
ROOM = Caps(document=2 << 20, value=2 << 20)


def working() -> Exchange:
    machine = exchange(kinds={"probabilities": (Round(digits=1),)}, caps=ROOM)
    play(machine, *asked(), (headers(), []))
    assert machine.receive(ResponseBody(LARGE, end=False)) == []
    return machine


def test_others_have_their_turn_while_a_large_answer_is_rewritten() -> None:
    machine, turns = working(), 0
    while machine.working:
        assert machine.held >= len(LARGE) - 5
        assert machine.receive(Work()) == []
        turns += 1
    assert turns > 3
    assert machine.receive(Work()) == []
    *_, body, trailers = machine.receive(ResponseTrailers(("grpc-status",), "0"))
    assert isinstance(body, SendResponseBody)
    assert trailers == SendResponseTrailers(())
    assert len(body.data) == len(LARGE)


def test_nothing_else_is_told_before_the_last_event_is_done_with() -> None:
    """What was not rewritten yet would be lost, and the answer would look whole."""
    with pytest.raises(ProtocolError, match="ResponseTrailers before the last event"):
        working().receive(ResponseTrailers(("grpc-status",), "0"))


def test_what_is_given_up_is_not_gone_on_with() -> None:
    machine = working()
    assert machine.refuse(OVERLOADED) == [respond(OVERLOADED, 14)]
    assert (machine.working, machine.held, machine.receive(Work())) == (False, 0, [])


def test_a_fault_in_a_later_step_is_a_fault() -> None:
    good, bad = [0.25] * 4 * 40_000, [0.5, 0.5, 31337.0, 0.0]
    machine = exchange(kinds={"probabilities": (Round(digits=1),)}, caps=ROOM)
    body = answer(*good, *bad, rows=40_001)
    play(machine, *asked(), (headers(), []), (ResponseBody(body, end=False), [UNREADABLE]))


def test_a_shadow_goes_on_too_and_says_nothing() -> None:
    shadow = ShadowExchange(working())
    while shadow.working:
        assert shadow.receive(Work()) == []
    shadow.receive(ResponseTrailers(("grpc-status",), "0"))
    assert (shadow.outcome, shadow.changed) == ("shadow:served", {})
