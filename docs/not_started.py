"""Start a sidecar with one thing wrong after the other, and print what it says, for
docs/deploy/README.md.  Paths are printed as a pod has them.
"""

import shutil
import socket
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

FOLDER = Path(tempfile.gettempdir()) / "extproc-not-started"
BASE = "version: 1\noverrides:\n  rollout: {mode: shadow}\n"
POLICY = """\
version: 1
listen: unix://{folder}/run/extproc.sock
health: 0.0.0.0:9101
keys: {{hmac: "file:{folder}/secrets/hmac"}}
routes: [{{path: /v1/embeddings, dialect: openai_embeddings}}]
fidelities: {{standard: {{embedding: [{{kind: quantize, bits: 8}}]}}}}
policies: {{partner: {{models: ["text-*"], fidelity: standard}}}}
tenants: {{acme: {{policy: partner}}}}
"""
# All that is imported is imported by whoever may read it; then it is a user without any rights, as
# in a pod.
PROGRAM = """\
import os, sys
from pathlib import Path
import extproc.server.app
from extproc.__main__ import main
from extproc.config import load_all
load_all(Path(sys.argv.pop(1)))
if not os.geteuid():
    os.setgroups([])
    os.setresgid(65532, 65532, 65532)
    os.setresuid(65532, 65532, 65532)
sys.exit(main())
"""


POLICY_FILE, BASE_FILE = FOLDER / "policy" / "policy.yaml", FOLDER / "platform" / "base.yaml"
SECRET, RUN = FOLDER / "secrets" / "hmac", FOLDER / "run"


def edit(path: Path, old: str, new: str) -> None:
    path.write_text(path.read_text().replace(old, new))


FAULTS: dict[str, Callable[[], object]] = {
    "The policy is not there": POLICY_FILE.unlink,
    "The policy may not be read": lambda: POLICY_FILE.chmod(0),
    "The policy is wrong": lambda: edit(POLICY_FILE, "fidelity: s", "fidelity: S"),
    "The platform's file is wrong": lambda: edit(BASE_FILE, "shadow", "shadwo"),
    "A secret is not there": SECRET.unlink,
    "A secret may not be read, for want of the group": lambda: SECRET.chmod(0),
    "The folder of the socket is not there": RUN.rmdir,
    "The folder of the socket is of others, for want of an fsGroup": lambda: RUN.chmod(0o555),
}
HEALTH = ("0.0.0.0", 9101)


def main() -> None:
    for what, wrong in FAULTS.items():
        with good():
            wrong()
            print(f"{what}\n  {told()}")
    with good(), socket.create_server(HEALTH):
        print(f"The port of the probes is taken\n  {told()}")


@contextmanager
def good() -> Iterator[None]:
    """Files with nothing wrong."""
    FOLDER.mkdir()
    FOLDER.chmod(0o755)
    try:
        for path in (POLICY_FILE.parent, BASE_FILE.parent, SECRET.parent, RUN):
            path.mkdir()
        RUN.chmod(0o777)
        text = POLICY.format(folder=FOLDER)
        POLICY_FILE.write_text(text)
        (FOLDER / "good.yaml").write_text(text.replace("secrets/hmac", "good"))
        (FOLDER / "good").write_text("0" * 64)
        BASE_FILE.write_text(BASE)
        SECRET.write_text("0" * 64)
        yield
    finally:
        shutil.rmtree(FOLDER)


def told() -> str:
    """The one sentence.  AssertionError where it says more, or ends with another code than 4."""
    arguments = ("serve", f"--policy={POLICY_FILE}", f"--base={BASE_FILE}")
    command = [sys.executable, "-c", PROGRAM, f"{FOLDER}/good.yaml", *arguments]
    done = subprocess.run(command, capture_output=True, text=True, timeout=30, check=False)
    assert done.returncode == 4, done.stderr
    assert done.stderr.count("\n") == 1, done.stderr
    inside = done.stderr.replace(f"{RUN}", "/run/extproc")
    return inside.replace(f"{FOLDER}", "/etc/extproc").strip()


if __name__ == "__main__":
    main()
