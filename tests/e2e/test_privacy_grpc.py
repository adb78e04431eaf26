"""Votes by gRPC through a real Envoy: as by REST, and out of one budget with it."""

import threading
from collections.abc import Callable, Iterator, Sequence
from typing import Any, Final

import grpc
import numpy as np
import orjson
import pytest

from tests.e2e.budgets import ask, key, plans
from tests.e2e.gateway import LiveGateway, live_gateway
from tests.e2e.pumps import both_protocols, either, recorded
from tests.e2e.triton import INFER, STREAM, Request, Response, Triton, served
from tests.e2e.upstream import Upstream, answering

REST: Final = "/v2/models/zoo/versions/1/infer"
SURE: Final = [3, 81, 5, 7, 4, 0]
OTHER: Final = [83, 2, 6, 4, 5, 0]
CLOSE: Final = [33, 17, 29, 11, 7, 3]
FIRST: Final = [1, 0, 0, 0, 0, 0]
SECOND: Final = [0, 1, 0, 0, 0, 0]
_ROUTES: Final = f"""\
  - path: {INFER}
    dialect: {{kind: kserve_v2_grpc, outputs: {{tally: votes}}, teachers: 100}}
  - path: /v2/models/{{model}}/versions/{{version}}/infer
    dialect: {{kind: kserve_v2, outputs: {{tally: votes}}, teachers: 100}}
"""
_TIERS: Final = """\
fidelities:
  open: {votes: pass}
  private: {votes: [{kind: noisy_max, noise: gaussian, scale: 3}]}
  careful:
    votes: [{kind: noisy_max, noise: gaussian, scale: 3, threshold: {votes: 60, sigma: 3}}]
  nothing: {}
"""
_ONE: Final = "{name: once, count: privacy, per: tenant, epsilon: 2, delta: 1e-5"
"""Room for one answer with such noise, and not for two."""
_MANY: Final = "{name: many, count: privacy, per: tenant, epsilon: 8, delta: 1e-5}"
"""Room for eight answers with their checks, or for 24 checks."""
_ALONE: Final = ("told", "batch", "failing", "under-way", "rest", "grpc", "streaming", "large")
POLICIES: Final = {
    **dict.fromkeys(_ALONE, f"fidelity: private, budgets: [{_ONE}}}]"),
    "lowered": f"fidelity: private, budgets: [{_ONE}, exhausted: {{fidelity: nothing}}}}]",
    "forms": f"fidelity: private, budgets: [{_MANY}]",
    "careful": f"fidelity: careful, budgets: [{_MANY}]",
    "internal": "fidelity: open",
}
Code: Final = grpc.StatusCode
Script = Callable[[Any, grpc.ServicerContext], Iterator[Any]]


class Ensemble(Triton):
    """Says as many messages as a test tells it to."""

    script: Script

    def service(self, details: grpc.HandlerCallDetails) -> Any:
        return grpc.unary_stream_rpc_method_handler(
            self._said, Request.FromString, Response.SerializeToString
        )

    def _said(self, request: Any, context: grpc.ServicerContext) -> Iterator[Any]:
        self.requests.append(request)
        yield from self.script(request, context)


@pytest.fixture(scope="module")
def ensemble() -> Ensemble:
    return Ensemble()


@pytest.fixture(scope="module")
def running_gateway(
    scripted: Upstream, ensemble: Ensemble, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[LiveGateway]:
    made = plans(POLICIES, more_routes=_ROUTES)
    change = lambda text: made(text).replace("fidelities:\n", _TIERS, 1)  # noqa: E731
    with (
        served(ensemble) as grpc_port,
        either(scripted.port, grpc_port) as port,
        live_gateway(
            tmp_path_factory.mktemp("v"), port, policy=change, bootstrap=both_protocols
        ) as live,
    ):
        yield live


class Asking:
    """Of the ensemble, by gRPC; of each call what is told, or its code."""

    def __init__(self, gateway: LiveGateway, channel: grpc.Channel, wire: bytearray) -> None:
        self._gateway = gateway
        self._stub = channel.unary_unary(INFER, Request.SerializeToString, Response.FromString)
        self.wire = wire
        """Every octet that has come back."""

    def __call__(self, tenant: str, *inputs: float) -> Any:
        done = self.begin(tenant, *inputs)
        code = done.code()
        self._gateway.until_settled()
        return rows(done.result()) if code is Code.OK else code

    def begin(self, tenant: str, *inputs: float) -> Any:
        metadata = (("authorization", f"Bearer {key(tenant)}"),)
        return self._stub.future(question(*inputs), metadata=metadata, timeout=20)

    def told(self, *counts: int) -> bool:
        """Whether these votes came back, in any form that a message has for them."""
        typed = Response()
        typed.outputs.add().contents.int64_contents.extend(counts)
        packed = typed.outputs[0].contents.SerializeToString()[2:]
        raw = [np.array(counts, each).tobytes() for each in ("<i4", "<i8", "<f4", "<f8", "u1")]
        return any(each in self.wire for each in (packed, *raw))

    def named(self, place: int) -> bool:
        """Whether this class came back, in the form that `tally` has."""
        return np.eye(6, dtype="<i8")[place].tobytes() in self.wire


@pytest.fixture
def asking(gateway: LiveGateway, ensemble: Ensemble) -> Iterator[Asking]:
    ensemble.requests.clear()
    wire = bytearray()
    with (
        recorded(gateway.port, wire) as port,
        grpc.insecure_channel(f"{gateway.host}:{port}") as channel,
    ):
        yield Asking(gateway, channel, wire)


def question(*inputs: float) -> Any:
    asked = Request(model_name="zoo")
    tensor = asked.inputs.add(name="x", datatype="FP32", shape=[len(inputs), 1])
    tensor.contents.fp32_contents.extend(inputs)
    return asked


_FORMS: Final = {"INT32": "<i4", "INT64": "<i8", "FP32": "<f4", "UINT8": "u1"}
_CONTENTS: Final = {
    "INT32": "int_contents",
    "INT64": "int64_contents",
    "FP32": "fp32_contents",
    "UINT8": "uint_contents",
}


def tally(
    *votes: Sequence[int], datatype: str = "INT64", raw: bool = True, more: Sequence[str] = ()
) -> Any:
    """An answer; ``more`` are names of outputs beside it that hold the same."""
    said = Response(model_name="zoo-7", model_version="7")
    for name in ("tally", *more):
        output = said.outputs.add(name=name, datatype=datatype, shape=[len(votes), len(votes[0])])
        if raw:
            said.raw_output_contents.append(np.array(votes, _FORMS[datatype]).tobytes())
        else:
            getattr(output.contents, _CONTENTS[datatype]).extend(np.ravel(votes).tolist())
    return said


def shaped(*shape: int) -> Any:
    said = tally(SURE)
    said.outputs[0].shape[:] = shape
    return said


def cut() -> Any:
    said = tally(SURE)
    said.raw_output_contents[0] = said.raw_output_contents[0][:-1]
    return said


def saying(*messages: Any) -> Script:
    return lambda _request, _context: iter(messages)


def rows(said: Any) -> Any:
    """What the outputs of an answer hold, by name."""
    if said.raw_output_contents:
        held = [
            np.frombuffer(octets, _FORMS[output.datatype])
            for output, octets in zip(said.outputs, said.raw_output_contents, strict=True)
        ]
    else:
        held = [
            np.array(getattr(output.contents, _CONTENTS[output.datatype]))
            for output in said.outputs
        ]
    return {
        output.name: values.reshape(output.shape).tolist()
        for output, values in zip(said.outputs, held, strict=True)
    }


@pytest.mark.parametrize("datatype", ["INT32", "INT64"])
@pytest.mark.parametrize("raw", [True, False])
def test_votes_are_answered_by_one_class_in_the_form_in_which_they_came(
    asking: Asking, ensemble: Ensemble, datatype: str, *, raw: bool
) -> None:
    said = tally(SURE, OTHER, datatype=datatype, raw=raw, more=["count", "logits"])
    said.parameters["tally"].string_param = str(SURE)
    said.outputs[0].parameters["sure"].int64_param = SURE[1]
    ensemble.script = saying(said)
    place = 10.0 * list(_FORMS).index(datatype) + 100.0 * raw
    done = asking.begin("forms", place, place + 1).result()
    assert rows(done) == {"tally": [SECOND, FIRST]}
    assert done.outputs[0].datatype == datatype
    assert bool(done.raw_output_contents) == raw
    assert (done.model_name, done.model_version, len(done.parameters)) == ("zoo", "", 0)
    assert not asking.told(*SURE)
    assert not asking.told(*OTHER)


def test_an_internal_tenant_is_told_the_votes_that_its_policy_lets_pass(
    asking: Asking, ensemble: Ensemble
) -> None:
    ensemble.script = saying(tally(SURE))
    assert asking("internal", 1.0) == {"tally": [SURE]}
    assert asking.told(*SURE)


@pytest.mark.parametrize("raw", [True, False])
def test_votes_below_the_threshold_name_no_class_and_cost_their_check_alone(
    asking: Asking, ensemble: Ensemble, *, raw: bool
) -> None:
    """Twelve of these would not be answered if each cost an answer; the first six are raw."""
    ensemble.script = saying(tally(CLOSE, CLOSE, CLOSE, raw=raw))
    for at in (0.0, 3.0):
        place = at + 100.0 * raw
        said = asking("careful", place, place + 1, place + 2)
        assert said == {"tally": [[0] * 6] * 3}
    assert not asking.told(*CLOSE)


def test_an_answer_is_charged_before_the_model_is_asked(asking: Asking, ensemble: Ensemble) -> None:
    asked, goes_on = threading.Event(), threading.Event()

    def hangs(_request: Any, _context: grpc.ServicerContext) -> Iterator[Any]:
        asked.set()
        goes_on.wait(20)
        yield tally(SURE)

    ensemble.script = hangs
    first = asking.begin("under-way", 1.0)
    assert asked.wait(20)
    assert asking.begin("under-way", 2.0).code() is Code.RESOURCE_EXHAUSTED
    assert not asking.named(1)
    goes_on.set()
    assert rows(first.result()) == {"tally": [SECOND]}
    assert asking.named(1)
    assert len(ensemble.requests) == 1


def test_what_was_paid_for_is_told_again_and_nothing_else_when_nothing_is_left(
    asking: Asking, ensemble: Ensemble
) -> None:
    ensemble.script = saying(tally(SURE))
    assert asking("told", 1.0) == {"tally": [SECOND]}
    ensemble.script = saying(tally(OTHER, raw=False))  # the model has changed its mind
    assert asking("told", 1.0) == {"tally": [SECOND]}
    assert asking("told", 2.0) is Code.RESOURCE_EXHAUSTED
    assert asking("told", 1.0) == {"tally": [SECOND]}


def test_a_batch_is_charged_for_what_is_new_in_it(asking: Asking, ensemble: Ensemble) -> None:
    ensemble.script = saying(tally(SURE, SURE))
    assert asking("batch", 1.0, 2.0) is Code.RESOURCE_EXHAUSTED
    ensemble.script = saying(tally(SURE))
    assert asking("batch", 1.0) == {"tally": [SECOND]}
    ensemble.script = saying(tally(OTHER, OTHER))
    assert asking("batch", 1.0, 1.0) == {"tally": [SECOND, SECOND]}
    assert asking("batch", 1.0, 2.0) is Code.RESOURCE_EXHAUSTED


@pytest.mark.parametrize("first", ["rest", "grpc"])
def test_what_is_asked_by_grpc_and_by_rest_shares_a_budget(
    asking: Asking, ensemble: Ensemble, gateway: LiveGateway, upstream: Upstream, first: str
) -> None:
    """Each remembers what it told itself; the other pays for it."""
    ensemble.script = saying(tally(SURE))
    output = {"name": "tally", "shape": [1, 6], "datatype": "INT64", "data": SURE}
    upstream.script = answering(orjson.dumps({"outputs": [output]}))
    tensor = {"name": "x", "shape": [1, 1], "datatype": "FP32", "data": [1.0]}
    body = orjson.dumps({"inputs": [tensor]})

    def by_rest() -> int:
        code = ask(gateway, first, body, REST).status_code
        gateway.until_settled()
        return code

    if first == "rest":
        assert (by_rest(), asking(first, 1.0), by_rest()) == (200, Code.RESOURCE_EXHAUSTED, 200)
    else:
        assert asking(first, 1.0) == {"tally": [SECOND]}
        assert (by_rest(), asking(first, 1.0)) == (429, {"tally": [SECOND]})


def test_whoever_has_used_it_up_is_answered_at_a_lower_tier(
    asking: Asking, ensemble: Ensemble
) -> None:
    ensemble.script = saying(tally(SURE))
    assert asking("lowered", 1.0) == {"tally": [SECOND]}
    assert asking("lowered", 2.0) == {}
    assert not asking.told(*SURE)


def failing(*before: Any) -> Script:
    def script(_request: Any, context: grpc.ServicerContext) -> Iterator[Any]:
        yield from before
        context.abort(Code.INTERNAL, f"of {SURE} votes {np.array(SURE, '<i8').tobytes()!r}")

    return script


@pytest.mark.parametrize(
    "script",
    [
        saying(tally([*SURE[:5], 1])),
        saying(tally([*SURE[:4], 5, -1])),
        saying(tally([*SURE[:4], 5, -1], raw=False)),
        saying(tally([1 << 62, *SURE[1:]], raw=False)),
        saying(tally(SURE, SURE)),
        saying(tally(SURE, SURE, raw=False)),
        saying(shaped(6, 1)),
        saying(shaped(1, 1, 6)),
        saying(shaped(1, 7)),
        saying(shaped()),
        saying(cut()),
        saying(tally(SURE, datatype="FP32")),
        saying(tally(SURE, datatype="FP32", raw=False)),
        saying(tally(SURE, datatype="UINT8")),
        saying(tally(SURE, datatype="UINT8", raw=False)),
        saying(tally(SURE, more=["tally"])),
        saying(tally(SURE, raw=False, more=["tally"])),
        saying(tally(SURE), tally(SURE)),
        failing(),
        failing(tally(SURE)),
    ],
)
def test_what_cannot_be_answered_tells_no_votes_and_costs_nothing(
    asking: Asking, ensemble: Ensemble, script: Script
) -> None:
    ensemble.script = script
    assert [asking("failing", at) for at in (1.0, 2.0)] == [Code.INTERNAL] * 2
    assert not asking.told(*SURE)
    assert not asking.told(*SURE[:4])
    assert str(SURE).encode() not in asking.wire
    assert len(ensemble.requests) == 2


def test_what_has_left_is_paid_for_though_the_model_fails_behind_it(
    asking: Asking, ensemble: Ensemble
) -> None:
    """Of a large answer most has been sent by then."""
    ensemble.script = failing(tally([*SURE, *[0] * 60_000]))
    assert asking("large", 1.0) is Code.INTERNAL
    assert asking.named(1)
    assert asking("large", 2.0) is Code.RESOURCE_EXHAUSTED
    assert not asking.told(*SURE)


def test_a_stream_of_requests_is_not_routed(
    asking: Asking, ensemble: Ensemble, gateway: LiveGateway
) -> None:
    ensemble.script = saying(tally(SURE))
    with grpc.insecure_channel(f"{gateway.host}:{gateway.port}") as channel:
        stub = channel.stream_stream(STREAM, Request.SerializeToString, Response.FromString)
        metadata = (("authorization", f"Bearer {key('streaming')}"),)
        with pytest.raises(grpc.RpcError) as caught:
            list(stub(iter([question(1.0)]), metadata=metadata, timeout=20))
    error: Any = caught.value
    assert error.code() is Code.UNIMPLEMENTED
    assert ensemble.requests == []
