"""Every edit that would let something past the sidecar is found, in the EnvoyFilter that ships."""

from collections.abc import Callable
from copy import deepcopy
from typing import Any

import pytest

from extproc.envoyconf.bootstrap import Document
from extproc.envoyconf.check import all_problems
from extproc.envoyconf.istio import envoy_filter
from extproc.envoyconf.settings import Pipe

Edit = Callable[[Document], object]
HTTP = "type.googleapis.com/envoy.extensions.filters.http"
CLUSTER, MANAGER, AUTHZ, PROC = range(4)
"""Places of the patches."""


def shipped(*edits: Edit) -> Document:
    document = envoy_filter(Pipe("/run/extproc/extproc.sock"))
    document = deepcopy(document)  # constants stand in two places of it
    for edit in edits:
        edit(document)
    return document


def patches(document: Document) -> list[Any]:
    found: list[Any] = document["spec"]["configPatches"]
    return found


def config(place: int, **fields: Any) -> Edit:
    return lambda d: patches(d)[place]["patch"]["value"]["typed_config"].update(fields)


def entry(place: int, **fields: Any) -> Edit:
    return lambda d: patches(d)[place]["patch"]["value"].update(fields)


def patch(place: int, **fields: Any) -> Edit:
    return lambda d: patches(d)[place]["patch"].update(fields)


def match(place: int, **fields: Any) -> Edit:
    def edit(document: Document) -> None:
        patches(document)[place]["match"] = deepcopy(patches(document)[place]["match"]) | fields

    return edit


def modes(**fields: Any) -> Edit:
    return lambda d: patches(d)[PROC]["patch"]["value"]["typed_config"]["processing_mode"].update(
        fields
    )


def added(kind: str, operation: str, apply_to: str = "HTTP_FILTER", context: str = "ANY") -> Edit:
    value = {"name": "added", "typed_config": {"@type": f"{HTTP}.{kind}"}}
    about = {"applyTo": apply_to, "match": {"context": context}}
    return lambda d: patches(d).append({**about, "patch": {"operation": operation, "value": value}})


def per_route(document: Document) -> None:
    disabled = {"@type": f"{HTTP}.ext_proc.v3.ExtProcPerRoute", "disabled": True}
    value = {"typed_per_filter_config": {"envoy.filters.http.ext_proc": disabled}}
    patch = {"operation": "MERGE", "value": value}
    patches(document).append({"applyTo": "HTTP_ROUTE", "patch": patch})


def swap(document: Document) -> None:
    every = patches(document)
    every[AUTHZ], every[PROC] = every[PROC], every[AUTHZ]


FAULTS: dict[str, tuple[Edit, str]] = {
    "failing open": (config(PROC, failure_mode_allow=True), "failure_mode_allow: lets answers"),
    "the other spelling": (config(AUTHZ, failureModeAllow=True), "failure_mode_allow: lets requ"),
    "a mode": (modes(response_body_mode="BUFFERED"), "response_body_mode: must be FULL_DUPLEX"),
    "override": (config(PROC, allow_mode_override=True), "allow_mode_override: lets a message"),
    "observing": (config(PROC, observability_mode=True), "observability_mode: ignores"),
    "a share": (config(AUTHZ, filter_enabled={}), "filter_enabled: lets requests pass unasked"),
    "shadow": (config(AUTHZ, shadow_mode=True), "shadow_mode: lets denied requests pass"),
    "switched off": (entry(PROC, disabled=True), "disabled: switches the filter off"),
    "no metadata": (config(PROC, metadata_options={}), "untyped: must name envoy.filters.http"),
    "routing by headers": (config(PROC, route_cache_action="CLEAR"), "must be RETAIN"),
    "a success": (config(PROC, status_on_error={"code": "OK"}), "'OK' must be an error"),
    "the order": (swap, "configPatches: must insert ext_authz and then ext_proc, once each"),
    "no ext_proc": (lambda d: patches(d).pop(PROC), "must insert ext_authz and then ext_proc"),
    "no ext_authz": (lambda d: patches(d).pop(AUTHZ), "must insert ext_authz and then ext_proc"),
    "twice": (lambda d: patches(d).append(patches(d)[PROC]), "and then ext_proc, once each"),
    "behind the router": (patch(PROC, operation="ADD"), "operation: must be INSERT_BEFORE"),
    "one port": (match(PROC, listener={"portNumber": 80}), "or some are left out"),
    "outbound": (match(AUTHZ, context="SIDECAR_OUTBOUND"), "must insert ext_authz and then"),
    "some pods": (
        lambda d: d["spec"]["workloadSelector"]["labels"].update(app="a"),
        "labels: app leaves out pods that have the sidecar",
    ),
    "other pods": (
        lambda d: d["spec"]["workloadSelector"]["labels"].update({"extproc.dev/injected": "no"}),
        "extproc.dev/injected must be true",
    ),
    "targets": (lambda d: d["spec"].update(targetRefs=[{}]), "targetRefs: leaves out pods"),
    "no cluster": (lambda d: patches(d).pop(CLUSTER), "no cluster is called 'extproc'"),
    "a cluster removed": (patch(CLUSTER, operation="REMOVE"), "removes a cluster"),
    "another cluster": (entry(CLUSTER, name="other"), "no cluster is called 'extproc'"),
    "forged": (
        config(MANAGER, early_header_mutation_extensions=[]),
        "early_header_mutation_extensions: must remove x-extproc-ja4",
    ),
    "forged, at one port": (
        match(MANAGER, listener={"portNumber": 80}),
        "must remove x-extproc-ja4",
    ),
    "forged, without a patch": (lambda d: patches(d).pop(MANAGER), "must remove x-extproc-ja4"),
    "upgrades": (config(MANAGER, upgrade_configs=[{}]), "upgrade_configs: lets upgraded"),
    "filters merged": (config(MANAGER, http_filters=[{}]), "adds filters behind the router"),
    "no manager": (patch(MANAGER, operation="REPLACE"), "REPLACE of a network filter is not"),
    "lua": (added("lua.v3.Lua", "INSERT_BEFORE"), "configPatches[4]: INSERT_BEFORE of Lua is not"),
    "lua inbound": (
        added("lua.v3.Lua", "INSERT_FIRST", context="SIDECAR_INBOUND"),
        "INSERT_FIRST of Lua is not known",
    ),
    "a limit behind ours": (
        added("local_ratelimit.v3.LocalRateLimit", "INSERT_BEFORE"),
        "LocalRateLimit is not known to be safe",
    ),
    "one of ours changed": (added("x.v3.X", "MERGE"), "MERGE of X is not known to be safe"),
    "a way beside": (
        added("x.v3.X", "ADD", apply_to="FILTER_CHAIN"),
        "configPatches[4]: ADD of a FILTER_CHAIN is not known to be safe",
    ),
    "another listener": (
        added("x.v3.X", "ADD", apply_to="LISTENER"),
        "ADD of a LISTENER is not known to be safe",
    ),
    "chains merged": (
        lambda d: patches(d).append(
            {
                "applyTo": "LISTENER",
                "patch": {"operation": "MERGE", "value": {"filterChains": [{}]}},
            }
        ),
        "MERGE of a LISTENER is not known to be safe",
    ),
    "a bootstrap": (
        added("x.v3.X", "MERGE", apply_to="BOOTSTRAP"),
        "MERGE of a BOOTSTRAP is not known to be safe",
    ),
    "off on a route": (per_route, "disabled: a route must not change the filter"),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_every_unsafe_edit_is_found(fault: str) -> None:
    edit, said = FAULTS[fault]
    found = all_problems([shipped(edit)])
    assert any(said in sentence for sentence in found), found
    assert all(sentence.startswith("EnvoyFilter extproc: spec") for sentence in found)


HARMLESS: dict[str, Edit] = {
    "nothing": lambda d: d,
    "every pod": lambda d: d["spec"].pop("workloadSelector"),
    "a certificate": config(AUTHZ, include_peer_certificate=True),
    "a limit before ours": added("local_ratelimit.v3.LocalRateLimit", "INSERT_FIRST"),
    "a filter elsewhere": added("lua.v3.Lua", "INSERT_BEFORE", context="SIDECAR_OUTBOUND"),
    "a listener's field": added("x.v3.X", "MERGE", apply_to="LISTENER"),
}


@pytest.mark.parametrize("what", HARMLESS)
def test_what_opens_nothing_is_not_complained_about(what: str) -> None:
    assert all_problems([shipped(HARMLESS[what])]) == []


def test_the_sentence_begins_with_the_place() -> None:
    [found] = all_problems([shipped(config(PROC, failure_mode_allow=True))])
    assert found == (
        "EnvoyFilter extproc: spec.configPatches[3].patch.value.typed_config.failure_mode_allow:"
        " lets answers pass unread when the sidecar fails; remove it"
    )


def test_another_filter_of_the_namespace_may_not_change_ours() -> None:
    other = shipped(lambda d: d["metadata"].update(name="team"))
    patches(other)[:] = [
        {"applyTo": "HTTP_FILTER", "patch": {"operation": "REMOVE"}, "match": {"context": "ANY"}}
    ]
    [said] = all_problems([shipped(), other])
    assert said.startswith("EnvoyFilter team: spec.configPatches[0]: REMOVE of a filter")
    other["metadata"]["namespace"] = "another"
    assert all_problems([shipped(), other]) == []
