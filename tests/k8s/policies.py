"""The policies of k8s/namespaces as a pod has them, with secrets of ours."""

from pathlib import Path
from typing import Final

from tests.k8s.rendered import K8S

MODES: Final = ("off", "shadow", "enforce")
_MOUNTED: Final = "/etc/extproc/secrets"


def policy(name: str, folder: Path) -> Path:
    """The file, in a folder of ours, beside the secrets that a Secret would have."""
    (folder / "hmac").write_text("00112233445566778899aabbccddeeff" * 2)
    (folder / "redis-url").write_text("redis://extproc:of-nobody@extproc-redis:6379")
    text = (K8S / "namespaces" / name / "policy.yaml").read_text()
    assert _MOUNTED in text
    (folder / "policy.yaml").write_text(text.replace(_MOUNTED, str(folder)))
    return folder / "policy.yaml"


def base(mode: str) -> Path:
    return K8S / "components" / f"mode-{mode}" / "base.yaml"
