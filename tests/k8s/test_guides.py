"""Commands of the guides, one after the other as they stand, with a kubectl that has no cluster: it
makes Secrets, looks for what would be applied, and of what a cluster says it has but an example.
"""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Final

import orjson
import pytest

from extproc.config import compile_table, load
from tests.k8s.policies import policy
from tests.k8s.rendered import K8S, ROOT

GUIDES: Final = ROOT / "docs" / "deploy"
_BLOCK: Final = re.compile(r"```sh\n(.*?)```", re.DOTALL)
_KUBECTL: Final = """#!/bin/sh
case "$*" in
  *create\\ secret*) exec {kubectl} "$@" --dry-run=client --output=yaml > /dev/null ;;
  *--kustomize*|*--filename*) for path; do :; done; exec test -e "$path" ;;
  *\\ get\\ *) echo configmap/extproc-policy ;;
  *logs*) echo '{{"message":"serving"}}' ;;
esac
"""
# What `envoy` prints is held against what is committed by test_drift.py.
_EXTPROC: Final = """#!/bin/sh
case "$1" in envoy) ;; *) exec {python} -m extproc "$@" ;; esac
"""


def program(folder: Path, name: str, text: str) -> None:
    path = folder / name
    path.write_text(text)
    path.chmod(0o755)


def walked(page: str, folder: Path) -> str:
    """What its commands print, each of which must end well."""
    shutil.copytree(K8S, folder / "k8s")
    tools = folder / "bin"
    tools.mkdir()
    program(tools, "kubectl", _KUBECTL.format(kubectl=shutil.which("kubectl")))
    program(tools, "extproc", _EXTPROC.format(python=sys.executable))
    environment = {
        **os.environ,
        "PATH": f"{tools}:{os.environ['PATH']}",
        "PYTHONPATH": f"{ROOT}",
        "COLUMNS": "200",
    }
    commands = "\n".join(_BLOCK.findall((GUIDES / page).read_text()))
    done = subprocess.run(
        ["bash", "-euo", "pipefail", "-c", commands],
        cwd=folder,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.mark.e2e
def test_standalone_makes_a_key_and_checks_the_policy_with_the_secrets_that_it_made(
    tmp_path: Path,
) -> None:
    printed = walked("standalone.md", tmp_path)
    assert re.search(r"^principal: key:[0-9a-f]{64}$", printed, re.MULTILINE)
    assert "here.yaml: 4 routes, 1 tenants" in printed
    assert not {"hmac", "redis-url", "users.acl"} & {each.name for each in tmp_path.iterdir()}


def test_what_the_rollout_writes_in_a_hurry_is_the_shadow(tmp_path: Path) -> None:
    text = (GUIDES / "rollout.md").read_text()
    [patch] = re.findall(r"--patch '(.*)'", text)
    file = tmp_path / "base.yaml"
    file.write_text(orjson.loads(patch)["data"]["base.yaml"])
    assert compile_table(load(policy("standalone", tmp_path), file)).rollout.mode == "shadow"


def test_the_share_of_the_rollout_is_one_of_tenants(tmp_path: Path) -> None:
    text = (GUIDES / "rollout.md").read_text()
    [share] = re.findall(r"```yaml\n(.*?)```", text, re.DOTALL)
    file = tmp_path / "base.yaml"
    file.write_text(share)
    rollout = compile_table(load(policy("standalone", tmp_path), file)).rollout
    assert (rollout.mode, rollout.percent) == ("enforce", 10)
