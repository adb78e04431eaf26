"""What is applied when a namespace goes from the shadow to enforce: all that is different then."""

import difflib
import shutil
import subprocess
import tempfile
from pathlib import Path

K8S = Path(__file__).parent.parent / "k8s"


def main() -> None:
    with tempfile.TemporaryDirectory() as folder:
        copied = Path(folder) / "k8s"
        shutil.copytree(K8S, copied)
        overlay = copied / "namespaces" / "standalone" / "kustomization.yaml"
        before = rendered(overlay.parent)
        overlay.write_text(overlay.read_text().replace("mode-shadow", "mode-enforce"))
        after = rendered(overlay.parent)
    different = [*difflib.unified_diff(before, after, n=6, lineterm="")][2:]
    # Without the numbers of lines, which whatever stands before changes.
    print("\n".join("@@" if line.startswith("@@") else line for line in different))


def rendered(folder: Path) -> list[str]:
    command = ["kubectl", "kustomize", str(folder)]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    return done.stdout.splitlines()


if __name__ == "__main__":
    main()
