"""``extproc demo``: all three processes until Ctrl-C, with what it takes to try them by hand."""

import json
import shlex
from collections.abc import Iterator
from typing import Final

from extproc.demo import cases
from extproc.demo.policy_file import TENANTS
from extproc.demo.private import VOTES
from extproc.demo.stage import Stage, Wanted, stage
from extproc.gateway.process import ChildDied

_TRIED: Final = (
    (cases.INFER, cases.infer()),
    (cases.EMBEDDINGS, cases.embeddings()),
    (cases.CHAT, cases.chat(logprobs=True, top_logprobs=2)),
    (cases.CHAT, cases.chat(logprobs=True, stream=True)),
)


async def interactive(wanted: Wanted) -> ChildDied:
    """Run until one of them dies, which is returned, or this is cancelled."""
    async with stage(wanted) as running:
        for line in welcome(running):
            wanted.log(line)
        return await running.died()


def welcome(running: Stage) -> Iterator[str]:
    """What to know, and commands that show that it works."""
    issued, address = running.issued, running.gateway.address
    yield f"serving on http://{address}"
    yield f"the model server itself, unprotected: http://{running.models.address}"
    yield f"policy: {issued.policy} (gone when this ends)"
    yield "keys, and what they get:"
    for tenant, gets in TENANTS.items():
        yield f"  {issued.keys[tenant]}  {tenant}: {gets}"
    yield "try, with any of the keys:"
    for path, body in _TRIED:
        yield f"  {curl(f'http://{address}{path}', issued.key_of('standard'), body)}"
    yield "and an ensemble, with the key private, which is told so much for life:"
    yield f"  {curl(f'http://{address}{VOTES}', issued.keys['private'], cases.infer())}"
    yield "Ctrl-C ends all three; their logs:"


def curl(url: str, key: str, body: object) -> str:
    """A line to paste into a shell."""
    command = ("curl", "-sNw", "\\n", url, "-H", f"authorization: Bearer {key}")
    compact = json.dumps(body, separators=(",", ":"))
    content = ("-H", "content-type: application/json", "-d", compact)
    return shlex.join([*command, *content])
