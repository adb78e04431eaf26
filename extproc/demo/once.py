"""``extproc demo --once``: ask everything, judge, break things, judge again, and tell."""

import asyncio
import sys
from collections.abc import Awaitable
from contextlib import AsyncExitStack
from typing import Final, Literal, TypeVar

from rich.console import Console

from extproc.demo import access, dialogue, failure, private
from extproc.demo.access_protections import ACCESS
from extproc.demo.client import client
from extproc.demo.failure_protections import FAILURE
from extproc.demo.fidelity_protections import FIDELITY
from extproc.demo.policy_file import TIERS
from extproc.demo.private_protections import PRIVATE
from extproc.demo.report import Report, report, to_json
from extproc.demo.stage import Stage, Wanted, stage
from extproc.demo.table import WIDTH, show
from extproc.demo.verdict import judge
from extproc.gateway.process import ChildDied

T = TypeVar("T")

HELD: Final = 0
FAILED: Final = 1
"""Exit code where a protection did not hold."""


async def once(wanted: Wanted, output: Literal["text", "json"]) -> int:
    """Run it, print the report on standard output, return the exit code.

    Raise ChildDied where a process died that was not killed here.
    """
    async with stage(wanted) as running:
        told = await _ask_and_judge(wanted, running)
    if output == "json":
        print(to_json(told))
    else:
        show(told, Console(width=None if sys.stdout.isatty() else WIDTH, highlight=False))
    for verdict in told.failed:
        wanted.progress(f"FAILED: {verdict.protection}")
    return HELD if told.held else FAILED


async def _ask_and_judge(wanted: Wanted, running: Stage) -> Report:
    keys = running.issued.keys
    async with AsyncExitStack() as stack:
        model = await stack.enter_async_context(client(running.models.address))
        gateway = await stack.enter_async_context(client(running.gateway.address))
        wanted.progress("asking with and without extproc")
        tiers = {tier: running.issued.key_of(tier) for tier in TIERS}
        observed = await while_alive(running.died(), dialogue.observe(model, gateway, tiers))
        wanted.progress("asking for what is not granted")
        accessed = await while_alive(running.died(), access.probe(gateway, keys))
        wanted.progress("asking for more than is promised to be told")
        told = await while_alive(running.died(), private.probe(model, gateway, keys))
        wanted.progress("killing the model server, then the sidecar")
        broken = await failure.break_it(running, model, gateway, wanted.log)
    verdicts = judge(FIDELITY, observed) + judge(ACCESS, accessed) + judge(PRIVATE, told)
    return report(observed, verdicts + judge(FAILURE, broken))


async def while_alive(dying: Awaitable[ChildDied], asking: Awaitable[T]) -> T:
    """The result; raise ChildDied as soon as a process dies, whatever the answers were."""
    work, death = asyncio.ensure_future(asking), asyncio.ensure_future(dying)
    try:
        await asyncio.wait({work, death}, return_when=asyncio.FIRST_COMPLETED)
        if death.done():
            raise death.result()
        return work.result()
    finally:
        work.cancel()
        death.cancel()
