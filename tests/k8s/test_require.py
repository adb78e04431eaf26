"""Which pods are refused, when they are made and while they run."""

import copy
from collections.abc import Callable
from typing import Any

import pytest

from tests.k8s.admission import DIGEST, PODS, SOCKET, admit, pod
from tests.k8s.rendered import Document, one, templates


def test_whatever_was_injected_is_admitted(admitted: dict[str, Any]) -> None:
    refused = {name: each["refused"] for name, each in admitted.items() if each["refused"]}
    assert refused.keys() == {"labelled otherwise"}


def sidecar(found: Document) -> Document:
    first: Document = found["spec"]["initContainers"][0]
    return first


def annotated(name: str, value: str) -> Callable[[Document], object]:
    return lambda found: found["metadata"]["annotations"].update({name: value})


WRONG: dict[str, tuple[str, Callable[[Document], object]]] = {
    "another name": ("no native", lambda found: sidecar(found).update(name="extproc-2")),
    "not native": ("no native", lambda found: sidecar(found).pop("restartPolicy")),
    "none at all": ("no native", lambda found: found["spec"].pop("initContainers")),
    "a tag": ("is registry.example/extproc:1", lambda found: sidecar(found).update(
        image="registry.example/extproc:1")),
    "half a digest": ("is registry.example/extproc@sha256:00", lambda found: sidecar(found).update(
        image="registry.example/extproc@sha256:00")),
    "another image": ("is registry.other/extproc@", lambda found: sidecar(found).update(
        image="registry.other/extproc" + DIGEST)),
    "another program": ("is started by", lambda found: sidecar(found).update(command=["sleep"])),
    "no arguments": ("is started by", lambda found: sidecar(found).pop("args")),
    "empty arguments": ("is started by", lambda found: sidecar(found).update(args=[])),
    "another command": ("is started by", lambda found: sidecar(found).update(
        args=["check", *sidecar(found)["args"][1:]])),
    "no base": ("is started by", lambda found: sidecar(found)["args"].pop()),
    "another base": ("is started by", lambda found: sidecar(found)["args"].append("--base=/tmp/a")),
    "nobody asks": ("no Envoy asks", lambda found: found["spec"]["containers"].pop()),
    "it does not mount": ("no Envoy asks", lambda found: found["spec"]["containers"][1].update(
        volumeMounts=[{"name": "extproc-tmp", "mountPath": "/tmp"}])),
    "the node's network": ("lead around", lambda found: found["spec"].update(hostNetwork=True)),
    "the node's processes": ("lead around", lambda found: found["spec"].update(hostPID=True)),
    "shared processes": ("lead around", lambda found: found["spec"].update(
        shareProcessNamespace=True)),
    "a port past the proxy": ("every port", annotated(
        "traffic.sidecar.istio.io/excludeInboundPorts", "9101,8080,9102")),
    "only some ports": ("every port", annotated(
        "traffic.sidecar.istio.io/includeInboundPorts", "9090")),
    "no ports": ("every port", annotated("traffic.sidecar.istio.io/includeInboundPorts", "")),
    "no interception": ("every port", annotated("sidecar.istio.io/interceptionMode", "NONE")),
    "an interface past it": ("every port", annotated(
        "traffic.sidecar.istio.io/excludeInterfaces", "eth0")),
    "not injected": ("has the labels", lambda found: found["metadata"]["labels"].pop(
        "extproc.dev/injected")),
    "not protected": ("has the labels", lambda found: found["metadata"]["labels"].pop(
        "extproc.dev/protect")),
    "protected otherwise": ("has the labels", lambda found: found["metadata"]["labels"].update(
        {"extproc.dev/protect": "yes"})),
}  # fmt: skip


@pytest.fixture(scope="module")
def refusals(admitted: dict[str, Any]) -> dict[str, list[str]]:
    """Of pods as whoever knows what is injected would make them, but for one thing."""
    pods = []
    for _, change in WRONG.values():
        pods.append(copy.deepcopy(admitted["bare"]["once"]))
        change(pods[-1])
    told = [each["refused"] for each in admit(*pods, inject=False)]
    return dict(zip(WRONG, told, strict=True))


@pytest.mark.parametrize("fault", WRONG)
def test_a_pod_that_says_it_is_protected_and_is_not_is_refused(
    fault: str, refusals: dict[str, list[str]]
) -> None:
    """For that reason alone."""
    [refusal] = refusals[fault]
    assert WRONG[fault][0] in refusal


def test_what_istio_writes_of_its_own_ports_is_admitted(admitted: dict[str, Any]) -> None:
    """As its CNI plugin has it."""
    found = copy.deepcopy(admitted["injected by Istio"]["once"])
    found["metadata"]["annotations"] |= {
        "traffic.sidecar.istio.io/excludeInboundPorts": "15020,9101,9102",
        "traffic.sidecar.istio.io/includeInboundPorts": "*",
        "sidecar.istio.io/interceptionMode": "REDIRECT",
    }
    assert admit(found, inject=False)[0]["refused"] == []


def test_a_pod_that_istio_was_told_to_leave_alone_is_refused() -> None:
    """It would have the sidecar, and its port would be open to everybody."""
    asked = copy.deepcopy(PODS["injected by Istio"])
    del asked["spec"]["initContainers"]
    [found] = admit(asked)
    assert ["no Envoy asks" in each for each in found["refused"]] == [True]


@pytest.mark.parametrize("name", ["standalone", "istio"])
def test_what_kustomize_puts_together_is_admitted_as_it_is(name: str) -> None:
    template = copy.deepcopy(templates(f"namespaces/{name}")[f"namespaces/{name} model"])
    if name == "istio":  # whose injector comes in between
        proxy = {"name": "istio-proxy", "image": "a", "volumeMounts": [SOCKET]}
        template["spec"]["initContainers"].append(proxy)
    [found] = admit({"apiVersion": "v1", "kind": "Pod", **template})
    assert found["once"] == {"apiVersion": "v1", "kind": "Pod", **template}
    assert found["refused"] == []


def test_a_pod_that_runs_keeps_its_labels(admitted: dict[str, Any]) -> None:
    running = admitted["bare"]["once"]
    for label in ("extproc.dev/injected", "extproc.dev/protect"):
        gone, other = copy.deepcopy(running), copy.deepcopy(running)
        del gone["metadata"]["labels"][label]
        other["metadata"]["labels"][label] = "false"
        for changed in (gone, other):
            [found] = admit(changed, operation="UPDATE", before=running)
            assert ["keeps its labels" in each for each in found["refused"]] == [True]
    [same] = admit(running, operation="UPDATE", before=running)
    assert same["refused"] == []


@pytest.mark.parametrize("label", ["extproc.dev/injected", "extproc.dev/protect"])
def test_a_pod_that_runs_gets_no_label_that_nobody_looked_at(label: str) -> None:
    """By which network policies would let it reach Redis."""
    [found] = admit(pod({label: "true"}), operation="UPDATE", before=pod({}))
    assert ["keeps its labels" in each for each in found["refused"]] == [True]
    without = pod({})
    del without["metadata"]["labels"]
    [found] = admit(pod({label: "true"}), operation="UPDATE", before=without)
    assert ["keeps its labels" in each for each in found["refused"]] == [True]


@pytest.mark.parametrize("operation", ["CREATE", "UPDATE"])
def test_a_pod_without_any_label_is_nobodys_business(operation: str) -> None:
    without = pod({})
    del without["metadata"]["labels"]
    [found] = admit(without, operation=operation, before=without)
    assert found["refused"] == []


def test_a_pod_from_before_the_policy_can_still_be_changed(admitted: dict[str, Any]) -> None:
    """Its controllers would be stuck otherwise, and it could not even be ended."""
    half = copy.deepcopy(admitted["bare"]["once"])
    del half["metadata"]["labels"]["extproc.dev/injected"]
    for before in (pod(), half):
        [found] = admit(before, operation="UPDATE", before=before)
        assert found["refused"] == []


def test_labels_cannot_be_changed_by_a_pods_status_either() -> None:
    [rule] = validating("extproc-keep")["spec"]["matchConstraints"]["resourceRules"]
    assert rule["resources"] == ["pods", "pods/status"]


def validating(name: str) -> Document:
    return one("admission", "ValidatingAdmissionPolicy", name)
