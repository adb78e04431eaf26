"""What a real client reads, in an environment of its own.

Each script asks as its client does, and prints as JSON what it read.
"""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any, Final

from tests.e2e.gateway import KEYS

SCRIPTS: Final = Path(__file__).parent / "scripts"
PYTHON: Final = Path(sys.prefix) / "clients" / "bin" / "python"
HIDDEN: Final = (b"s3cret", b"0.31337", b"3133771")
"""Scores are granted, rounded to two digits."""


def read(address: str, script: str, key: str = KEYS["full"]) -> Any:
    """What the client made of its answers; none of it may be a secret."""
    command = [str(PYTHON), str(SCRIPTS / script), address, key]
    done = subprocess.run(command, capture_output=True, timeout=120, check=False)
    assert done.returncode == 0, done.stderr.decode()[-2000:]
    assert [secret for secret in HIDDEN if secret in done.stdout] == [], done.stdout
    return json.loads(done.stdout)
