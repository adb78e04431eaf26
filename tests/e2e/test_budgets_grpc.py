"""Budgets of what is asked by gRPC, and of what is asked by it and by REST."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import grpc
import numpy as np
import pytest

from tests.e2e import bodies
from tests.e2e.budgets import ask, few, key, plans
from tests.e2e.gateway import LiveGateway, live_gateway
from tests.e2e.pumps import both_protocols, either
from tests.e2e.triton import INFER, ROUTES, Request, Response, Triton, raw_answer, served
from tests.e2e.upstream import Upstream, answering

STANDARD = "fidelity: standard, "
POLICIES = {
    **dict.fromkeys(("served", "failing", "early"), STANDARD + few(2, count="queries")),
    "refusing": STANDARD + few(2, count="queries"),
    "batch": STANDARD + few(100, count="queries"),
    "both": STANDARD + few(3, count="queries"),
    "placed": STANDARD + "limits: [{name: places, per: tenant, count: concurrent, max: 1}]",
    "told": STANDARD + few(60, count="bits", routes=f"['POST {INFER}']"),
    "large": STANDARD + few(60, count="bits", routes=f"['POST {INFER}']"),
}


@pytest.fixture(scope="module")
def triton() -> Triton:
    return Triton()


@pytest.fixture(scope="module")
def running_gateway(
    scripted: Upstream, triton: Triton, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[LiveGateway]:
    directory: Path = tmp_path_factory.mktemp("g")
    change = plans(POLICIES, more_routes=ROUTES.removeprefix("routes:\n"))
    with (
        served(triton) as grpc_port,
        either(scripted.port, grpc_port) as port,
        live_gateway(directory, port, policy=change, bootstrap=both_protocols) as live,
    ):
        yield live


Code = grpc.StatusCode


@pytest.fixture
def call(gateway: LiveGateway, triton: Triton) -> Iterator[Callable[..., list[Code]]]:
    """The codes of one call after the other, each of so many images."""
    triton.call = raw_answer
    triton.requests.clear()
    with grpc.insecure_channel(f"{gateway.host}:{gateway.port}") as channel:
        stub = channel.unary_unary(INFER, Request.SerializeToString, Response.FromString)

        def ask(tenant: str, *sizes: int) -> list[Code]:
            metadata = (("authorization", f"Bearer {key(tenant)}"),)
            codes = []
            for size in sizes:
                done = stub.future(images(size), metadata=metadata, timeout=20)
                codes.append(done.code())
                gateway.until_settled()
            return codes

        yield ask


def images(count: int = 1) -> Any:
    asked = Request(model_name="digits")
    tensor = asked.inputs.add(name="image", datatype="FP32", shape=[count, 2])
    tensor.contents.fp32_contents.extend([0.0, 1.0] * count)
    return asked


def test_what_is_asked_by_grpc_counts(call: Callable[..., list[Code]], triton: Triton) -> None:
    assert call("served", 1, 1, 1) == [Code.OK, Code.OK, Code.RESOURCE_EXHAUSTED]
    assert len(triton.requests) == 2


def test_a_batch_by_grpc_counts_every_input(
    call: Callable[..., list[Code]], triton: Triton
) -> None:
    triton.call = batched
    assert call("batch", 64, 37, 36, 1) == [
        Code.OK,
        Code.RESOURCE_EXHAUSTED,
        Code.OK,
        Code.RESOURCE_EXHAUSTED,
    ]


def batched(request: Any, context: grpc.ServicerContext) -> Any:
    count, answer = request.inputs[0].shape[0], Response(model_name="digits")
    answer.outputs.add(name="probabilities", datatype="FP32", shape=[count, 4])
    answer.raw_output_contents.append(np.full((count, 4), 0.25, "<f4").tobytes())
    return answer


def failing(code: Code, after: Callable[..., Any] | None = None) -> Callable[..., Any]:
    def answer(request: Any, context: grpc.ServicerContext) -> Any:
        if after is None:
            context.abort(code, "s3cret")
        context.set_code(code)
        return after(request, context)

    return answer


@pytest.mark.parametrize("code", [Code.INTERNAL, Code.UNAVAILABLE, Code.DEADLINE_EXCEEDED])
@pytest.mark.parametrize("after", [None, raw_answer])
def test_a_failure_by_grpc_gives_back_what_was_reserved(
    call: Callable[..., list[Code]], triton: Triton, code: Code, after: Callable[..., Any] | None
) -> None:
    """It comes with status 200, in a trailer; whatever message came before it is not sent."""
    triton.call = failing(code, after)
    assert Code.RESOURCE_EXHAUSTED not in call("failing", 1, 1, 1)
    assert len(triton.requests) == 3


def test_a_refusal_by_grpc_does_not(call: Callable[..., list[Code]], triton: Triton) -> None:
    triton.call = failing(Code.INVALID_ARGUMENT)
    assert call("refusing", 1, 1, 1) == [*[Code.INVALID_ARGUMENT] * 2, Code.RESOURCE_EXHAUSTED]


def test_what_has_left_is_charged_though_the_server_fails_behind_it(
    call: Callable[..., list[Code]], triton: Triton
) -> None:
    """Of a large answer most has been sent by then."""

    def large(request: Any, context: grpc.ServicerContext) -> Any:
        answer = Response(model_name="digits")
        answer.outputs.add(name="probabilities", datatype="FP32", shape=[40_000, 4])
        answer.raw_output_contents.append(np.full((40_000, 4), 0.25, "<f4").tobytes())
        return answer

    triton.call = failing(Code.INTERNAL, large)
    assert call("large", 1, 1) == [Code.INTERNAL, Code.RESOURCE_EXHAUSTED]


def test_a_place_is_free_when_a_call_ends(call: Callable[..., list[Code]], triton: Triton) -> None:
    assert call("placed", 1, 1) == [Code.OK] * 2
    triton.call = failing(Code.INTERNAL)
    assert call("placed", 1, 1) == [Code.INTERNAL] * 2
    triton.call = failing(Code.INVALID_ARGUMENT, raw_answer)
    assert call("placed", 1, 1) == [Code.INVALID_ARGUMENT] * 2


def test_what_is_asked_by_grpc_and_by_rest_shares_a_budget(
    call: Callable[..., list[Code]], gateway: LiveGateway, upstream: Upstream
) -> None:
    upstream.script = answering(bodies.infer_answer())

    def rest() -> int:
        return ask(gateway, "both", bodies.infer_request(), bodies.INFER).status_code

    assert (rest(), call("both", 1), rest()) == (200, [Code.OK], 200)
    assert (rest(), call("both", 1)) == (429, [Code.RESOURCE_EXHAUSTED])
