"""Asks as Triton's own client does, in JSON and in octets: ``python triton_client.py URL KEY``."""

import json
import sys
from urllib.parse import urlsplit

import numpy as np
from tritonclient.http import InferenceServerClient, InferInput, InferRequestedOutput

url, key = sys.argv[1:]
client = InferenceServerClient(urlsplit(url).netloc)


def ask(*, binary):
    """One inference; the values that the client made of the answer."""
    given = InferInput("image", [1, 2], "FP32")
    given.set_data_from_numpy(np.zeros((1, 2), np.float32), binary_data=binary)
    wanted = InferRequestedOutput("probabilities", binary_data=binary)
    sent = {"authorization": f"Bearer {key}"}
    found = client.infer("digits", [given], outputs=[wanted], headers=sent)
    return found.as_numpy("probabilities").tolist()


json.dump({"http": ask(binary=False), "http binary": ask(binary=True)}, sys.stdout)
