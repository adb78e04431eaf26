"""Alerts: each fires, has a runbook, and is of series that there are; and what is read is there."""

import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.k8s.rendered import NAMESPACES, ROOT, Document, containers, one, templates

CASES = Path(__file__).parent / "rules_test.yaml"
METRICS = ROOT / "docs" / "metrics.md"
RUNBOOKS = ROOT / "docs" / "deploy" / "runbooks.md"
OTHERS = {
    "http-envoy-prom": "Istio's injector declares it",
    "metrics": "Envoy Gateway declares it",
    "envoy-stats": "declared where Envoy is ours",
}
# What kube-state-metrics and Prometheus itself call theirs.
FOREIGN = {
    "kube_namespace_labels",
    "kube_pod_init_container_info",
    "kube_pod_labels",
    "kube_pod_status_phase",
    "up",
}


def rules() -> list[Document]:
    groups = one("monitoring", "PrometheusRule")["spec"]["groups"]
    return [rule for group in groups for rule in group["rules"]]


def series() -> set[str]:
    """Names of series that the rules are of."""
    text = "\n".join(rule["expr"] for rule in rules())
    words = re.findall(
        r"\b[a-z][a-z_]*\b(?!\s*[(=])", re.sub(r"\b(by|on) \([^)]*\)|\"[^\"]*\"|\[\w+\]", "", text)
    )
    return {*words} - {"or", "unless", "and", "offset", "m", "group_left"}


def promtool(*arguments: str, folder: Path) -> None:
    found = shutil.which("promtool")
    assert found, "promtool is not on the PATH: install Debian's package prometheus"
    done = subprocess.run(
        [found, *arguments], cwd=folder, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr


def test_prometheus_takes_the_rules(tmp_path: Path) -> None:
    spec = one("monitoring", "PrometheusRule")["spec"]
    (tmp_path / "rules.yaml").write_text(yaml.safe_dump(spec))
    promtool("check", "rules", "rules.yaml", folder=tmp_path)


def test_alerts_fire_on_what_they_are_of_and_on_nothing_else(tmp_path: Path) -> None:
    spec: Any = one("monitoring", "PrometheusRule")["spec"]
    for group in spec["groups"]:
        for rule in group["rules"]:
            del rule["annotations"]
    (tmp_path / "rules.yaml").write_text(yaml.safe_dump(spec))
    shutil.copy(CASES, tmp_path)
    promtool("test", "rules", CASES.name, folder=tmp_path)


def test_every_alert_has_a_case_where_it_fires_and_one_where_it_does_not() -> None:
    cases = [
        one
        for each in yaml.safe_load(CASES.read_text())["tests"]
        for one in each["alert_rule_test"]
    ]
    alerts = {rule["alert"] for rule in rules()}
    assert {each["alertname"] for each in cases if each.get("exp_alerts")} == alerts
    assert {each["alertname"] for each in cases if not each.get("exp_alerts")} == alerts


def test_every_alert_has_a_runbook_and_every_runbook_an_alert() -> None:
    headings = re.findall(r"^## (Extproc\w+)$", RUNBOOKS.read_text(), re.MULTILINE)
    assert headings == [rule["alert"] for rule in rules()]
    for rule in rules():
        address = f"docs/deploy/runbooks.md#{rule['alert'].lower()}"
        assert rule["annotations"]["runbook_url"] == address
        assert rule["labels"]["severity"] in {"critical", "warning"}


def test_every_series_of_ours_is_one_that_the_sidecar_has() -> None:
    """By the names, labels and values of docs/metrics.md, which tests/house holds to the code."""
    told = dict(
        re.findall(r"^\| `(extproc_\w+)` \| \w+ \| (.*?) \|", METRICS.read_text(), re.MULTILINE)
    )
    assert {each for each in series() if each.startswith("extproc_")} - told.keys() == set()
    assert {each for each in series() if not each.startswith(("extproc_", "envoy_"))} == FOREIGN
    text = "\n".join(rule["expr"] for rule in rules())
    matched = re.findall(r"\b(extproc_\w+)\{(\w+)=~?\"([^\"]+)\"\}", text)
    assert len(matched) >= 2
    for name, label, values in matched:
        assert f"`{label}`" in told[name]
        assert [each for each in values.split("|") if f"`{each}`" not in told[name]] == []


@pytest.mark.parametrize("name", NAMESPACES)
def test_what_prometheus_reads_is_a_port_of_the_pods_that_it_selects(name: str) -> None:
    path = f"namespaces/{name}"
    spec = one(path, "PodMonitor")["spec"]
    assert spec["selector"]["matchLabels"] == {"extproc.dev/injected": "true"}
    asked = {each["port"]: each["path"] for each in spec["podMetricsEndpoints"]}
    assert asked.pop("extproc-metrics") == "/metrics"
    assert asked == dict.fromkeys(OTHERS, "/stats/prometheus")
    declared = {
        port["name"]
        for template in templates(path).values()
        for each in containers(template)
        for port in each.get("ports", [])
    }
    assert "extproc-metrics" in declared
    assert ("envoy-stats" in declared) == (name == "standalone")
