"""What a sidecar has in memory is what its policy uses, and is there before the policy serves."""

import json
import re
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.config import everything
from tests.server.test_app import free_port

_NOTED = """
import importlib.abc, json, sys, threading
noted = {}
class Noting(importlib.abc.MetaPathFinder):
    def find_spec(self, name, path, target=None):
        if name in WATCHED:
            noted[name] = threading.current_thread() is threading.main_thread()
sys.meta_path.insert(0, Noting())
from extproc.__main__ import main
sys.argv = ["extproc", "serve", "--policy", POLICY]
main()
print(json.dumps(noted))
"""
USED = ("cryptography", "joserfc", "jsonschema_rs", "httpx")
NOT_USED = ("numpy.random", "opentelemetry", "redis", "rich", "duckdb", "sklearn")


class Sidecar:
    """One that notes which of some modules it imports, and whether its event loop has to wait."""

    def __init__(self, folder: Path) -> None:
        self.policy = everything.write(folder)
        text = everything.TEXT.replace("/run/extproc.sock", f"{folder}/s")
        self.tokens = re.sub("audit: .*\n", "", text.replace("9101", str(free_port())))
        self.plain = re.sub(r"(?s)credentials:.*(?=routes:)|    input: [^\n]*\n", "", self.tokens)
        self.policy.write_text(self.plain)
        watched = f"WATCHED, POLICY = {(*USED, *NOT_USED)}, {str(self.policy)!r}"
        self.process = subprocess.Popen(
            [sys.executable, "-c", f"{watched}\n{_NOTED}"],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    def until(self, message: str) -> None:
        assert self.process.stderr is not None
        for line in self.process.stderr:
            said = json.loads(line)
            if said["message"] == message:
                return
        raise AssertionError(f"it never said {message!r}")

    def noted(self) -> dict[str, bool]:
        self.process.terminate()
        out, _ = self.process.communicate(timeout=30)
        found: dict[str, bool] = json.loads(out)
        return found


@pytest.fixture
def sidecar(tmp_path: Path) -> Iterator[Sidecar]:
    made = Sidecar(tmp_path)
    try:
        made.until("serving")
        yield made
    finally:
        made.process.kill()
        made.process.communicate()


def test_a_policy_without_tokens_imports_nothing_that_tokens_need(sidecar: Sidecar) -> None:
    assert sidecar.noted() == {}


def test_what_another_policy_needs_is_imported_before_it_serves_and_holds_up_nobody(
    sidecar: Sidecar,
) -> None:
    sidecar.policy.write_text(sidecar.tokens)
    sidecar.process.send_signal(signal.SIGHUP)
    sidecar.until("reloaded")
    noted = sidecar.noted()
    assert {name: noted.get(name) for name in USED} == dict.fromkeys(USED, False)
