"""A model server that speaks the Open Inference Protocol over gRPC, as Triton does, and leaks.

Its answers hold every field that the protocol has for one.
"""

from collections.abc import Callable, Iterator
from concurrent import futures
from contextlib import contextmanager
from typing import Any

import grpc
import numpy as np

from tests.protos import message

INFER = "/inference.GRPCInferenceService/ModelInfer"
STREAM = "/inference.GRPCInferenceService/ModelStreamInfer"
Request = message("inference.ModelInferRequest")
Response = message("inference.ModelInferResponse")
PROBABILITIES = np.array([0.01, 0.6061728394506173, 0.2671604938271605, 0.116666666722222])
_TENSORS = {
    ("probabilities", "FP32"): PROBABILITIES,
    ("logits", "FP64"): np.array([3133771.5]),
    ("label", "INT64"): np.array([1]),
}
_RAW = {"FP32": "<f4", "FP64": "<f8", "INT64": "<i8"}
_TYPED = {"FP32": "fp32_contents", "FP64": "fp64_contents", "INT64": "int64_contents"}
ROUTES = f"""routes:
  - path: {INFER}
    dialect: {{kind: kserve_v2_grpc, outputs: {{probabilities: probabilities, label: label}}}}
"""
Call = Callable[[Any, grpc.ServicerContext], Any]


class Triton(grpc.GenericRpcHandler):  # type: ignore[type-arg]  # not subscriptable
    """A model server that does what a test tells it."""

    def __init__(self) -> None:
        self.call: Call = raw_answer
        self.requests: list[Any] = []
        self.metadata: dict[str, Any] = {}

    def service(self, details: grpc.HandlerCallDetails) -> Any:
        self.metadata = dict(details.invocation_metadata or ())
        return grpc.unary_unary_rpc_method_handler(
            self._infer, Request.FromString, Response.SerializeToString
        )

    def _infer(self, request: Any, context: grpc.ServicerContext) -> Any:
        self.requests.append(request)
        return self.call(request, context)


def raw_answer(request: Any, context: grpc.ServicerContext) -> Any:
    """With its tensors in their raw form, as Triton answers."""
    found = _leaking(request, context)
    for output, values in zip(found.outputs, _TENSORS.values(), strict=True):
        found.raw_output_contents.append(values.astype(_RAW[output.datatype]).tobytes())
    return found


def typed_answer(request: Any, context: grpc.ServicerContext) -> Any:
    """With its tensors in typed contents, which KServe's servers may choose as well."""
    found = _leaking(request, context)
    for output, values in zip(found.outputs, _TENSORS.values(), strict=True):
        getattr(output.contents, _TYPED[output.datatype]).extend(values.tolist())
    return found


def _leaking(request: Any, context: grpc.ServicerContext) -> Any:
    context.set_trailing_metadata((("x-model-snapshot", "s3cret"),))
    context.send_initial_metadata((("x-compute-time", "31337"),))
    found = Response(model_name="digits-s3cret", model_version="7", id=request.id)
    found.parameters["s3cret"].int64_param = 31337
    for (name, datatype), values in _TENSORS.items():
        output = found.outputs.add(name=name, datatype=datatype, shape=[1, len(values)])
        output.parameters["s3cret"].double_param = 3133771.5
    return found


def question(model: str = "digits") -> Any:
    asked = Request(model_name=model, id="42")
    tensor = asked.inputs.add(name="image", datatype="FP32", shape=[1, 2])
    tensor.contents.fp32_contents.extend([0.0, 1.0])
    return asked


@contextmanager
def served(triton: Triton) -> Iterator[int]:
    """Have it answer on a port for the length of the block."""
    server = grpc.server(futures.ThreadPoolExecutor(4), compression=None)
    server.add_generic_rpc_handlers((triton,))
    port = server.add_insecure_port("127.0.0.1:0")
    server.start()
    try:
        yield port
    finally:
        server.stop(None).wait()
