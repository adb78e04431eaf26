"""Who reaches whom: policies name ports that are there, and Services lead to pods."""

from typing import Any

import pytest

from extproc.origin import JA4
from tests.k8s.rendered import NAMESPACES, Document, containers, of_kind, one, templates


def ports(template: Document) -> dict[str, int]:
    return {
        port["name"]: port["containerPort"]
        for each in containers(template)
        for port in each.get("ports", [])
    }


def selected(path: str, labels: dict[str, str]) -> list[Document]:
    """Pods of the rendered folder; Envoy Gateway labels its own."""
    found = [
        each
        for each in templates(path).values()
        if labels.items() <= each.get("metadata", {}).get("labels", {}).items()
    ]
    for each in of_kind(path, "EnvoyProxy"):
        pod = each["spec"]["provider"]["kubernetes"]["envoyDeployment"]["pod"]
        if labels.items() <= pod["labels"].items():
            found.append(templates(path)[f"{path} EnvoyProxy"])
    return found


@pytest.mark.parametrize("name", NAMESPACES)
def test_every_service_leads_to_a_port_of_a_pod(name: str) -> None:
    path = f"namespaces/{name}"
    for service in of_kind(path, "Service"):
        [template] = selected(path, service["spec"]["selector"])
        known = ports(template)
        for port in service["spec"]["ports"]:
            assert port["targetPort"] in {*known, *known.values()}
            assert port["appProtocol"] in {"http", "tcp"}, "a mesh would guess"


@pytest.mark.parametrize("name", NAMESPACES)
def test_every_policy_is_of_pods_and_every_pod_has_one(name: str) -> None:
    path = f"namespaces/{name}"
    policies = [
        each["spec"] for each in of_kind(path, "NetworkPolicy") if each["spec"]["podSelector"]
    ]
    bound = [pod for each in policies for pod in selected(path, labels(each["podSelector"]))]
    unused = [each for each in policies if not selected(path, labels(each["podSelector"]))]
    # The base's is of pods with Envoy beside the model server; behind a gateway there is none.
    assert len(unused) == (1 if name == "gateway" else 0)
    missing = [about for about, pod in templates(path).items() if pod not in bound]
    assert missing == [], "open to everybody"


def labels(selector: Document) -> dict[str, str]:
    found: dict[str, str] = selector.get("matchLabels", {})
    return found


def entering(path: str, template: Document) -> dict[int, list[Any]]:
    """The ports that a pod is reached at, and from where, by all policies together: None is
    everywhere.
    """
    found: dict[int, list[Any]] = {}
    for each in of_kind(path, "NetworkPolicy"):
        if template in selected(path, labels(each["spec"]["podSelector"])):
            for rule in each["spec"].get("ingress", []):
                for port in rule["ports"]:
                    found.setdefault(port["port"], []).extend(rule.get("from", [None]))
    return found


@pytest.mark.parametrize("name", NAMESPACES)
def test_a_pod_that_nobody_labelled_is_reached_by_nobody(name: str) -> None:
    about = of_kind(f"namespaces/{name}", "NetworkPolicy")
    [closed] = [each["spec"] for each in about if not each["spec"]["podSelector"]]
    assert closed == {"podSelector": {}, "policyTypes": ["Ingress"]}


@pytest.mark.parametrize("name", ["standalone", "istio"])
def test_what_is_protected_is_reached_by_strangers_at_one_port(name: str) -> None:
    """By everybody else at those of operators, who come from where Prometheus is."""
    path = f"namespaces/{name}"
    sources = entering(path, templates(path)[f"{path} model"])
    assert sources.pop(8080) == [None]
    operators = {"namespaceSelector": {"matchLabels": {"extproc.dev/monitoring": "true"}}}
    assert sources.keys() == {9102, 9103} | ({15020, 15090} if name == "istio" else set())
    assert all(each == [operators] for each in sources.values())


def test_what_is_protected_is_reached_at_envoy_alone() -> None:
    path = "namespaces/standalone"
    template = templates(path)[f"{path} model"]
    open_to_all = {port for port, sources in entering(path, template).items() if None in sources}
    assert open_to_all == {8080}
    assert ports(template)["http"] == 8080
    [model] = template["spec"]["containers"]
    assert "--host=127.0.0.1" in model["args"]
    assert "ports" not in model


def test_a_model_server_behind_a_gateway_is_reached_by_its_envoys_alone() -> None:
    path = "namespaces/gateway"
    sources = entering(path, templates(path)[f"{path} model"])
    assert sources == {8000: [{"podSelector": {"matchLabels": {"extproc.dev/injected": "true"}}}]}


@pytest.mark.parametrize("name", NAMESPACES)
def test_redis_is_reached_by_sidecars_alone(name: str) -> None:
    path = f"namespaces/{name}"
    sources = entering(path, templates(path)[f"{path} extproc-redis"])
    assert sources == {6379: [{"podSelector": {"matchLabels": {"extproc.dev/injected": "true"}}}]}


@pytest.mark.parametrize("name", NAMESPACES)
def test_probes_ask_ports_that_are_there(name: str) -> None:
    for template in templates(f"namespaces/{name}").values():
        known = ports(template)
        for each in containers(template):
            for probe in ("startupProbe", "readinessProbe", "livenessProbe"):
                for kind in {"grpc", "httpGet", "tcpSocket"} & each.get(probe, {}).keys():
                    assert each[probe][kind]["port"] in {*known, *known.values()}


@pytest.mark.parametrize("name", NAMESPACES)
def test_a_disruption_leaves_somebody_to_answer(name: str) -> None:
    path = f"namespaces/{name}"
    spec = one(path, "PodDisruptionBudget")["spec"]
    assert selected(path, spec["selector"]["matchLabels"])
    assert one(path, "Deployment")["spec"]["replicas"] > spec["minAvailable"]


@pytest.mark.parametrize("name", NAMESPACES)
def test_replicas_are_spread_over_nodes_and_zones(name: str) -> None:
    path = f"namespaces/{name}"
    pods = [each["spec"]["template"] for each in of_kind(path, "Deployment")]
    spread = [(each["spec"], each["metadata"]) for each in pods]
    for each in of_kind(path, "EnvoyProxy"):
        deployment = each["spec"]["provider"]["kubernetes"]["envoyDeployment"]
        spread.append((deployment["pod"], deployment["pod"]))
    assert len(spread) == (2 if name == "gateway" else 1)
    for spec, metadata in spread:
        found = spec["topologySpreadConstraints"]
        keys = [each["topologyKey"] for each in found]
        assert keys == ["kubernetes.io/hostname", "topology.kubernetes.io/zone"]
        for each in found:
            assert labels(each["labelSelector"]).items() <= metadata["labels"].items()


def test_the_route_of_a_gateway_is_one_that_is_protected_and_lasts() -> None:
    path = "namespaces/gateway"
    route = one(path, "HTTPRoute")
    for kind in ("SecurityPolicy", "EnvoyExtensionPolicy"):
        for target in one(path, kind)["spec"]["targetSelectors"]:
            assert target["matchLabels"].items() <= route["metadata"]["labels"].items()
    for rule in route["spec"]["rules"]:
        assert rule["timeouts"]["request"] == "0s"
        assert [each["name"] for each in rule["backendRefs"]] == ["model"]
    proxy = one(path, "Gateway")["spec"]["infrastructure"]["parametersRef"]
    assert (proxy["kind"], proxy["name"]) == ("EnvoyProxy", "extproc")


def test_no_client_of_a_gateway_writes_what_envoy_alone_may_write() -> None:
    path = "namespaces/gateway"
    spec = one(path, "ClientTrafficPolicy")["spec"]
    assert [each["name"] for each in spec["targetRefs"]] == [
        one(path, "Gateway")["metadata"]["name"]
    ]
    assert spec["headers"]["earlyRequestHeaders"]["remove"] == [JA4]
    assert spec["headers"]["withUnderscoresAction"] == "RejectRequest"
    assert spec["path"] == {"escapedSlashesAction": "RejectRequest"}


def test_tokens_are_read_before_the_sidecar_is_asked_and_answers_compressed_after() -> None:
    order = one("namespaces/gateway", "EnvoyProxy")["spec"]["filterOrder"]
    filters = "envoy.filters.http"
    assert order == [
        {"name": f"{filters}.ext_authz", "after": f"{filters}.jwt_authn"},
        {"name": f"{filters}.compressor", "before": f"{filters}.ext_authz"},
    ]
