"""Asks as KServe's own client does, v1 and v2: ``python kserve_client.py URL KEY``."""

import asyncio
import json
import sys

import numpy as np
from kserve import InferenceRESTClient, InferInput, InferRequest, RESTConfig

url, key = sys.argv[1:]
sent = {"authorization": f"Bearer {key}"}


async def v2():
    given = InferInput("image", [1, 4], "FP32")
    given.set_data_from_numpy(np.zeros((1, 4), np.float32), binary_data=False)
    client = InferenceRESTClient(RESTConfig(protocol="v2", retries=0))
    found = await client.infer(url, InferRequest("digits", [given]), "digits", headers=sent)
    return {output.name: output.as_numpy().tolist() for output in found.outputs}


async def v1():
    client = InferenceRESTClient(RESTConfig(protocol="v1", retries=0))
    return await client.infer(url, {"instances": [[0.0] * 4]}, "digits", headers=sent)


async def main():
    json.dump({"v2": await v2(), "v1": await v1()}, sys.stdout)


asyncio.run(main())
