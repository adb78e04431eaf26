"""What becomes of which pod, by admission."""

import copy
import re
from typing import Any

import pytest

from tests.k8s.admission import PODS, admit, pod
from tests.k8s.rendered import ask, one, templates
from tests.k8s.restricted import faults


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


def test_a_port_that_a_pod_has_istio_leave_out_is_taken_again() -> None:
    asked = pod()
    asked["metadata"]["annotations"] = {"traffic.sidecar.istio.io/excludeInboundPorts": "8080"}
    [found] = admit(asked)
    assert found["refused"] == []
    annotations = found["once"]["metadata"]["annotations"]
    assert annotations["traffic.sidecar.istio.io/excludeInboundPorts"] == "9101,9102"


def test_a_volume_of_the_pods_own_does_not_take_the_place_of_the_sidecars() -> None:
    """The API server refuses a pod with two of one name, and so it should."""
    [found] = admit(pod(volumes=[{"name": "extproc-platform", "emptyDir": {}}]))
    named = [each["name"] for each in found["once"]["spec"]["volumes"]]
    assert named.count("extproc-platform") == 2


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
