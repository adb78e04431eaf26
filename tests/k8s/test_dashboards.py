"""Dashboards: they ask for what there is, and say to whoever reads them what it is."""

import hashlib
import json
import re
from functools import cache
from itertools import combinations
from pathlib import Path
from typing import Any

import pytest
import yaml
from PIL import Image

from docs import metrics
from tests.k8s.dashboards import (
    FOLDER,
    NAMES,
    Panel,
    dashboard,
    expressions,
    filled,
    panels,
)
from tests.k8s.promql import grouped, selectors
from tests.k8s.rendered import ROOT, one
from tests.k8s.test_monitoring import CASES, promtool

VALUES = {
    "namespace": ".+",
    "__range": "6h",
    "__rate_interval": "1m",
}
TARGET = {"namespace", "pod", "container", "endpoint", "job", "instance"}
"""What Prometheus' operator writes to every series of a PodMonitor."""
FOREIGN = {
    "ALERTS": {"alertname", "alertstate", "severity"},
    "kube_namespace_labels": {"label_extproc_dev_inject", "label_extproc_dev_mode"},
    "kube_pod_init_container_info": set[str](),
    "kube_pod_labels": {"label_extproc_dev_protect"},
    "kube_pod_status_phase": {"phase"},
    "up": set[str](),
}
OPEN = "extproc-open"
LONGEST = 1 << 18
"""Bytes of annotations, in one of which kubectl keeps what it applied
(TotalAnnotationSizeLimitB of Kubernetes' apimachinery)."""
RUNBOOKS = (ROOT / "docs" / "deploy" / "runbooks.md").read_text()
PICTURES = ROOT / "docs" / "deploy" / "dashboards"

every_dashboard = pytest.mark.parametrize("name", NAMES)
every_panel = pytest.mark.parametrize(
    "panel",
    [
        pytest.param(each, id=f"{name}: {each['title']}")
        for name in NAMES
        for each in panels(dashboard(name))
    ],
)


@cache
def ours() -> dict[str, set[str]]:
    """The names of the sidecar's samples, each with its labels, as the registry has them."""
    found: dict[str, set[str]] = {}
    for name, kind, labels, _ in metrics.rows(metrics.collectors()):
        names = re.findall(r"`(\w+)`: ", labels)
        if kind == "histogram":
            found[f"{name}_bucket"] = {*names, "le"}
            found |= {f"{name}_{end}": {*names} for end in ("sum", "count")}
        else:
            found[name] = {*names}
    return found


def test_all_of_them_are_looked_at() -> None:
    assert {each.stem for each in FOLDER.iterdir()} == {*NAMES}


@every_dashboard
def test_grafana_can_import_it(name: str) -> None:
    board = dashboard(name)
    assert board["uid"] == f"extproc-{name}"
    assert board["schemaVersion"] >= 39
    assert "extproc" in board["tags"]
    kinds = {each["name"]: each["type"] for each in board["templating"]["list"]}
    assert kinds == {"datasource": "datasource", "namespace": "query", "runbooks": "constant"}
    numbers = [each["id"] for each in board["panels"]]
    assert len(set(numbers)) == len(numbers)
    titles = [each["title"] for each in board["panels"]]
    assert len(set(titles)) == len(titles)


@every_dashboard
def test_a_change_made_in_grafana_is_a_small_change_of_the_file(name: str) -> None:
    text = (FOLDER / f"{name}.json").read_text()
    assert text == json.dumps(json.loads(text), indent=2, ensure_ascii=False) + "\n"


@every_dashboard
def test_panels_fit_and_none_covers_another(name: str) -> None:
    places = [each["gridPos"] for each in dashboard(name)["panels"]]
    assert all(each["x"] >= 0 and each["x"] + each["w"] <= 24 for each in places)
    covered = [(one, other) for one, other in combinations(places, 2) if _meet(one, other)]
    assert covered == []


def _meet(one: dict[str, int], other: dict[str, int]) -> bool:
    return all(
        one[at] < other[at] + other[size] and other[at] < one[at] + one[size]
        for at, size in (("x", "w"), ("y", "h"))
    )


@every_panel
def test_a_panel_says_what_it_shows_in_which_unit(panel: Panel) -> None:
    assert re.fullmatch(r"[A-Z][^\n]{20,}\.", panel["description"])
    if panel["type"] == "text":
        return
    defaults = panel["fieldConfig"]["defaults"]
    assert defaults["unit"]
    assert defaults["thresholds"]["steps"][0]["value"] is None
    assert {each["datasource"]["uid"] for each in (panel, *panel["targets"])} == {"${datasource}"}


def test_prometheus_takes_every_expression(tmp_path: Path) -> None:
    groups = [
        {"name": f"{name}: {text}", "rules": [{"record": "a", "expr": filled(text, VALUES)}]}
        for name in NAMES
        for text in {text for _, text in expressions(dashboard(name))}
    ]
    (tmp_path / "rules.yaml").write_text(yaml.safe_dump({"groups": groups}))
    promtool("check", "rules", "rules.yaml", folder=tmp_path)


@every_dashboard
def test_every_series_and_every_label_is_one_that_there_is(name: str) -> None:
    known = {**ours(), **FOREIGN}
    for title, text in expressions(dashboard(name)):
        found = [each for each in selectors(filled(text, VALUES)) if not _envoys(each.metric)]
        missing = {each.metric for each in found} - known.keys()
        assert missing == set(), title
        for each in found:
            assert each.labels - known[each.metric] - TARGET == set(), (title, each.metric)
        labels = set[str]().union(*(known[each.metric] for each in found), TARGET)
        others = {"le"} if "_bucket" in text else set[str]()
        assert grouped(text) - labels - others == set(), title


def _envoys(metric: str) -> bool:
    """Looked up in what a real one tells: test_pod.py."""
    return metric.startswith("envoy_")


@every_dashboard
def test_only_namespaces_that_are_chosen_are_shown(name: str) -> None:
    for title, text in expressions(dashboard(name)):
        assert all("namespace" in each.labels for each in selectors(filled(text, VALUES))), title
        assert text.count("namespace=~") == text.count('namespace=~"$namespace"'), title


@every_panel
def test_what_a_legend_or_a_column_names_is_there(panel: Panel) -> None:
    for target in panel.get("targets", []):
        named = {*re.findall(r"\{\{(\w+)\}\}", target["legendFormat"])}
        if panel["type"] == "table":
            [organized] = panel["transformations"]
            named |= organized["options"]["renameByName"].keys() - {"Value"}
        assert named - grouped(target["expr"]) == set()


@every_panel
def test_links_lead_to_runbooks_that_there_are(panel: Panel) -> None:
    headings = {each.lower() for each in re.findall(r"^## (\w+)$", RUNBOOKS, re.MULTILINE)}
    for each in panel.get("links", []):
        place, _, heading = each["url"].partition("#")
        assert place == "${runbooks}"
        assert heading in headings
        assert each["title"].lower() == f"runbook: {heading}"


@cache
def first_row() -> dict[str, Panel]:
    """What the platform's team sees first, by the alert that each panel links to."""
    first = [each for each in panels(dashboard("platform")) if each["gridPos"]["y"] == 1]
    return {
        link["title"].removeprefix("Runbook: "): panel for panel in first for link in panel["links"]
    }


def test_what_passes_stands_first_in_the_order_of_its_alerts() -> None:
    groups = one("monitoring", "PrometheusRule")["spec"]["groups"]
    [rules] = [each["rules"] for each in groups if each["name"] == OPEN]
    assert [*first_row()] == [each["alert"] for each in rules]
    for rule in rules:
        asked = first_row()[rule["alert"]]["targets"][0]["expr"]
        shown = {each.metric for each in selectors(asked)}
        assert shown == {each.metric for each in selectors(rule["expr"])}


def test_what_passes_is_shown_where_its_alert_fires_and_only_there(tmp_path: Path) -> None:
    (tmp_path / "none.yaml").write_text("groups: []")
    cases = yaml.safe_load(CASES.read_text())
    for case in cases["tests"]:
        alerts = case.pop("alert_rule_test")
        fire = {each["alertname"] for each in alerts if each.get("exp_alerts")}
        # A panel does not wait, as an alert does: what will fire is red already.
        case["promql_expr_test"] = [
            _red(first_row()[each["alertname"]], each)
            for each in alerts
            if each["alertname"] in first_row()
            and (each.get("exp_alerts") or each["alertname"] not in fire)
        ]
    tried = [each for case in cases["tests"] for each in case["promql_expr_test"]]
    assert sum(each["exp_samples"][0]["value"] for each in tried) >= len(first_row())
    (tmp_path / "cases.yaml").write_text(yaml.safe_dump({**cases, "rule_files": ["none.yaml"]}))
    promtool("test", "rules", "cases.yaml", folder=tmp_path)


def _red(panel: Panel, case: dict[str, Any]) -> dict[str, Any]:
    """A case of an alert, as one of whether the panel is red."""
    limit = panel["fieldConfig"]["defaults"]["thresholds"]["steps"][-1]["value"]
    asked = filled(panel["targets"][0]["expr"], {**VALUES, "__range": "10m"})
    expected = {"labels": "{}", "value": int(bool(case.get("exp_alerts")))}
    return {
        "eval_time": case["eval_time"],
        "expr": f"({asked}) >= bool {limit} or vector(0)",
        "exp_samples": [expected],
    }


@pytest.mark.parametrize(
    ("alert", "value", "series"),
    [
        (
            "ExtprocStreamEndedOpen",
            2,
            {
                'envoy_http_ext_proc_server_half_closed{namespace="n", pod="a"}': "2x20",
                'envoy_http_ext_proc_streams_failed{namespace="n", pod="a"}': "0x20",
                'envoy_http_ext_proc_server_half_closed{namespace="n", pod="b"}': "1x20",
                'envoy_http_ext_proc_streams_failed{namespace="n", pod="b"}': "7x20",
            },
        ),
        (
            "ExtprocAdmittedUnprocessed",
            1,
            {
                'envoy_http_ext_authz_ok{namespace="n", pod="without-the-filter"}': "0+10x20",
                'envoy_http_ext_authz_ok{namespace="n", pod="b"}': "0+1000x20",
                'envoy_http_ext_proc_streams_started{namespace="n", pod="b"}': "0+1000x20",
            },
        ),
        (
            "ExtprocAdmittedUnprocessed",
            0.1,
            {
                'envoy_http_ext_authz_ok{namespace="n", pod="a"}': "0+10x20",
                'envoy_http_ext_proc_streams_started{namespace="n", pod="a"}': "0+9x20",
            },
        ),
    ],
)
def test_one_pod_is_not_hidden_by_others(
    alert: str, value: float, series: dict[str, str], tmp_path: Path
) -> None:
    asked = filled(first_row()[alert]["targets"][0]["expr"], {**VALUES, "__range": "10m"})
    rounded = {"expr": f"round({asked}, 0.001)", "eval_time": "20m"}
    case = {
        "interval": "1m",
        "input_series": [{"series": name, "values": each} for name, each in series.items()],
        "promql_expr_test": [{**rounded, "exp_samples": [{"labels": "{}", "value": value}]}],
    }
    (tmp_path / "cases.yaml").write_text(yaml.safe_dump({"tests": [case]}))
    promtool("test", "rules", "cases.yaml", folder=tmp_path)
    steps = first_row()[alert]["fieldConfig"]["defaults"]["thresholds"]["steps"]
    assert [each["color"] for each in steps if (each["value"] or 0) <= value][-1] == "red"


def test_every_alert_is_linked_from_somewhere() -> None:
    links = {
        link["title"].removeprefix("Runbook: ")
        for name in NAMES
        for each in panels(dashboard(name))
        for link in each.get("links", [])
    }
    groups = one("monitoring", "PrometheusRule")["spec"]["groups"]
    assert {rule["alert"] for group in groups for rule in group["rules"]} == links


def test_grafana_finds_what_kustomize_makes_of_them() -> None:
    made: Any = one("monitoring", "ConfigMap")
    about = made["metadata"]
    assert about["name"] == "extproc-dashboards"
    assert about["labels"] == {"grafana_dashboard": "1"}
    assert about["annotations"] == {"grafana_folder": "extproc"}
    assert {file: json.loads(text) for file, text in made["data"].items()} == {
        f"extproc-{name}.json": dashboard(name) for name in NAMES
    }
    assert len(json.dumps(made).encode()) < LONGEST


@every_dashboard
def test_its_picture_was_drawn_from_it(name: str) -> None:
    file = PICTURES / f"{name}.png"
    text = (FOLDER / f"{name}.json").read_bytes()
    with Image.open(file) as picture:
        assert picture.info["of"] == hashlib.sha256(text).hexdigest(), "draw it: make dashboards"
    assert file.stat().st_size < 200_000
