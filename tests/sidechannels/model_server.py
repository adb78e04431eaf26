"""A model server that takes as long, says as much and leaks as much as its question says.

A process of its own: in the client's, its work would show in the client's clock.  Prints its port.
"""

import asyncio
from typing import Any

import orjson
import uvloop


async def _serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    try:
        while True:
            await reader.readuntil(b"\r\n\r\n")
            asked = orjson.loads(orjson.loads(await _body(reader))["messages"][0]["content"])
            loop = asyncio.get_running_loop()
            over = loop.create_future()
            loop.call_later(asked["seconds"], over.set_result, None)
            await over
            answer = _answer(asked)
            length = f"content-length: {len(answer)}\r\n\r\n".encode()
            writer.write(b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\n" + length + answer)
    except (asyncio.IncompleteReadError, ConnectionError):
        writer.close()


async def _body(reader: asyncio.StreamReader) -> bytes:
    """In chunks, as Envoy passes on what the sidecar wrote."""
    body = b""
    while size := int(await reader.readline(), 16):
        body += (await reader.readexactly(size + 2))[:-2]
    await reader.readline()
    return body


def _answer(asked: dict[str, Any]) -> bytes:
    entry = {"token": "hi", "logprob": -0.123456789012345, "bytes": [104, 105], "top_logprobs": []}
    leaks = asked.get("leaks", 0)
    choice: dict[str, Any] = {
        "index": 0,
        "message": {"role": "assistant", "content": asked["text"]},
        "finish_reason": "stop",
    }
    if leaks:
        choice["logprobs"] = {"content": [entry] * leaks, "refusal": None}
    return orjson.dumps({"id": "c", "object": "chat.completion", "choices": [choice]})


async def main() -> None:
    server = await asyncio.start_server(_serve, "127.0.0.1", 0, backlog=4096)
    print(server.sockets[0].getsockname()[1], flush=True)
    await server.serve_forever()


if __name__ == "__main__":
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(main())
