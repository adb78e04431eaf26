"""Every container of ours is restricted, and what is not would be found."""

import copy
from collections.abc import Callable

import pytest

from tests.k8s.rendered import NAMESPACES, Document, one, templates
from tests.k8s.restricted import faults

TEMPLATES = {
    name: template
    for each in NAMESPACES
    for name, template in templates(f"namespaces/{each}").items()
}


def _sidecar(template: Document) -> Document:
    found: Document = template["spec"]["initContainers"][0]
    return found


def _context(template: Document) -> Document:
    found: Document = _sidecar(template)["securityContext"]
    return found


WAYS: dict[str, Callable[[Document], object]] = {
    "extproc: runAsNonRoot": lambda pod: _context(pod).pop("runAsNonRoot"),
    "extproc: capabilities": lambda pod: _context(pod)["capabilities"].update(add=["NET_ADMIN"]),
    "extproc: runAsUser": lambda pod: _context(pod).update(runAsUser=0),
    "extproc: privileged": lambda pod: _context(pod).update(privileged=True),
    "extproc: readOnlyRootFilesystem": lambda pod: _context(pod).pop("readOnlyRootFilesystem"),
    "extproc: seccompProfile": lambda pod: _context(pod).pop("seccompProfile"),
    "extproc: allowPrivilegeEscalation": lambda pod: _context(pod).pop("allowPrivilegeEscalation"),
    "extproc: image registry.example/extproc:latest: not by its digest": lambda pod: _sidecar(
        pod
    ).update(image="registry.example/extproc:latest"),
    "extproc: resources.requests": lambda pod: _sidecar(pod)["resources"]["requests"].pop("cpu"),
    "extproc: resources.limits: memory, and no CPU": lambda pod: _sidecar(pod)["resources"][
        "limits"
    ].update(cpu="1"),
    "extproc: readinessProbe": lambda pod: _sidecar(pod).pop("readinessProbe"),
    "extproc: startupProbe: the next container would start at once": lambda pod: _sidecar(pod).pop(
        "startupProbe"
    ),
    "extproc: hostPort": lambda pod: _sidecar(pod)["ports"][0].update(hostPort=9101),
    "extproc: subPath: never changed while the pod runs": lambda pod: _sidecar(pod)["volumeMounts"][
        0
    ].update(subPath="a"),
    "volume extproc-tmp: without bound": lambda pod: next(
        each["emptyDir"].pop("sizeLimit")
        for each in pod["spec"]["volumes"]
        if each["name"] == "extproc-tmp"
    ),
    "volume extproc-secrets: a secret that others may read": lambda pod: next(
        each["secret"].pop("defaultMode") for each in pod["spec"]["volumes"] if "secret" in each
    ),
    "volume host: hostPath": lambda pod: pod["spec"]["volumes"].append(
        {"name": "host", "hostPath": {"path": "/"}}
    ),
    "hostNetwork": lambda pod: pod["spec"].update(hostNetwork=True),
    "hostPID": lambda pod: pod["spec"].update(hostPID=True),
    "hostIPC": lambda pod: pod["spec"].update(hostIPC=True),
    "shareProcessNamespace": lambda pod: pod["spec"].update(shareProcessNamespace=True),
}


@pytest.mark.parametrize("name", TEMPLATES)
def test_every_pod_is_restricted(name: str) -> None:
    assert faults(TEMPLATES[name]) == []


def test_they_are_all_there() -> None:
    assert [*TEMPLATES] == [
        "namespaces/standalone model",
        "namespaces/standalone extproc-redis",
        "namespaces/istio model",
        "namespaces/istio extproc-redis",
        "namespaces/gateway model",
        "namespaces/gateway extproc-redis",
        "namespaces/gateway EnvoyProxy",
    ]


@pytest.mark.parametrize("fault", WAYS)
def test_whatever_is_not_restricted_would_be_found(fault: str) -> None:
    template = copy.deepcopy(TEMPLATES["namespaces/standalone model"])
    WAYS[fault](template)
    assert faults(template) == [fault]


@pytest.mark.parametrize("name", [each for each in TEMPLATES if "EnvoyProxy" not in each])
def test_no_pod_has_a_token_of_kubernetes(name: str) -> None:
    assert TEMPLATES[name]["spec"]["automountServiceAccountToken"] is False
    assert TEMPLATES[name]["spec"]["serviceAccountName"] == "extproc"


@pytest.mark.parametrize("name", NAMESPACES)
def test_kubernetes_itself_holds_the_namespace_to_it(name: str) -> None:
    labels = one(f"namespaces/{name}", "Namespace")["metadata"]["labels"]
    modes = {labels[f"pod-security.kubernetes.io/{each}"] for each in ("enforce", "warn", "audit")}
    assert modes == {"restricted"}
