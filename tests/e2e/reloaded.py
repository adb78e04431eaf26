"""A gateway whose policy and secrets change, on a volume as Kubernetes mounts it."""

import json
import urllib.request
from pathlib import Path

from extproc.gateway.up import serve_command
from tests.e2e.gateway import SECRET, LiveGateway, admin
from tests.volume import Volume

GIVEN = 'standard: {models: ["text-*", digits, tiny-lm, minilm], fidelity: standard}'
OTHER = 'standard: {models: ["*"], fidelity: labels, allow: {max_tokens: 32}}'
ONE = OTHER.replace("32", "16").replace("labels", "standard")


class Reloaded:
    def __init__(self) -> None:
        self.volume: Volume
        self.text = ""
        """The policy that all others are variants of."""

    def change(self, text: str) -> str:
        self.text = text.replace(
            "routes:\n", "credentials: {keys: {kind: api_key, file: ../keys.jsonl}}\nroutes:\n"
        ).replace(GIVEN, ONE)
        return text

    def command(self, policy: Path) -> tuple[str, ...]:
        (policy.parent / "keys.jsonl").touch()
        self.volume = Volume(policy.parent / "conf", self.files())
        return serve_command(self.path)

    def files(self, text: str | None = None, secret: bytes = SECRET) -> dict[str, str]:
        return {"policy.yaml": self.text if text is None else text, "hmac": secret.decode()}

    @property
    def path(self) -> Path:
        return self.volume.folder / "policy.yaml"

    def other(self) -> str:
        """A policy that differs in what it makes of requests and of answers."""
        return self.text.replace(ONE, OTHER)

    def get(self, path: str) -> str:
        with urllib.request.urlopen(f"http://{admin(self.text)}{path}", timeout=10) as answer:
            text: str = answer.read().decode()
            return text

    def config(self) -> dict[str, str]:
        found: dict[str, str] = json.loads(self.get("/config"))
        return found

    def metric(self, name: str) -> float:
        lines = self.get("/metrics").splitlines()
        return next(float(line.split()[-1]) for line in lines if line.startswith(f"{name} "))


def put_in_force(gateway: LiveGateway, reloaded: Reloaded, files: dict[str, str]) -> str:
    """Swap the volume, and wait until that is served by."""
    before = reloaded.config()["config"]
    reloaded.volume.swap(files)
    gateway.until(lambda: reloaded.config()["config"] != before)
    assert reloaded.config()["problem"] == ""
    return reloaded.config()["config"]
