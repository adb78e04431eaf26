"""Clients that ask without a pause, and a model server that holds their last questions."""

import threading
from typing import Final

import httpx

from tests.e2e import bodies
from tests.e2e.gateway import LiveGateway
from tests.e2e.upstream import Reply, Request, Upstream

CLIENTS: Final = 8
QUICK: Final = 200
"""Requests that are answered at once; whatever is asked then is held until the test lets go."""


class Load:
    """Clients that ask one question after the other, until they are told to end or refused."""

    def __init__(self, gateway: LiveGateway) -> None:
        self.answers: list[httpx.Response] = []
        self._ended = threading.Event()
        self._gateway = gateway
        self._clients = [threading.Thread(target=self._ask) for _ in range(CLIENTS)]
        for client in self._clients:
            client.start()

    def end(self) -> None:
        """What is asked is still answered."""
        self._ended.set()

    def wait(self) -> list[int]:
        """The statuses of all answers, when the last has come."""
        for client in self._clients:
            client.join(timeout=60)
            assert not client.is_alive()
        return [answer.status_code for answer in self.answers]

    def _ask(self) -> None:
        with httpx.Client(base_url=self._gateway.url, timeout=30) as client:
            while not self._ended.is_set():
                answer = client.post(
                    bodies.INFER, content=bodies.infer_request(), headers=bodies.headers()
                )
                self.answers.append(answer)
                if answer.status_code != 200:
                    return


class Held:
    """A model server that holds what is asked after the first requests."""

    def __init__(self, upstream: Upstream) -> None:
        self._upstream, self._released = upstream, upstream.event()
        upstream.script = self._script

    def full(self) -> bool:
        return len(self._upstream.requests) == QUICK + CLIENTS

    def release(self) -> None:
        self._upstream.release(self._released)

    async def _script(self, request: Request, reply: Reply) -> None:
        if len(self._upstream.requests) > QUICK:
            await self._released.wait()
        await reply.document(bodies.infer_answer())
