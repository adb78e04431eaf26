"""Kills the model server, then the sidecar, and looks at what still comes through.

Rule: processes are killed by id, without a chance to say goodbye.
"""

import os
import signal
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from typing import Any, Final

from extproc.demo import cases
from extproc.demo.answer import Answer
from extproc.demo.client import Client, bearer
from extproc.demo.model_server import model_server
from extproc.demo.stage import Stage
from extproc.gateway.process import Child, Log

_SHORT: Final[Mapping[str, Any]] = cases.chat(logprobs=True)
_LONG: Final[Mapping[str, Any]] = cases.chat(
    max_tokens=512, temperature=1, seed=1, stream=True, logprobs=True
)
_MIDDLE: Final = 1 << 10
_PACE: Final = 0.1
"""Seconds between two tokens: neither the sidecar nor Envoy may have all of them when the sidecar
is killed, however busy this process is meanwhile."""


@dataclass(frozen=True, slots=True)
class Failure:
    """What the gateway answered."""

    model_down: Answer
    model_back: Answer
    """The same request, after another model server took the place of the first."""
    uncut: Answer
    """A long stream, as the model server gives it."""
    cut: Answer
    """The same through Envoy, the sidecar killed in the middle."""
    sidecar_down: Answer
    unprocessed: Answer
    """What ``sidecar_down`` would be, had it passed."""


async def break_it(running: Stage, model: Client, gateway: Client, log: Log) -> Failure:
    """Kill one after the other; a request of tier standard must never get more for it."""
    headers = bearer(running.issued.key_of("standard"))
    uncut = await model.post(cases.CHAT, _LONG)
    await _kill(running.models.child)
    model_down = await gateway.post(cases.CHAT, _SHORT, headers=headers)
    port = running.models.address.port
    async with model_server(log, port, models=("tiny-lm",), pace=_PACE) as again:
        await again.ready()
        return Failure(
            model_down=model_down,
            model_back=await gateway.post(cases.CHAT, _SHORT, headers=headers),
            uncut=uncut,
            cut=await gateway.post(
                cases.CHAT,
                _LONG,
                headers=headers,
                on_bytes=lambda count: _kill_in_the_middle(running.gateway.sidecar, count),
            ),
            sidecar_down=await gateway.post(cases.CHAT, _SHORT, headers=headers),
            unprocessed=await model.post(cases.CHAT, _SHORT),
        )


def _kill_in_the_middle(sidecar: Child, count: int) -> None:
    if count > _MIDDLE and sidecar.alive:
        # Between its end and the moment asyncio hears of it, the process id is nobody's.
        with suppress(ProcessLookupError):
            os.kill(sidecar.pid, signal.SIGKILL)


async def _kill(child: Child) -> None:
    os.kill(child.pid, signal.SIGKILL)
    await child.wait()
