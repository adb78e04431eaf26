"""The admission policies, evaluated without a cluster: what becomes of which pod."""

import copy
import re
from collections.abc import Callable
from typing import Any

import pytest

from tests.k8s.rendered import Document, ask, documents, one, templates
from tests.k8s.restricted import faults

DIGEST = "@sha256:" + "0" * 64
PROTECT = {"extproc.dev/protect": "true"}


def pod(labels: dict[str, str] | None = None, **spec: Any) -> Document:
    metadata = {
        "name": "model-0",
        "labels": {"app": "model", **(PROTECT if labels is None else labels)},
    }
    container = {"name": "model", "image": "registry.example/model" + DIGEST}
    return {
        "apiVersion": "v1", "kind": "Pod", "metadata": metadata,
        "spec": {"containers": [container], **spec},
    }  # fmt: skip


def admit(*pods: Document, operation: str = "CREATE", before: Document | None = None) -> Any:
    policies = {each["kind"]: each for each in documents("admission")}
    asked = [{"operation": operation, "object": each, "oldObject": before} for each in pods]
    about = {"policies": policies, "params": policies["ConfigMap"], "pods": asked}
    return ask("admit.py", about)


INJECTED_BY_ISTIO = pod(
    initContainers=[{"name": "istio-init", "image": "a"}, {"name": "istio-proxy", "image": "a"}],
    volumes=[{"name": "istio-envoy", "emptyDir": {}}],
    securityContext={"fsGroup": 1337},
)
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


@pytest.fixture(scope="module")
def admitted() -> dict[str, Any]:
    return dict(zip(PODS, admit(*PODS.values()), strict=True))


def test_a_pod_that_is_labelled_gets_what_the_component_gives_it(admitted: dict[str, Any]) -> None:
    template = copy.deepcopy(templates("namespaces/istio")["namespaces/istio model"])
    bare = copy.deepcopy(template)
    sidecar = bare["spec"].pop("initContainers")
    assert [each["name"] for each in sidecar] == ["extproc"]
    volumes = {mount["name"] for mount in sidecar[0]["volumeMounts"]}
    bare["spec"]["volumes"] = [
        each for each in bare["spec"]["volumes"] if each["name"] not in volumes
    ]
    for name in ("fsGroup", "fsGroupChangePolicy"):
        del bare["spec"]["securityContext"][name]
    del bare["spec"]["terminationGracePeriodSeconds"], bare["metadata"]["annotations"]
    del bare["metadata"]["labels"]["extproc.dev/injected"]
    [found] = admit({"apiVersion": "v1", "kind": "Pod", **bare})
    assert {each: found["once"][each] for each in template} == template
    assert faults(found["once"]) == []


@pytest.mark.parametrize("name", ["bare", "with what Kubernetes fills in", "with its own"])
def test_it_is_first_and_what_was_there_stays(name: str, admitted: dict[str, Any]) -> None:
    before, after = PODS[name], admitted[name]["once"]
    own = [each["name"] for each in before["spec"].get("initContainers", [])]
    assert [each["name"] for each in after["spec"]["initContainers"]] == ["extproc", *own]
    kept = before["spec"].get("volumes", [])
    assert after["spec"]["volumes"][: len(kept)] == kept
    assert len(after["spec"]["volumes"]) == len(kept) + 5
    assert after["spec"]["securityContext"]["fsGroup"] == 65532
    assert (
        before["spec"].get("securityContext", {}).items()
        <= after["spec"]["securityContext"].items()
    )
    grace = before["spec"].get("terminationGracePeriodSeconds", 30)
    assert after["spec"]["terminationGracePeriodSeconds"] == max(grace, 60)


def test_a_pod_that_istio_injected_keeps_its_group_and_its_proxy(admitted: dict[str, Any]) -> None:
    after = admitted["injected by Istio"]["once"]
    assert after["spec"]["securityContext"]["fsGroup"] == 1337
    names = [each["name"] for each in after["spec"]["initContainers"]]
    assert names == ["extproc", "istio-init", "istio-proxy"]
    assert after["metadata"]["annotations"].keys() == {
        "sidecar.istio.io/status",
        "sidecar.istio.io/userVolumeMount",
        "sidecar.istio.io/statsInclusionRegexps",
        "traffic.sidecar.istio.io/excludeInboundPorts",
    }


@pytest.mark.parametrize("name", PODS)
def test_it_is_done_once(name: str, admitted: dict[str, Any]) -> None:
    assert admitted[name]["twice"] == admitted[name]["once"]


@pytest.mark.parametrize("name", ["not labelled", "labelled otherwise"])
def test_a_pod_that_is_not_labelled_is_left_as_it_is(name: str, admitted: dict[str, Any]) -> None:
    assert admitted[name]["once"] == PODS[name]


def test_what_comes_of_it_is_a_pod(admitted: dict[str, Any]) -> None:
    pods = [each["once"] for each in admitted.values()]
    assert ask("validate.py", pods, "1.36", "1.37") == []


def test_whatever_was_injected_is_admitted(admitted: dict[str, Any]) -> None:
    refused = {name: each["refused"] for name, each in admitted.items() if each["refused"]}
    assert refused.keys() == {"labelled otherwise"}


def sidecar(found: Document) -> Document:
    first: Document = found["spec"]["initContainers"][0]
    return first


WRONG: dict[str, Callable[[Document], object]] = {
    "no native sidecar": lambda found: sidecar(found).update(name="extproc-2"),
    "has no native": lambda found: sidecar(found).pop("restartPolicy"),
    "by its digest, and is registry.example/extproc:1": lambda found: sidecar(found).update(
        image="registry.example/extproc:1"
    ),
    "by its digest, and is extproc@sha256:00": lambda found: sidecar(found).update(
        image="extproc@sha256:00"
    ),
    "keeps its labels": lambda found: found["metadata"]["labels"].pop("extproc.dev/injected"),
}


@pytest.mark.parametrize("message", WRONG)
def test_a_pod_that_says_it_is_protected_and_is_not_is_refused(
    message: str, admitted: dict[str, Any]
) -> None:
    found = copy.deepcopy(admitted["bare"]["once"])
    WRONG[message](found)
    # As it would be without the injection: that would put the sidecar in.
    found["metadata"]["labels"]["extproc.dev/protect"] = "yes"
    refusals = admit(found)[0]["refused"]
    assert any(message in each for each in refusals), refusals


def test_a_pod_that_runs_keeps_its_labels(admitted: dict[str, Any]) -> None:
    running = admitted["bare"]["once"]
    for label in ("extproc.dev/injected", "extproc.dev/protect"):
        changed = copy.deepcopy(running)
        del changed["metadata"]["labels"][label]
        [found] = admit(changed, operation="UPDATE", before=running)
        assert "keeps its labels" in found["refused"][0]
    [same] = admit(running, operation="UPDATE", before=running)
    assert same["refused"] == []


def test_a_pod_from_before_the_policy_can_still_be_changed() -> None:
    """Its controllers would be stuck otherwise, and it could not even be ended."""
    [found] = admit(pod(), operation="UPDATE", before=pod())
    assert found["refused"] == []


def test_they_hold_where_the_namespace_is_labelled_and_refuse_where_it_enforces() -> None:
    def selected(kind: str, name: str) -> tuple[dict[str, str], Any]:
        spec = one("admission", kind, name)["spec"]
        labels = spec["matchResources"]["namespaceSelector"]["matchLabels"]
        return labels, spec.get("validationActions")

    inject = {"extproc.dev/inject": "enabled"}
    validating = "ValidatingAdmissionPolicyBinding"
    assert selected("MutatingAdmissionPolicyBinding", "extproc-inject") == (inject, None)
    assert selected(validating, "extproc-require-warned") == (inject, ["Warn", "Audit"])
    assert selected(validating, "extproc-require-enforced") == (
        {**inject, "extproc.dev/mode": "enforce"},
        ["Deny"],
    )
    mutating = one("admission", "MutatingAdmissionPolicyBinding")["spec"]["paramRef"]
    assert mutating["parameterNotFoundAction"] == "Deny"


def test_its_objects_are_named_as_kubernetes_asks_and_stand_where_it_knows_them() -> None:
    """What the evaluator of these tests does not look at: an Object's type is the path of the field
    that it is given to, and only expressions of mutations may make one.
    """
    spec = one("admission", "MutatingAdmissionPolicy")["spec"]
    assert "variables" not in spec
    assert not any("Object" in each["expression"] for each in spec["matchConditions"])
    expression = spec["mutations"][0]["jsonPatch"]["expression"]
    given = re.findall(r"(\w+): \[?\s*(Object(?:\.\w+)+)\{", expression)
    assert len(given) > 15
    for field, name in given:
        assert field == "value" or name.rpartition(".")[2] == field
    for path, name in re.findall(
        r'path: "/spec/(\w+)/[-0]",\s*value: (Object[.\w]+)\{', expression
    ):
        assert name == f"Object.spec.{path}"
