"""Asks as Triton's own client does over gRPC: ``python triton_grpc_client.py HOST:PORT KEY``."""

import contextlib
import json
import queue
import sys

import numpy as np
from tritonclient.grpc import InferenceServerClient, InferInput, InferRequestedOutput
from tritonclient.utils import InferenceServerException

address, key = sys.argv[1:]
sent = {"authorization": f"Bearer {key}"}
client = InferenceServerClient(address)
given = InferInput("image", [1, 2], "FP32")
given.set_data_from_numpy(np.array([[0.0, 1.0]], np.float32))
NAMES = ("probabilities", "label", "logits")


def values(found):
    """What the client makes of an answer: each tensor, or None where there is none."""
    tensors = {name: found.as_numpy(name) for name in NAMES}
    read = {name: None if one is None else one.tolist() for name, one in tensors.items()}
    answer = found.get_response()
    return {**read, "model": answer.model_name, "version": answer.model_version, "id": answer.id}


def told(error):
    return None if error is None else [error.status(), error.message()]


def awaited(ask):
    """What came back by a callback."""
    came = queue.Queue()
    ask(lambda result, error: came.put((result, error)))
    result, error = came.get(timeout=20)
    return values(result) if error is None else told(error)


def refused(**asked):
    try:
        client.infer(**{"model_name": "digits", "inputs": [given], "headers": sent, **asked})
    except InferenceServerException as error:
        return told(error)


def streamed(*asked):
    """What the callback of a stream was told; its requests end only when it is stopped."""

    def ask(callback):
        client.start_stream(callback, headers=sent)
        for each in asked:
            # The stream may have been refused before its first request is written.
            with contextlib.suppress(InferenceServerException):
                client.async_stream_infer("digits", [each])

    read = awaited(ask)
    client.stop_stream()
    return read


wanted = [InferRequestedOutput(name) for name in ("probabilities", "label")]
found = {
    "all": values(client.infer("digits", [given], request_id="1", headers=sent)),
    "wanted": values(client.infer("digits", [given], outputs=wanted, headers=sent)),
    "async": awaited(lambda call: client.async_infer("digits", [given], call, headers=sent)),
    "no key": refused(headers={"authorization": "Bearer xk-nobody"}),
    "no model": refused(model_name="other"),
    # One that compressing would not make shorter is sent as it is.
    "compressed": refused(request_id="a" * 4000, compression_algorithm="gzip"),
    "stream": streamed(given),
    "stream that is kept open": streamed(),
}
client.close()
json.dump(found, sys.stdout)
