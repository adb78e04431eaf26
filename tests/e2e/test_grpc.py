"""A real gRPC client and a real gRPC server, with the gateway between them."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import grpc
import numpy as np
import pytest

from tests.e2e.gateway import KEYS, LiveGateway, live_gateway
from tests.e2e.triton import (
    INFER,
    ROUTES,
    STREAM,
    Request,
    Response,
    Triton,
    question,
    raw_answer,
    served,
    typed_answer,
)


@pytest.fixture(scope="module")
def triton() -> Triton:
    return Triton()


@pytest.fixture(scope="module")
def running_gateway(
    triton: Triton, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[LiveGateway]:
    directory = tmp_path_factory.mktemp("grpc")
    change = lambda text: text.replace("routes:\n", ROUTES)  # noqa: E731
    with served(triton) as port, live_gateway(directory, port, policy=change, http2=True) as live:
        yield live


@pytest.fixture
def call(gateway: LiveGateway, triton: Triton) -> Iterator[Callable[..., Any]]:
    triton.call = raw_answer
    triton.requests.clear()
    with grpc.insecure_channel(f"{gateway.host}:{gateway.port}") as channel:

        def ask(request: Any, tenant: str = "standard", path: str = INFER, **more: Any) -> Any:
            stub = channel.unary_unary(path, Request.SerializeToString, Response.FromString)
            key = KEYS.get(tenant, "xk-nobody")
            metadata = (("authorization", f"Bearer {key}"),)
            return stub.with_call(request, metadata=metadata, timeout=20, **more)

        yield ask


def refusal(call: Callable[..., Any], *args: Any, **more: Any) -> tuple[Any, str]:
    with pytest.raises(grpc.RpcError) as caught:
        call(*args, **more)
    error: Any = caught.value
    assert "s3cret" not in repr(error.trailing_metadata())
    return error.code(), error.details()


def test_an_answer_is_served_at_the_fidelity_of_the_tier(
    call: Callable[..., Any], triton: Triton
) -> None:
    answer, done = call(question())
    assert [output.name for output in answer.outputs] == ["probabilities", "label"]
    assert np.frombuffer(answer.raw_output_contents[0], "<f4").tolist() == pytest.approx(
        [0.0, 0.6, 0.27, 0.12]
    )
    assert np.frombuffer(answer.raw_output_contents[1], "<i8").tolist() == [1]
    assert (answer.model_name, answer.model_version, answer.id) == ("digits", "", "42")
    assert b"s3cret" not in answer.SerializeToString()
    assert done.code() is grpc.StatusCode.OK
    assert [*done.trailing_metadata()] == []
    assert "x-compute-time" not in dict(done.initial_metadata())
    assert triton.requests == [question()]
    assert "authorization" not in triton.metadata


def test_typed_contents_are_served_at_the_fidelity_of_the_tier(
    call: Callable[..., Any], triton: Triton
) -> None:
    triton.call = typed_answer
    found, _ = call(question())
    probabilities, label = found.outputs
    assert [*probabilities.contents.fp32_contents] == pytest.approx([0.0, 0.6, 0.27, 0.12])
    assert [*label.contents.int64_contents] == [1]
    assert [*found.raw_output_contents] == []
    assert b"s3cret" not in found.SerializeToString()


def test_a_large_answer_passes(call: Callable[..., Any], triton: Triton) -> None:
    def large(request: Any, context: grpc.ServicerContext) -> Any:
        answer = Response(model_name="digits")
        answer.outputs.add(name="probabilities", datatype="FP32", shape=[200, 1000])
        answer.raw_output_contents.append(np.full(200_000, 0.001, "<f4").tobytes())
        return answer

    triton.call = large
    answer, _ = call(question())
    assert len(answer.raw_output_contents[0]) == 800_000


def test_a_stranger_is_denied(call: Callable[..., Any], triton: Triton) -> None:
    assert refusal(call, question(), "nobody") == (
        grpc.StatusCode.UNAUTHENTICATED,
        "Missing or invalid credential.",
    )
    assert triton.requests == []


def test_a_limit_is_told_as_one(call: Callable[..., Any]) -> None:
    call(question(), "slow")
    call(question(), "slow")
    code, details = refusal(call, question(), "slow")
    assert (code, details) == (grpc.StatusCode.RESOURCE_EXHAUSTED, "Too many requests.")


def test_another_model_is_unknown(call: Callable[..., Any], triton: Triton) -> None:
    code, details = refusal(call, question("other"))
    assert (code, details) == (grpc.StatusCode.NOT_FOUND, "The model does not exist.")
    assert triton.requests == []


def test_a_request_of_which_too_much_is_asked_says_what(call: Callable[..., Any]) -> None:
    asked = question()
    asked.inputs[0].parameters["shared_memory_region"].string_param = "s3cret"
    code, details = refusal(call, asked)
    assert code is grpc.StatusCode.INVALID_ARGUMENT
    assert details == "'inputs[].parameters' holds what is not available."


def test_a_compressed_request_is_refused(call: Callable[..., Any], triton: Triton) -> None:
    asked = question()
    asked.id = "a" * 4000
    code, details = refusal(call, asked, compression=grpc.Compression.Gzip)
    assert code is grpc.StatusCode.INVALID_ARGUMENT
    assert "ompress" in details
    assert triton.requests == []


def test_a_stream_of_requests_is_not_routed(call: Callable[..., Any], triton: Triton) -> None:
    code, details = refusal(call, question(), path=STREAM)
    assert (code, details) == (grpc.StatusCode.UNIMPLEMENTED, "Unknown path.")
    assert triton.requests == []


@pytest.mark.parametrize("early", [True, False])
def test_an_error_of_the_server_keeps_its_number_and_loses_its_words(
    call: Callable[..., Any], triton: Triton, *, early: bool
) -> None:
    def fail(request: Any, context: grpc.ServicerContext) -> Any:
        if early:
            context.send_initial_metadata((("x-host", "s3cret"),))
        context.set_trailing_metadata((("x-host", "s3cret"),))
        context.abort(grpc.StatusCode.FAILED_PRECONDITION, "gpu s3cret is gone")

    triton.call = fail
    code, details = refusal(call, question())
    assert code is grpc.StatusCode.FAILED_PRECONDITION
    assert details == "The model server refused the request."


def test_a_compressed_answer_is_refused(call: Callable[..., Any], triton: Triton) -> None:
    """This server compresses although it was told that nobody could read it."""

    def compress(request: Any, context: grpc.ServicerContext) -> Any:
        context.set_compression(grpc.Compression.Gzip)
        return raw_answer(request, context)

    triton.call = compress
    code, details = refusal(call, question())
    assert code is grpc.StatusCode.INTERNAL
    assert details == "The model server's answer cannot be released."


def test_an_answer_that_breaks_the_protocol_is_our_own_fault_to_tell(
    call: Callable[..., Any], triton: Triton
) -> None:
    def logits(request: Any, context: grpc.ServicerContext) -> Any:
        answer = Response(model_name="digits")
        answer.outputs.add(name="probabilities", datatype="FP32", shape=[1, 1])
        answer.raw_output_contents.append(np.array([31337.0], "<f4").tobytes())
        return answer

    triton.call = logits
    code, details = refusal(call, question())
    assert code is grpc.StatusCode.INTERNAL
    assert details == "The model server's answer cannot be released."


def test_a_server_that_is_gone_is_told_in_our_words(tmp_path: Path) -> None:
    change = lambda text: text.replace("routes:\n", ROUTES)  # noqa: E731
    with live_gateway(tmp_path, 1, policy=change, http2=True) as gateway:
        with grpc.insecure_channel(f"{gateway.host}:{gateway.port}") as channel:
            stub = channel.unary_unary(INFER, Request.SerializeToString, Response.FromString)
            metadata = (("authorization", f"Bearer {KEYS['standard']}"),)
            with pytest.raises(grpc.RpcError) as caught:
                stub(question(), metadata=metadata, timeout=20)
        error: Any = caught.value
        assert error.code() is grpc.StatusCode.UNAVAILABLE
        assert error.details() == "The model server failed."
        assert gateway.fail_open_events() == 0
