from dataclasses import replace

from extproc.envoyconf.bootstrap import bootstrap
from tests.envoyconf import shipped


def test_authorization_comes_first_and_the_router_last() -> None:
    names = [entry["name"] for entry in shipped.manager(shipped.document())["http_filters"]]

    assert names == [
        "envoy.filters.http.ext_authz",
        "envoy.filters.http.ext_proc",
        "envoy.filters.http.router",
    ]


def test_every_part_of_both_directions_goes_through_the_sidecar() -> None:
    assert shipped.config(shipped.document(), "ext_proc")["processing_mode"] == {
        "request_header_mode": "SEND",
        "request_body_mode": "FULL_DUPLEX_STREAMED",
        "request_trailer_mode": "SEND",
        "response_header_mode": "SEND",
        "response_body_mode": "FULL_DUPLEX_STREAMED",
        "response_trailer_mode": "SEND",
    }


def test_what_envoys_own_filter_for_tokens_found_out_is_told() -> None:
    told = shipped.config(shipped.document(), "ext_authz")["metadata_context_namespaces"]
    assert told == ["envoy.filters.http.jwt_authn"]


def test_a_failing_sidecar_is_answered_with_503() -> None:
    for name in ("ext_authz", "ext_proc"):
        config = shipped.config(shipped.document(), name)
        assert not config.get("failure_mode_allow")
        assert config["status_on_error"] == {"code": "ServiceUnavailable"}


def test_only_the_question_whether_to_serve_has_a_timeout() -> None:
    document = shipped.document()

    assert shipped.config(document, "ext_authz")["grpc_service"]["timeout"] == "10s"
    assert shipped.config(document, "ext_proc")["grpc_service"] == {
        "envoy_grpc": {"cluster_name": "extproc"}
    }


def test_the_tenant_is_handed_over_the_verdict_back_and_the_model_is_not_timed() -> None:
    document = shipped.document()
    options = shipped.config(document, "ext_proc")["metadata_options"]

    assert options == {
        "forwarding_namespaces": {"untyped": ["envoy.filters.http.ext_authz"]},
        "receiving_namespaces": {"untyped": ["extproc"]},
    }
    assert shipped.config(document, "router")["suppress_envoy_headers"] is True


def test_the_sidecar_is_told_a_certificate_where_the_policy_knows_clients_by_it() -> None:
    told = bootstrap(replace(shipped.GATEWAY, peer_certificate=True))

    assert shipped.config(told, "ext_authz")["include_peer_certificate"] is True
    assert not shipped.config(shipped.document(), "ext_authz").get("include_peer_certificate")
