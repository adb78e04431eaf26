"""What overlays put together: in which order, by which names, and what changes a pod."""

import os
import re
import shutil
from pathlib import Path

import pytest
import yaml

from extproc.config import load
from extproc.rollout import WHOLE
from tests.config.example import TEXT, write
from tests.k8s import rendered
from tests.k8s.policies import policy
from tests.k8s.rendered import K8S, NAMESPACES, ROOT, SIDECAR, Document, of_kind, one, templates

GUIDES = "\n".join(path.read_text() for path in sorted((ROOT / "docs" / "deploy").glob("*.md")))


def names(template: Document, which: str = "initContainers") -> list[str]:
    return [each["name"] for each in template["spec"].get(which, [])]


def overlay(folder: Path, **about: object) -> list[Document]:
    """What is rendered of a kustomization of the test's own."""
    folder.mkdir(exist_ok=True)
    (folder / "kustomization.yaml").write_text(yaml.safe_dump(about))
    return [*yaml.safe_load_all(rendered.text(".", folder))]


def relative(path: str, folder: Path) -> str:
    return os.path.relpath(K8S / path, folder)


def test_envoy_starts_after_the_sidecar_in_whatever_order_components_are_listed(
    tmp_path: Path,
) -> None:
    assert names(templates("namespaces/standalone")["namespaces/standalone model"]) == [
        SIDECAR,
        "envoy",
    ]
    for order in (("sidecar", "envoy"), ("envoy", "sidecar")):
        folder = tmp_path / "-".join(order)
        folder.mkdir()
        shutil.copy(K8S / "namespaces" / "standalone" / "model.yaml", folder)
        components = [relative(f"components/{each}", folder) for each in order]
        found = overlay(folder, resources=["model.yaml"], components=components)
        [model] = [each for each in found if each["kind"] == "Deployment"]
        assert names(model["spec"]["template"]) == [SIDECAR, "envoy"]


def test_a_stateful_set_gets_the_sidecar_too_and_an_unlabelled_one_does_not(tmp_path: Path) -> None:
    kinds = {"labelled": {"extproc.dev/protect": "true"}, "other": {}}
    (tmp_path / "sets.yaml").write_text(
        yaml.safe_dump_all(
            {
                "apiVersion": "apps/v1",
                "kind": "StatefulSet",
                "metadata": {"name": name, "labels": labels},
                "spec": {"template": {"spec": {"containers": [{"name": "a", "image": "a"}]}}},
            }
            for name, labels in kinds.items()
        )
    )
    components = [relative("components/sidecar", tmp_path)]
    found = overlay(tmp_path, resources=["sets.yaml"], components=components)
    inside = {each["metadata"]["name"]: names(each["spec"]["template"]) for each in found}
    assert inside == {"labelled": [SIDECAR], "other": []}
    [template] = [each["spec"]["template"] for each in found if each["metadata"]["labels"]]
    labels = {"extproc.dev/protect": "true", "extproc.dev/injected": "true"}
    assert template["metadata"]["labels"] == labels


def test_the_sidecar_is_the_same_wherever_it_is() -> None:
    def sidecar(template: Document) -> Document:
        [found] = [each for each in template["spec"]["initContainers"] if each["name"] == SIDECAR]
        return {key: value for key, value in found.items() if key != "lifecycle"}

    standalone = templates("namespaces/standalone")["namespaces/standalone model"]
    istio = templates("namespaces/istio")["namespaces/istio model"]
    gateway = templates("namespaces/gateway")["namespaces/gateway EnvoyProxy"]
    assert sidecar(istio) == sidecar(standalone)
    assert sidecar(gateway) == sidecar(standalone)
    mounted = [each for each in standalone["spec"]["volumes"] if each["name"] != "extproc-envoy"]
    assert gateway["spec"]["volumes"] == mounted == istio["spec"]["volumes"]


@pytest.mark.parametrize("name", NAMESPACES)
def test_whatever_a_pod_names_is_there(name: str) -> None:
    path = f"namespaces/{name}"
    maps = {each["metadata"]["name"] for each in of_kind(path, "ConfigMap")}
    claims = {
        each["metadata"]["name"]
        for item in of_kind(path, "StatefulSet")
        for each in item["spec"]["volumeClaimTemplates"]
    }
    for about, template in templates(path).items():
        spec = template["spec"]
        volumes = {each["name"]: each for each in spec.get("volumes", [])}
        every = [*spec.get("initContainers", []), *spec["containers"]]
        mounts = {each["name"] for one in every for each in one.get("volumeMounts", [])}
        assert mounts <= volumes.keys() | (claims if "redis" in about else set())
        assert volumes.keys() <= mounts, "what nobody mounts"
        for volume in volumes.values():
            assert volume.get("configMap", {}).get("name") in {None, *maps}
            secret = volume.get("secret", {}).get("secretName")
            assert secret is None or f"create secret generic {secret}" in GUIDES


@pytest.mark.parametrize("name", NAMESPACES)
def test_no_secret_is_committed_and_no_name_changes_with_its_content(name: str) -> None:
    assert of_kind(f"namespaces/{name}", "Secret") == []
    for each in of_kind(f"namespaces/{name}", "ConfigMap"):
        assert not re.search(r"-[a-z0-9]{10}$", each["metadata"]["name"])


@pytest.mark.parametrize("name", NAMESPACES)
@pytest.mark.parametrize("mode", ["off", "enforce"])
def test_another_mode_changes_no_pod(name: str, mode: str, tmp_path: Path) -> None:
    shutil.copytree(K8S, tmp_path / "k8s")
    file = tmp_path / "k8s" / "namespaces" / name / "kustomization.yaml"
    file.write_text(file.read_text().replace("components/mode-shadow", f"components/mode-{mode}"))
    after = [*yaml.safe_load_all(rendered.text(f"namespaces/{name}", tmp_path / "k8s"))]
    before = rendered.documents(f"namespaces/{name}")
    changed = [(old["kind"], new) for old, new in zip(before, after, strict=True) if old != new]
    assert [kind for kind, _ in changed] == ["Namespace", "ConfigMap"]
    assert changed[0][1]["metadata"]["labels"]["extproc.dev/mode"] == mode
    assert f"mode: {mode}" in changed[1][1]["data"]["base.yaml"]


@pytest.mark.parametrize("own", ["mode: off", "percent: 1", "mode: shadow, percent: 50"])
def test_where_a_policy_is_in_force_a_team_cannot_have_it_for_fewer(
    own: str, tmp_path: Path
) -> None:
    base = K8S / "components" / "mode-enforce" / "base.yaml"
    found = load(write(tmp_path, f"{TEXT}rollout: {{{own}}}\n"), base)
    assert found.settings.rollout.rollout() == WHOLE


@pytest.mark.parametrize("name", ["standalone", "istio"])
def test_whoever_ends_first_leaves_the_others_time(name: str, tmp_path: Path) -> None:
    """The model server waits for Envoy to drain; then the sidecar has all of its own drain left."""
    spec = templates(f"namespaces/{name}")[f"namespaces/{name} model"]["spec"]
    [model] = spec["containers"]
    waits = model["lifecycle"]["preStop"]["sleep"]["seconds"]
    said = load(policy(name, tmp_path))
    assert spec["terminationGracePeriodSeconds"] > waits + said.notice + said.drain
    for each in spec["initContainers"]:
        if "--drain-time-s" in each["args"]:
            assert int(each["args"][each["args"].index("--drain-time-s") + 1]) < waits


def test_envoy_gateway_waits_for_running_requests_as_long_as_the_sidecar_does(
    tmp_path: Path,
) -> None:
    shutdown = one("namespaces/gateway", "EnvoyProxy")["spec"]["shutdown"]
    assert int(shutdown["drainTimeout"].rstrip("s")) >= load(policy("gateway", tmp_path)).drain


def test_redis_takes_tls_alone_where_the_component_says_so(tmp_path: Path) -> None:
    found = overlay(
        tmp_path,
        resources=[relative("namespaces/standalone", tmp_path)],
        components=[relative("components/redis-tls", tmp_path)],
    )
    [redis] = [each for each in found if each["kind"] == "StatefulSet"]
    [container] = redis["spec"]["template"]["spec"]["containers"]
    assert container["args"][1:5] == ["--port", "0", "--tls-port", "6379"]
    mounts = {each["name"]: each["mountPath"] for each in container["volumeMounts"]}
    etc = {name: f"/etc/redis/{name}" for name in ("acl", "conf", "tls")}
    assert mounts == {"data": "/data", **etc}
    assert "extproc-redis-tls" in GUIDES


@pytest.mark.parametrize("name", NAMESPACES)
def test_an_overlay_makes_what_it_changes_and_labels_what_a_component_selects(name: str) -> None:
    """kustomize merges nothing into what a component made, and labels of an overlay may come after
    the components that select them.
    """
    for file in sorted(K8S.rglob("kustomization.yaml")):
        made = yaml.safe_load(file.read_text())
        assert not any("behavior" in each for each in made.get("configMapGenerator", [])), file
        assert "labels" not in made, file
        assert "commonLabels" not in made, file
    committed = [*yaml.safe_load_all((K8S / "namespaces" / name / "model.yaml").read_text())]
    [model] = [each for each in committed if each["kind"] == "Deployment"]
    protected = model["metadata"]["labels"].get("extproc.dev/protect") == "true"
    assert protected == (name != "gateway")
