"""The image's recipe, by the linter of such recipes; and what builds it."""

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.k8s.rendered import ROOT


def test_the_recipe_has_no_known_fault() -> None:
    linter = Path(sys.prefix) / "manifests" / "bin" / "hadolint"
    command = [str(linter), "--no-color", str(ROOT / "Dockerfile")]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout


@pytest.mark.parametrize("there", [("docker",), ("buildah",), ("docker", "buildah")])
@pytest.mark.parametrize("target", ["image", "sbom"])
def test_whichever_builder_is_there_builds_it(
    target: str, there: tuple[str, ...], tmp_path: Path
) -> None:
    for name in there:
        (tmp_path / name).touch(mode=0o755)
    command = [str(shutil.which("make")), "--dry-run", "--directory", str(ROOT), target]
    done = subprocess.run(
        command, env={"PATH": str(tmp_path)}, capture_output=True, text=True, check=True
    )
    assert f"{tmp_path / there[-1]} build --" in done.stdout
