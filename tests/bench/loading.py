"""Loading a policy of many tenants, and many keys; and how long one key among many takes to find.

Each is loaded by a process of its own, whose memory nothing else uses.
"""

import json
import random
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Final

from extproc.config import compile_table, load
from extproc.config.keyring import Keyring, load_keyring
from extproc.credentials.api_key import DIGEST, ApiKey, ApiKeys, IssuedKeys
from extproc.events import CheckedRequest
from tests.bench.figures import BenchmarkError, Figure, Spread, Table
from tests.config import scale

TENANTS: Final = 10_000
_TURNS: Final = 5
_ROUNDS: Final = 50
_STATUS: Final = Path("/proc/self/status")
_ASKED: Final = 500
_NOW: Final = scale.CREATED.timestamp()


def loading(keys: int = 1_000_000) -> Table:
    with tempfile.TemporaryDirectory(prefix="extproc-bench-") as directory:
        folder = Path(directory)
        scale.write_keys(folder, 0, TENANTS)
        scale.write_policy(folder, TENANTS)
        policies = [_child("policy", folder) for _ in range(_TURNS)]
        scale.write_keys(folder, keys, TENANTS)
        ring = _child("keys", folder)
    sizes = sorted({100, 10_000, keys})
    found = {size: Spread.of(ring[f"among {size}"]) for size in sizes}
    seconds, peak = (Spread.of([each[name][0] for each in policies]) for name in ("s", "MB"))
    return Table(
        "Loading a policy",
        "finding a key among 100",
        (
            Figure(f"{TENANTS:,} tenants on {scale.ROUTES} routes", "s", seconds, goal=2),
            Figure("the whole process at its peak", "MB", peak, goal=300),
            Figure(f"a file of {keys:,} keys", "s", Spread.of(ring["s"])),
            Figure("growth of the process", "MB", Spread.of(ring["MB"])),
            *(
                Figure(f"finding a key among {size:,}", "us", spread, found[sizes[0]])
                for size, spread in found.items()
            ),
        ),
    )


def _child(what: str, folder: Path) -> dict[str, list[float]]:
    command = [sys.executable, "-m", "tests.bench.loading", what, str(folder)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        raise BenchmarkError(f"loading {what}: {done.stderr}")
    found: dict[str, list[float]] = json.loads(done.stdout)
    return found


def _policy(folder: Path) -> dict[str, list[float]]:
    began = time.perf_counter()
    compile_table(load(folder / "policy.yaml"), scale.ENVIRON)
    return {"s": [time.perf_counter() - began], "MB": [_peak()]}


def _keyring(folder: Path) -> dict[str, list[float]]:
    tenants = [scale.tenant(index) for index in range(TENANTS)]
    before, began = _peak(), time.perf_counter()
    ring = load_keyring(folder / "keys.jsonl", tenants, (), 10_000_000)
    seconds, grown = time.perf_counter() - began, _peak() - before
    return {"s": [seconds], "MB": [grown], **_finding(ring)}


def _finding(ring: Keyring) -> dict[str, list[float]]:
    """Microseconds, by how many keys there are, in turn."""
    sizes = sorted({100, 10_000, len(ring.keys)})
    rings = {size: _first(ring, size) for size in sizes}
    found: dict[str, list[float]] = {f"among {size}": [] for size in sizes}
    drawn = random.Random(1)
    for _ in range(_ROUNDS):
        for size, keys in rings.items():
            found[f"among {size}"].append(_round(keys, drawn))
    return found


def _first(ring: Keyring, size: int) -> IssuedKeys:
    if size == len(ring.keys):
        return ring.keys
    digests = (bytes.fromhex(scale.hashed(scale.key(index)))[:DIGEST] for index in range(size))
    return IssuedKeys({digest: ring.keys[digest] for digest in digests})


def _round(keys: IssuedKeys, drawn: random.Random) -> float:
    """Keys all over the file, so that the processor's caches hold few of many."""
    prover = ApiKeys(ApiKey(), scale.SECRET, {}, keys)
    asked = [
        CheckedRequest("POST", "/", {"x-api-key": scale.key(drawn.randrange(len(keys)))})
        for _ in range(_ASKED)
    ]
    began = time.process_time()
    proofs = [prover.prove(request, _NOW) for request in asked]
    seconds = time.process_time() - began
    assert None not in proofs
    return seconds / _ASKED * 1e6


def _peak() -> float:
    """MB, of this program alone: what getrusage tells may be its parent's, who was larger."""
    [line] = [each for each in _STATUS.read_text().splitlines() if each.startswith("VmHWM:")]
    return int(line.split()[1]) * 1024 / 1e6


if __name__ == "__main__":
    asked = {"policy": _policy, "keys": _keyring}[sys.argv[1]]
    print(json.dumps(asked(Path(sys.argv[2]))))
