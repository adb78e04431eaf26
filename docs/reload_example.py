"""Run a sidecar, change its policy, break it, and print what it then tells, for reload.md.

Usage: ``python docs/reload_example.py WHAT``: ``log``, or a path of the admin port.  Secrets are
fixed, so that every run prints the same hashes; times are printed as dots.
"""

import re
import shutil
import signal
import subprocess
import sys
import tempfile
import urllib.request
from pathlib import Path

POLICY = """\
version: 1
listen: unix://{folder}/s
health: 127.0.0.1:{health}
admin: 127.0.0.1:{admin}
keys: {{hmac: "file:hmac"}}
routes:
  - {{path: /v1/embeddings, dialect: openai_embeddings}}
fidelities:
  standard: {{embedding: [{{kind: quantize, bits: 8}}]}}
policies:
  partner: {{models: ["text-*"], fidelity: {fidelity}}}
tenants:
  acme: {{policy: partner, principals: ["key:{key}"]}}
"""
FOLDER = Path(tempfile.gettempdir()) / "extproc-reload-example"
PORT = 19101
"""Both are part of the policy, and so of its hash."""
METRIC = re.compile("extproc_config_(?!reloads_created)")
TIME = re.compile(r'\d{4}-\d\d-\d\dT[\d:.+]+|(?<="milliseconds":)[\d.]+')


def main() -> None:
    FOLDER.mkdir(mode=0o700)
    try:
        told = _run(sys.argv[1])
    finally:
        shutil.rmtree(FOLDER)
    print(TIME.sub("...", told.replace(f"{FOLDER}", "/etc/extproc")), end="")


def _run(what: str) -> str:
    named = {"folder": FOLDER, "health": PORT, "admin": PORT + 1, "key": "a" * 64}
    (FOLDER / "hmac").write_text("an example, and no secret at all")
    path = FOLDER / "policy.yaml"
    path.write_text(POLICY.format(fidelity="standard", **named))
    command = [sys.executable, "-m", "extproc", "serve", "--policy", str(path)]
    lines = []
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True) as sidecar:
        assert sidecar.stderr is not None
        lines.append(sidecar.stderr.readline())
        path.write_text(POLICY.format(fidelity="standard", **named).replace("bits: 8", "bits: 4"))
        lines.append(sidecar.stderr.readline())
        path.write_text(POLICY.format(fidelity="standart", **named))
        lines.append(sidecar.stderr.readline())
        told = "".join(lines) if what == "log" else _get(what)
        sidecar.send_signal(signal.SIGTERM)
        sidecar.communicate()
    return told


def _get(path: str) -> str:
    with urllib.request.urlopen(f"http://127.0.0.1:{PORT + 1}{path}", timeout=10) as answer:
        text: str = answer.read().decode()
    if path != "/metrics":
        return text
    lines = [line for line in text.splitlines() if METRIC.match(line)]
    return "\n".join(re.sub(r"_seconds .*", "_seconds ...", line) for line in lines) + "\n"


if __name__ == "__main__":
    main()
