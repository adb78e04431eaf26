"""Real clients of the Open Inference Protocol over gRPC, of a real gRPC server that leaks.

See scripted.py.
"""

from collections.abc import Iterator
from typing import Any, Final

import grpc
import pytest

from tests.clients.scripted import read
from tests.e2e.gateway import KEYS, live_gateway
from tests.e2e.triton import ROUTES, Triton, raw_answer, served, typed_answer

pytestmark = pytest.mark.e2e

REDUCED: Final = [[0.0, pytest.approx(0.6), pytest.approx(0.27), pytest.approx(0.12)]]
"""The probabilities at this tier: three of them, of two digits."""
SERVED: Final = {
    "probabilities": REDUCED, "label": [[1]], "logits": None, "model": "digits", "version": ""
}  # fmt: skip


def either(request: Any, context: grpc.ServicerContext) -> Any:
    """In the form that the request's id asks for."""
    return (typed_answer if request.id == "typed" else raw_answer)(request, context)


@pytest.fixture(scope="module")
def triton() -> Triton:
    triton = Triton()
    triton.call = either
    return triton


@pytest.fixture(scope="module")
def address(triton: Triton, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    directory = tmp_path_factory.mktemp("g")
    change = lambda text: text.replace("routes:\n", ROUTES)  # noqa: E731
    with served(triton) as port, live_gateway(directory, port, policy=change, http2=True) as live:
        yield f"{live.host}:{live.port}"
        assert live.fail_open_events() == 0


@pytest.fixture(scope="module")
def found(address: str, triton: Triton) -> Any:
    """What Triton's client read, after which the server tells what it was asked."""
    triton.requests.clear()
    return read(address, "triton_grpc_client.py", KEYS["standard"])


def test_tritons_client_reads_protected_tensors(found: Any) -> None:
    assert found["all"] == {**SERVED, "id": "1"}
    assert found["wanted"] == {**SERVED, "id": ""}


def test_tritons_client_reads_what_comes_by_a_callback(found: Any) -> None:
    assert found["async"] == {**SERVED, "id": ""}


def test_tritons_client_is_told_why_it_is_refused(found: Any) -> None:
    assert found["no key"] == ["StatusCode.UNAUTHENTICATED", "Missing or invalid credential."]
    assert found["no model"] == ["StatusCode.NOT_FOUND", "The model does not exist."]
    status, words = found["compressed"]
    assert status == "StatusCode.INVALID_ARGUMENT"
    assert "ompress" in words


def test_a_stream_of_tritons_client_ends_with_a_status_and_is_not_waited_for(
    found: Any, triton: Triton
) -> None:
    assert found["stream"] == ["StatusCode.UNIMPLEMENTED", "Unknown path."]
    assert found["stream that is kept open"] == found["stream"]
    assert len(triton.requests) == len(("all", "wanted", "async"))


def test_kserves_client_reads_typed_contents_and_raw_ones(address: str) -> None:
    found = read(address, "kserve_grpc_client.py", KEYS["standard"])
    served = {name: SERVED[name] for name in ("probabilities", "label", "model", "version")}
    assert found["typed"] == served
    assert found["raw"] == served
