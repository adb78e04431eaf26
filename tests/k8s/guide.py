"""The commands that the guide has one run, run: what they make is what the tests go on with."""

import base64
import os
import re
import shutil
import subprocess
from pathlib import Path
from typing import Final

import yaml

from tests.k8s.rendered import ROOT

STANDALONE: Final = ROOT / "docs" / "deploy" / "standalone.md"
Secrets = dict[str, dict[str, str]]
"""What is in which file of which Secret."""
_BLOCK: Final = re.compile(r"```sh\n(.*?)```", re.DOTALL)
# What asks a cluster is left out, and what makes a manifest prints it.
_KUBECTL: Final = """#!/bin/sh
case "$3" in create) echo --- && exec {kubectl} "$@" --dry-run=client --output=yaml ;; esac
"""


def made(folder: Path) -> Secrets:
    """What the commands for Secrets make."""
    text = STANDALONE.read_text()
    [commands] = [each for each in _BLOCK.findall(text) if "create secret" in each]
    kubectl = folder / "bin" / "kubectl"
    kubectl.parent.mkdir()
    kubectl.write_text(_KUBECTL.format(kubectl=shutil.which("kubectl")))
    kubectl.chmod(0o755)
    environment = {**os.environ, "PATH": f"{kubectl.parent}:{os.environ['PATH']}"}
    command = ["bash", "-euo", "pipefail", "-c", commands]
    printed = subprocess.run(command, cwd=folder, env=environment, capture_output=True, check=True)
    return {
        each["metadata"]["name"]: {
            name: base64.b64decode(value).decode() for name, value in each["data"].items()
        }
        for each in yaml.safe_load_all(printed.stdout)
    }
