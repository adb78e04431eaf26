"""A sidecar's control socket, served beside the test by a loop of its own."""

import asyncio
import threading
from collections.abc import Coroutine, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TypeVar

from extproc.limits import Limit
from extproc.policy import PolicyTable
from extproc.server.control import Control
from tests.server.test_acts import Operator, made

Result = TypeVar("Result")


class Beside:
    """``operator`` is at it, in a thread; ``run`` does something there."""

    def __init__(self, path: Path, of: PolicyTable) -> None:
        self.path = path
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)
        self._thread.start()
        self.operator = Operator(of)
        self.control = Control(path, self.operator.acts, self.operator.records)
        self.run(self.control.start())

    def run(self, doing: Coroutine[Any, Any, Result]) -> Result:
        return asyncio.run_coroutine_threadsafe(doing, self._loop).result(20)

    def spend(self, limit: Limit, group: str, amount: int, subject: str = "") -> None:
        self.run(self.operator.spend(limit, group, amount, subject))

    def close(self) -> None:
        self.run(self.control.close())
        self.operator.records.close()
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(20)
        self._loop.close()


@contextmanager
def beside(path: Path, *tenants: str, of: PolicyTable | None = None) -> Iterator[Beside]:
    found = Beside(path, of or made(*(tenants or ("acme", "beta"))))
    try:
        yield found
    finally:
        found.close()
