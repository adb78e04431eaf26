"""Pods, and what the admission policies make of them without a cluster."""

from typing import Any

from tests.k8s.rendered import Document, ask, documents, one

DIGEST = "@sha256:" + "0" * 64
POLICIES = ("MutatingAdmissionPolicy", "ValidatingAdmissionPolicy")
SOCKET = {"name": "extproc-socket", "mountPath": "/run/extproc"}
PROTECT = {"extproc.dev/protect": "true"}


def pod(labels: dict[str, str] | None = None, **spec: Any) -> Document:
    metadata = {
        "name": "model-0",
        "labels": {"app": "model", **(PROTECT if labels is None else labels)},
    }
    model = {"name": "model", "image": "registry.example/model" + DIGEST}
    envoy = {"name": "envoy", "image": "registry.example/envoy" + DIGEST, "volumeMounts": [SOCKET]}
    return {
        "apiVersion": "v1", "kind": "Pod", "metadata": metadata,
        "spec": {"containers": [model, envoy], **spec},
    }  # fmt: skip


def admit(
    *pods: Document,
    operation: str = "CREATE",
    before: Document | None = None,
    inject: bool = True,
) -> Any:
    """``inject``: by the mutating policy, of what is made; else by whatever made it so before."""
    policies = [each for each in documents("admission") if each["kind"] in POLICIES]
    inject = inject and operation == "CREATE"
    asked = [
        {"operation": operation, "object": each, "oldObject": before, "inject": inject}
        for each in pods
    ]
    about = {"policies": policies, "params": one("admission", "ConfigMap"), "pods": asked}
    return ask("admit.py", about)


INJECTED_BY_ISTIO = pod(
    initContainers=[
        {"name": "istio-init", "image": "a"},
        {"name": "istio-proxy", "image": "a", "restartPolicy": "Always", "volumeMounts": [SOCKET]},
    ],
    volumes=[{"name": "istio-envoy", "emptyDir": {}}],
    securityContext={"fsGroup": 1337},
)
del INJECTED_BY_ISTIO["spec"]["containers"][1]
INJECTED_BY_ISTIO["metadata"]["annotations"] = {"sidecar.istio.io/status": "{}"}
PODS = {
    "bare": pod(),
    "with what Kubernetes fills in": pod(
        securityContext={}, terminationGracePeriodSeconds=30, volumes=[], initContainers=[]
    ),
    "with its own": pod(
        initContainers=[{"name": "weights", "image": "a"}],
        volumes=[{"name": "weights", "emptyDir": {}}],
        securityContext={"runAsNonRoot": True},
        terminationGracePeriodSeconds=300,
    ),
    "injected by Istio": INJECTED_BY_ISTIO,
    "not labelled": pod({}),
    "labelled otherwise": pod({"extproc.dev/protect": "false"}),
}
