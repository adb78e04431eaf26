"""What a pod must be, beyond what its schema says.

Source: the profile ``restricted`` of Kubernetes' Pod Security Standards; and what of it is ours is
stricter: the root is read-only, images are named by digest, memory is bounded.
"""

import re
from collections.abc import Iterator
from typing import Final

from tests.k8s.rendered import Document, containers

_DIGEST: Final = re.compile(r"^[^@:]+(?::\d+/[^@:]+)?@sha256:[0-9a-f]{64}$")
_VOLUMES: Final = {"configMap", "emptyDir", "persistentVolumeClaim", "projected", "secret"}


def faults(template: Document) -> list[str]:
    """What is wrong with a pod, a line each."""
    return [*_of_pod(template["spec"]), *_of_containers(template)]


def _of_pod(spec: Document) -> Iterator[str]:
    for name in ("hostNetwork", "hostPID", "hostIPC", "shareProcessNamespace"):
        if spec.get(name):
            yield name
    for volume in spec.get("volumes", []):
        [kind] = volume.keys() - {"name"}
        if kind not in _VOLUMES:
            yield f"volume {volume['name']}: {kind}"
        if kind == "secret" and volume[kind].get("defaultMode") != 0o440:
            yield f"volume {volume['name']}: a secret that others may read"
        if kind == "emptyDir" and "sizeLimit" not in volume[kind]:
            yield f"volume {volume['name']}: without bound"


def _of_containers(template: Document) -> Iterator[str]:
    for container in containers(template):
        for fault in (
            *_of_context(container.get("securityContext", {})),
            *_of_container(container),
        ):
            yield f"{container['name']}: {fault}"


def _of_context(context: Document) -> Iterator[str]:
    wanted = {
        "allowPrivilegeEscalation": False,
        "capabilities": {"drop": ["ALL"]},
        "readOnlyRootFilesystem": True,
        "runAsNonRoot": True,
        "seccompProfile": {"type": "RuntimeDefault"},
    }
    for name, value in wanted.items():
        if context.get(name) != value:
            yield name
    if context.get("privileged"):
        yield "privileged"
    # 1337 is Istio's proxy's: what runs as it is not taken by the proxy.
    if not isinstance(context.get("runAsUser"), int) or context["runAsUser"] in {0, 1337}:
        yield "runAsUser"


def _of_container(container: Document) -> Iterator[str]:
    if not _DIGEST.match(container["image"]):
        yield f"image {container['image']}: not by its digest"
    resources = container.get("resources", {})
    if not {"cpu", "memory"} <= resources.get("requests", {}).keys():
        yield "resources.requests"
    if resources.get("limits", {}).keys() != {"memory"}:
        yield "resources.limits: memory, and no CPU"
    if "readinessProbe" not in container:
        yield "readinessProbe"
    if container.get("restartPolicy") == "Always" and "startupProbe" not in container:
        yield "startupProbe: the next container would start at once"
    if any("hostPort" in port for port in container.get("ports", [])):
        yield "hostPort"
    if any("subPath" in mount for mount in container.get("volumeMounts", [])):
        yield "subPath: never changed while the pod runs"
