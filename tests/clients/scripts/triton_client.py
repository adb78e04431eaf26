"""Asks as Triton's own clients do, by HTTP and by gRPC: ``python triton_client.py URL KEY``."""

import json
import sys
from urllib.parse import urlsplit

import numpy as np
import tritonclient.grpc as by_grpc
import tritonclient.http as by_http

url, key = sys.argv[1:]
address = urlsplit(url).netloc
sent = {"authorization": f"Bearer {key}"}


def ask(package, client, *, binary):
    """One inference; the values that the client made of the answer."""
    image = np.zeros((1, 4), np.float32)
    given = package.InferInput("image", [1, 4], "FP32")
    wanted = package.InferRequestedOutput("probabilities")
    if package is by_http:
        given.set_data_from_numpy(image, binary_data=binary)
        wanted = package.InferRequestedOutput("probabilities", binary_data=binary)
    else:
        given.set_data_from_numpy(image)
    found = client.infer("digits", [given], outputs=[wanted], headers=sent)
    return found.as_numpy("probabilities").tolist()


http = by_http.InferenceServerClient(address)
grpc = by_grpc.InferenceServerClient(address)
json.dump(
    {
        "http": ask(by_http, http, binary=False),
        "http binary": ask(by_http, http, binary=True),
        "grpc": ask(by_grpc, grpc, binary=True),
    },
    sys.stdout,
)
