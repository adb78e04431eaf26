"""Every edit that would let something past the sidecar is found, in the policies that ship."""

from collections.abc import Callable
from copy import deepcopy
from pathlib import Path
from typing import Any

import pytest
import yaml

from extproc.envoyconf.bootstrap import Document
from extproc.envoyconf.check import all_problems

K8S = Path(__file__).parents[2] / "k8s"
FILES = (
    K8S / "components" / "envoy-gateway" / "policies.yaml",
    K8S / "components" / "envoy-gateway" / "envoy-proxy.yaml",
    K8S / "namespaces" / "gateway" / "gateway.yaml",
)
COMMITTED = [each for file in FILES for each in yaml.safe_load_all(file.read_text())]

Kinds = dict[str, Any]
Edit = Callable[[Kinds], object]


def shipped(*edits: Edit) -> list[Document]:
    kinds = {each["kind"]: each for each in deepcopy(COMMITTED)}
    for edit in edits:
        edit(kinds)
    return list(kinds.values())


def authorization(**fields: Any) -> Edit:
    return lambda k: k["SecurityPolicy"]["spec"]["extAuth"].update(fields)


def processing(**fields: Any) -> Edit:
    return lambda k: k["EnvoyExtensionPolicy"]["spec"]["extProc"][0].update(fields)


def modes(**fields: Any) -> Edit:
    return lambda k: k["EnvoyExtensionPolicy"]["spec"]["extProc"][0]["processingMode"].update(
        fields
    )


def spec(kind: str, **fields: Any) -> Edit:
    return lambda k: k[kind]["spec"].update(fields)


def order(**fields: str) -> Edit:
    return lambda k: k["EnvoyProxy"]["spec"]["filterOrder"].append(fields)


FILTERS = "envoy.filters.http"
FAULTS: dict[str, tuple[Edit, str]] = {
    "authorization fails open": (authorization(failOpen=True), "extAuth.failOpen: lets pass"),
    "processing fails open": (processing(failOpen=True), "extProc[0].failOpen: lets pass"),
    "a text that may mean true": (processing(failOpen="false"), "failOpen: lets pass"),
    "a success": (authorization(statusOnError=200), "statusOnError: 200 must be an error"),
    "by headers": (authorization(headersToExtAuth=["a"]), "headersToExtAuth: is not known"),
    "over http": (authorization(http={}, grpc={}), "extAuth.http: is not known to be safe"),
    "routed anew": (authorization(recomputeRoute=True), "recomputeRoute: is not known"),
    "nobody is asked": (lambda k: k["SecurityPolicy"]["spec"].pop("extAuth"), "extAuth: is miss"),
    "override": (modes(allowModeOverride=True), "allowModeOverride: lets a message"),
    "a body": (modes(response={"body": "Buffered"}), "response.body: must be FullDuplexStreamed"),
    "no body": (modes(request={}), "request.body: must be FullDuplexStreamed"),
    "no answers": (
        lambda k: k["EnvoyExtensionPolicy"]["spec"]["extProc"][0]["processingMode"].pop("response"),
        "response.body: must be FullDuplexStreamed",
    ),
    "no metadata": (processing(metadata={}), "accessibleNamespaces: must name"),
    "a field of tomorrow": (processing(observabilityMode=True), "observabilityMode: is not known"),
    "no processing": (spec("EnvoyExtensionPolicy", extProc=[]), "extProc: must be the sidecar"),
    "lua": (spec("EnvoyExtensionPolicy", lua=[{}]), "spec.lua: is not known to be safe"),
    "other routes": (
        spec("EnvoyExtensionPolicy", targetSelectors=[]),
        "SecurityPolicy extproc: spec: no EnvoyExtensionPolicy of this namespace is for the same",
    ),
    "one policy alone": (lambda k: k.pop("EnvoyExtensionPolicy"), "no EnvoyExtensionPolicy of"),
    "the other alone": (lambda k: k.pop("SecurityPolicy"), "no SecurityPolicy of this namespace"),
    "no backend": (lambda k: k.pop("Backend"), "is called 'extproc'"),
    "another backend": (
        spec("Backend", endpoints=[{"fqdn": {"hostname": "a", "port": 1}}]),
        "backendRefs[0]: no Backend here that is a Unix socket is called 'extproc'",
    ),
    "a service": (
        processing(backendRefs=[{"kind": "Service", "name": "extproc"}]),
        "extProc[0].backendRefs[0]: no Backend",
    ),
    "two backends": (processing(backendRefs=[{}, {}]), "backendRefs: must name the sidecar's"),
    "a route without the label": (
        lambda k: k["HTTPRoute"]["metadata"].pop("labels"),
        "HTTPRoute model: metadata.labels: no SecurityPolicy selects it",
    ),
    "forged": (
        spec("ClientTrafficPolicy", headers={}),
        "earlyRequestHeaders.remove: must name x-extproc-ja4",
    ),
    "no policy of clients": (
        lambda k: k.pop("ClientTrafficPolicy"),
        "Gateway models: spec: no ClientTrafficPolicy for it removes x-extproc-ja4",
    ),
    "another gateway's": (
        spec("ClientTrafficPolicy", targetRefs=[{"kind": "Gateway", "name": "other"}]),
        "Gateway models: spec: no ClientTrafficPolicy",
    ),
    "no order": (spec("EnvoyProxy", filterOrder=[]), "must have ext_authz after jwt_authn"),
    "ext_proc first": (
        order(name=f"{FILTERS}.ext_proc", before=f"{FILTERS}.ext_authz"),
        "filterOrder[2]: moves a filter of ours",
    ),
    "ext_authz last": (
        order(name=f"{FILTERS}.ext_authz", after=f"{FILTERS}.ext_proc"),
        "filterOrder[2]: moves a filter of ours",
    ),
    "patches": (
        lambda k: k.update(
            {"P": {"apiVersion": "a/v1", "kind": "EnvoyPatchPolicy", "metadata": {"name": "p"}}}
        ),
        "EnvoyPatchPolicy p: spec: changes what Envoy is given",
    ),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_every_unsafe_edit_is_found(fault: str) -> None:
    edit, said = FAULTS[fault]
    found = all_problems(shipped(edit))
    assert any(said in sentence for sentence in found), found


HARMLESS: dict[str, Edit] = {
    "nothing": lambda k: k,
    "the policies alone": lambda k: [
        k.pop(kind) for kind in ("EnvoyProxy", "Gateway", "HTTPRoute", "ClientTrafficPolicy")
    ],
    "a route by name": lambda k: [
        k[kind]["spec"].update(targetRefs=[{"kind": "HTTPRoute", "name": "model"}])
        for kind in ("SecurityPolicy", "EnvoyExtensionPolicy")
    ],
    "tokens are read": spec("SecurityPolicy", jwt={"providers": []}),
    "a patience": processing(messageTimeout="5s"),
    "envoy's own 403": lambda k: k["SecurityPolicy"]["spec"]["extAuth"].pop("statusOnError"),
    "another filter moved": order(name=f"{FILTERS}.fault", before=f"{FILTERS}.cors"),
}


@pytest.mark.parametrize("what", HARMLESS)
def test_what_opens_nothing_is_not_complained_about(what: str) -> None:
    assert all_problems(shipped(HARMLESS[what])) == []


def test_another_namespaces_backend_is_not_this_ones() -> None:
    documents = shipped(lambda k: k["Backend"]["metadata"].update(namespace="other"))
    assert len(all_problems(documents)) == 2
