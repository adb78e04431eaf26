"""Every manifest is what Kubernetes, Istio and Envoy Gateway take, by their own schemas."""

import subprocess
import sys
from collections import Counter
from collections.abc import Callable
from copy import deepcopy
from pathlib import Path

import pytest
import yaml
from jsonschema_rs import ValidationError, validate

from tests.envoyconf.captured import SHARED
from tests.k8s.operator import SCHEMAS
from tests.k8s.rendered import BASES, NAMESPACES, Document, ask, documents, one

VERSIONS = ("1.33", "1.34", "1.35", "1.36", "1.37")
CUSTOM = {"gateway.envoyproxy.io", "gateway.networking.k8s.io", "networking.istio.io"}
OPERATORS = "monitoring.coreos.com"
VALIDATOR = SHARED / "tools" / "validate_cr.py"
needed = pytest.mark.skipif(
    not VALIDATOR.exists(), reason="the schemas of custom resources are no part of the project"
)


def group(document: Document) -> str:
    return str(document["apiVersion"]).rpartition("/")[0]


def every() -> list[Document]:
    found = [each for base in BASES for each in documents(base)]
    return [each for each in found if group(each) != OPERATORS]


def test_every_document_is_valid_for_each_version_of_kubernetes() -> None:
    builtin = [each for each in every() if group(each) not in CUSTOM]
    assert len(builtin) > 30
    problems = ask("validate.py", builtin, *VERSIONS)
    early = [f"{version}.0 MutatingAdmissionPolicy" for version in ("1.33", "1.34", "1.35")]
    assert [each for each in problems if not each.startswith(tuple(early))] == []
    assert len(problems) == len(early) * 2, "the guide says from which version on they are there"


def test_a_field_or_a_kind_that_does_not_exist_would_be_found() -> None:
    pod = {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "a"}}
    wrong = pod | {"spec": {"containers": [{"name": "a", "imagePullpolicy": "Always"}]}}
    unknown = pod | {"apiVersion": "v2"}
    first, second = ask("validate.py", [wrong, unknown], "1.36")
    assert "imagePullpolicy" in first
    assert "no such kind" in second


@needed
def test_every_custom_resource_is_valid_by_its_definition_and_its_rules(tmp_path: Path) -> None:
    custom = [each for each in every() if group(each) in CUSTOM]
    assert Counter(each["kind"] for each in custom) == {
        "Backend": 1, "ClientTrafficPolicy": 1, "EnvoyExtensionPolicy": 1, "EnvoyFilter": 1,
        "EnvoyProxy": 1, "Gateway": 1, "HTTPRoute": 1, "SecurityPolicy": 1,
    }  # fmt: skip
    (tmp_path / "all.yaml").write_text(yaml.safe_dump_all(custom))
    python = Path(sys.prefix) / "manifests" / "bin" / "python"
    command = [str(python), str(VALIDATOR), str(tmp_path / "all.yaml")]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "NO SCHEMA" not in done.stdout
    assert "'fail': 0, 'err': 0" in done.stdout


def operators() -> list[Document]:
    found = [each for base in BASES for each in documents(base)]
    return [each for each in found if group(each) == OPERATORS]


def test_what_prometheus_operator_reads_has_no_field_that_it_does_not_know() -> None:
    kinds = Counter(each["kind"] for each in operators())
    assert kinds == {"PodMonitor": len(NAMESPACES), "PrometheusRule": 1}
    for each in operators():
        validate(SCHEMAS[each["kind"]], each)


MISTAKES: dict[str, Callable[[Document], object]] = {
    "another spelling": lambda d: d["spec"].update(podMetricEndpoints=[]),
    "a ServiceMonitor's field": lambda d: d["spec"].update(endpoints=[{"port": "a"}]),
    "a field of an endpoint": lambda d: d["spec"]["podMetricsEndpoints"][0].update(ports="a"),
    "a port by number": lambda d: d["spec"]["podMetricsEndpoints"][0].update(port=9102),
    "a duration in words": lambda d: d["spec"]["podMetricsEndpoints"][0].update(interval="15 s"),
    "no selector": lambda d: d["spec"].pop("selector"),
    "another version": lambda d: d.update(apiVersion="monitoring.coreos.com/v1alpha1"),
}


@pytest.mark.parametrize("mistake", MISTAKES)
def test_a_mistake_in_a_pod_monitor_is_found(mistake: str) -> None:
    monitor = deepcopy(one("namespaces/standalone", "PodMonitor"))
    MISTAKES[mistake](monitor)
    with pytest.raises(ValidationError):
        validate(SCHEMAS["PodMonitor"], monitor)


def test_a_mistake_in_a_rule_is_found() -> None:
    rules = deepcopy(one("monitoring", "PrometheusRule"))
    rules["spec"]["groups"][0]["rules"][0]["annotation"] = {"summary": "a"}
    with pytest.raises(ValidationError):
        validate(SCHEMAS["PrometheusRule"], rules)
