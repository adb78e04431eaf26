"""Asks as KServe's own client does over gRPC: ``python kserve_grpc_client.py HOST:PORT KEY``."""

import asyncio
import json
import sys

import numpy as np
from kserve import InferenceGRPCClient, InferInput, InferRequest

address, key = sys.argv[1:]


async def ask(client, name):
    """The request's id says in which form the server is to answer."""
    given = InferInput("image", [1, 2], "FP32")
    given.set_data_from_numpy(np.array([[0.0, 1.0]], np.float32), binary_data=name == "raw")
    asked = InferRequest("digits", [given], request_id=name)
    found = await client.infer(asked, headers=(("authorization", f"Bearer {key}"),))
    read = {output.name: output.as_numpy().tolist() for output in found.outputs}
    return {**read, "model": found.model_name, "version": found.model_version}


async def main():
    async with InferenceGRPCClient(address, retries=0) as client:
        found = {name: await ask(client, name) for name in ("raw", "typed")}
    json.dump(found, sys.stdout)


asyncio.run(main())
