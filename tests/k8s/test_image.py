"""The image's recipe, by the linter of such recipes."""

import subprocess
import sys
from pathlib import Path

from tests.k8s.rendered import ROOT


def test_the_recipe_has_no_known_fault() -> None:
    linter = Path(sys.prefix) / "manifests" / "bin" / "hadolint"
    command = [str(linter), "--no-color", str(ROOT / "Dockerfile")]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout
