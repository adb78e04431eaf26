"""The socket is Envoy's and the sidecar's alone: in a volume that two containers have, of a group
that both are in.
"""

from pathlib import Path
from typing import Any, Final

import pytest

from extproc.config import load
from tests.k8s.policies import policy
from tests.k8s.rendered import NAMESPACES, SIDECAR, Document, templates

SOCKET: Final = "extproc-socket"
ANNOTATION: Final = "sidecar.istio.io/userVolumeMount"
ENVOYS: Final = {
    "standalone": {SIDECAR, "envoy"},
    "istio": {SIDECAR},  # and Istio's proxy, by the annotation
    "gateway": {SIDECAR, "envoy"},
}
PODS: Final = {name: f"namespaces/{name} model" for name in NAMESPACES} | {
    "gateway": "namespaces/gateway EnvoyProxy"
}


def pod(name: str) -> Document:
    return templates(f"namespaces/{name}")[PODS[name]]


def every(template: Document) -> list[dict[str, Any]]:
    spec = template["spec"]
    return [*spec.get("initContainers", []), *spec.get("containers", [])]


@pytest.mark.parametrize("name", NAMESPACES)
def test_it_is_mounted_where_it_is_asked_over_and_nowhere_else(name: str) -> None:
    mounted = {
        each["name"]: mount
        for each in every(pod(name))
        for mount in each.get("volumeMounts", [])
        if mount["name"] == SOCKET
    }
    assert mounted.keys() == ENVOYS[name]
    assert {each["mountPath"] for each in mounted.values()} == {"/run/extproc"}
    assert not mounted[SIDECAR].get("readOnly")
    annotations = pod(name).get("metadata", {}).get("annotations", {})
    assert (ANNOTATION in annotations) == (name != "gateway")
    [volume] = [each for each in pod(name)["spec"]["volumes"] if each["name"] == SOCKET]
    assert volume["emptyDir"] == {"medium": "Memory", "sizeLimit": "1Mi"}


@pytest.mark.parametrize("name", NAMESPACES)
def test_whoever_envoy_runs_as_is_in_its_group(name: str) -> None:
    """The sidecar makes it 0660, and in the folder of an fsGroup it is of that group."""
    [sidecar] = [each for each in every(pod(name)) if each["name"] == SIDECAR]
    group = pod(name)["spec"]["securityContext"]["fsGroup"]
    assert group == sidecar["securityContext"]["runAsGroup"] == 65532


@pytest.mark.parametrize("name", NAMESPACES)
def test_who_opens_envoys_socket_does_not_open_the_operators(name: str, tmp_path: Path) -> None:
    """Envoy may run as the same user, whose the operator's socket is."""
    control = load(policy(name, tmp_path)).control
    assert control is not None
    folder = str(Path(control.removeprefix("unix://")).parent)
    spec = pod(name)["spec"]
    [sidecar] = [each for each in every(pod(name)) if each["name"] == SIDECAR]
    [volume] = [each["name"] for each in sidecar["volumeMounts"] if each["mountPath"] == folder]
    mounted = [
        each["name"]
        for each in every(pod(name))
        if volume in {mount["name"] for mount in each.get("volumeMounts", [])}
    ]
    assert mounted == [SIDECAR]
    assert [each for each in spec["volumes"] if each["name"] == volume and "emptyDir" in each]
    annotations = pod(name).get("metadata", {}).get("annotations", {})
    assert volume not in annotations.get(ANNOTATION, "")
