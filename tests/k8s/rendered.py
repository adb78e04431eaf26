"""What kubectl makes of k8s/, once for all tests."""

import json
import shutil
import subprocess
import sys
from functools import cache
from pathlib import Path
from typing import Any, Final

import yaml

Document = dict[str, Any]

ROOT: Final = Path(__file__).parents[2]
K8S: Final = ROOT / "k8s"
NAMESPACES: Final = ("standalone", "istio", "gateway")
BASES: Final = (*(f"namespaces/{name}" for name in NAMESPACES), "admission", "monitoring")
"""Whatever is applied by itself."""
SIDECAR: Final = "extproc"
_SCRIPTS: Final = Path(__file__).parent / "scripts"
_PYTHON: Final = Path(sys.prefix) / "manifests" / "bin" / "python"


@cache
def text(path: str, folder: Path = K8S) -> str:
    """What ``kubectl kustomize`` prints of a folder of k8s/."""
    kubectl = shutil.which("kubectl")
    assert kubectl, "kubectl is not on the PATH; CONTRIBUTING.md says what the tests need"
    done = subprocess.run(
        [kubectl, "kustomize", str(folder / path)], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def documents(path: str) -> list[Document]:
    return [*yaml.load_all(text(path), yaml.CSafeLoader)]


def of_kind(path: str, *kinds: str) -> list[Document]:
    return [each for each in documents(path) if each["kind"] in kinds]


def one(path: str, kind: str, name: str = "") -> Document:
    [found] = [each for each in of_kind(path, kind) if name in {"", each["metadata"]["name"]}]
    return found


def templates(path: str) -> dict[str, Document]:
    """The pods that a folder starts, by what starts them; of an EnvoyProxy what it adds to them."""
    found = {
        f"{path} {each['metadata']['name']}": each["spec"]["template"]
        for each in of_kind(path, "Deployment", "StatefulSet")
    }
    for each in of_kind(path, "EnvoyProxy"):
        deployment = each["spec"]["provider"]["kubernetes"]["envoyDeployment"]
        found[f"{path} EnvoyProxy"] = deployment["patch"]["value"]["spec"]["template"]
    return found


def containers(template: Document) -> list[Document]:
    """Those of ours: what is patched into another's has no image here."""
    spec = template["spec"]
    every = [*spec.get("initContainers", []), *spec.get("containers", [])]
    return [each for each in every if "image" in each]


def ask(script: str, about: Any, *arguments: str) -> Any:
    """Run a script in the environment of requirements-manifests.lock."""
    command = [str(_PYTHON), str(_SCRIPTS / script), *arguments]
    done = subprocess.run(
        command, input=json.dumps(about), capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr[-2000:]
    return json.loads(done.stdout)
