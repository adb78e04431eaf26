"""A sidecar that suspects whom a test says, by a file beside its policy; all else is the real one.

``python -m tests.e2e.suspecting POLICY``
"""

import sys
from pathlib import Path
from typing import Any, Final

import msgspec

from extproc.config import load_all
from extproc.escalation import NOBODY, Case
from extproc.server import app
from extproc.server.authz import Authorization
from extproc.server.processor import ExternalProcessor

CASES: Final = "cases.json"


def command(policy: Path) -> tuple[str, ...]:
    """The sidecar's, for a policy file."""
    return (sys.executable, "-m", "tests.e2e.suspecting", str(policy))


def suspect(folder: Path, **cases: Case) -> None:
    """From now on these tenants, and nobody else."""
    new = folder / f"{CASES}.new"
    new.write_bytes(msgspec.json.encode(cases))
    new.rename(folder / CASES)


class Told:
    """Whom the file names."""

    def __init__(self, folder: Path) -> None:
        self._file = folder / CASES

    def case(self, tenant: str, principal: str) -> Case:
        if not self._file.exists():
            return NOBODY
        cases = msgspec.json.decode(self._file.read_bytes(), type=dict[str, Case])
        return cases.get(tenant, NOBODY)


def main(policy: Path) -> None:
    served: Any = app
    told: Any = {"suspects": Told(policy.parent)}
    served.Authorization = lambda *args, **more: Authorization(*args, **{**more, **told})
    served.ExternalProcessor = lambda *args, **more: ExternalProcessor(*args, **{**more, **told})
    loaded = load_all(policy)
    served.run(loaded.config, loaded.table, loaded.plan, loaded.detection)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
