"""Where admission policies hold, and which routes they refuse."""

import re

from tests.k8s.admission import POLICIES, PROTECT, admit
from tests.k8s.rendered import Document, documents, one


def test_they_hold_where_the_namespace_is_labelled_and_refuse_where_it_enforces() -> None:
    enforce = {"extproc.dev/mode": "enforce"}
    inject = {"matchLabels": {"extproc.dev/inject": "enabled"}}
    enforced = {"matchLabels": {**inject["matchLabels"], **enforce}}
    other = {"key": "extproc.dev/inject", "operator": "DoesNotExist"}
    mode = {"key": "extproc.dev/mode", "operator": "Exists"}
    gateway = {"matchLabels": enforce, "matchExpressions": [other]}
    found = {each["metadata"]["name"]: each["spec"] for each in documents("admission")
             if each["kind"].endswith("Binding")}  # fmt: skip
    about = {
        name: (
            spec["policyName"],
            spec["matchResources"]["namespaceSelector"],
            spec.get("validationActions"),
        )
        for name, spec in found.items()
    }
    warned = ["Warn", "Audit"]
    assert about == {
        "extproc-inject": ("extproc-inject", inject, None),
        "extproc-require-warned": ("extproc-require", inject, warned),
        "extproc-require-enforced": ("extproc-require", enforced, ["Deny"]),
        "extproc-keep-warned": ("extproc-keep", inject, warned),
        "extproc-keep-enforced": ("extproc-keep", enforced, ["Deny"]),
        "extproc-routes-warned": ("extproc-routes", {"matchExpressions": [other, mode]}, warned),
        "extproc-routes-enforced": ("extproc-routes", gateway, ["Deny"]),
    }


def test_they_refuse_where_they_cannot_tell() -> None:
    """But that a warning waits for what it is to compare with."""
    every = documents("admission")
    for each in every:
        if each["kind"] in POLICIES:
            assert each["spec"]["failurePolicy"] == "Fail"
    missing = {
        each["metadata"]["name"]: each["spec"]["paramRef"]["parameterNotFoundAction"]
        for each in every
        if "paramRef" in each.get("spec", {})
    }
    assert missing == {
        "extproc-inject": "Deny",
        "extproc-require-warned": "Allow",
        "extproc-require-enforced": "Deny",
    }
    config = one("admission", "ConfigMap")["metadata"]
    asked = [each["spec"]["paramRef"] for each in every if "paramRef" in each.get("spec", {})]
    assert {(each["name"], each["namespace"]) for each in asked} == {
        (config["name"], config["namespace"])
    }


def test_whether_routes_are_looked_at_is_told_by_the_labels_of_the_shipped_namespaces() -> None:
    for name, injected in (("standalone", True), ("istio", True), ("gateway", False)):
        labels = one(f"namespaces/{name}", "Namespace")["metadata"]["labels"]
        assert ("extproc.dev/inject" in labels) == injected
        assert "extproc.dev/mode" in labels


def route(kind: str, labels: dict[str, str] | None, **metadata: str) -> Document:
    found = {"name": "model", **metadata, **({} if labels is None else {"labels": labels})}
    return {"apiVersion": "gateway.networking.k8s.io/v1", "kind": kind, "metadata": found}


def test_a_route_that_would_pass_the_sidecar_by_is_refused() -> None:
    refused = [
        route("HTTPRoute", None),
        route("HTTPRoute", {}),
        route("GRPCRoute", {"extproc.dev/protect": "false"}),
        *(route(kind, PROTECT) for kind in ("TLSRoute", "TCPRoute", "UDPRoute")),
    ]
    ending = route("HTTPRoute", None, deletionTimestamp="2026-11-26T10:00:00Z")
    taken = [route("HTTPRoute", PROTECT), route("GRPCRoute", PROTECT), ending]
    shipped = one("namespaces/gateway", "HTTPRoute")
    for operation in ("CREATE", "UPDATE"):
        told = admit(*refused, operation=operation, inject=False)
        assert ["pass the sidecar by" in line for each in told for line in each["refused"]] == (
            [True] * len(refused)
        )
        told = admit(*taken, shipped, operation=operation, inject=False)
        assert [each["refused"] for each in told] == [[]] * (len(taken) + 1)


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


def test_it_is_one_mutation_by_a_patch() -> None:
    """Between two an empty list would vanish, and ApplyConfiguration may write no args."""
    mutations = one("admission", "MutatingAdmissionPolicy")["spec"]["mutations"]
    assert [each["patchType"] for each in mutations] == ["JSONPatch"]
