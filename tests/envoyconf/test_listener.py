from dataclasses import replace
from datetime import timedelta

from extproc.envoyconf.bootstrap import bootstrap
from extproc.envoyconf.settings import Socket, parse_upstream
from tests.envoyconf import shipped


def test_every_path_has_the_one_route() -> None:
    host = shipped.virtual_host(shipped.document())

    assert host["domains"] == ["*"]
    assert [route["match"] for route in host["routes"]] == [{"prefix": "/"}]


def test_no_path_is_read_in_two_ways() -> None:
    manager = shipped.manager(shipped.document())

    assert manager["normalize_path"] is True
    assert manager["merge_slashes"] is True
    assert manager["path_with_escaped_slashes_action"] == "REJECT_REQUEST"
    underscores = manager["common_http_protocol_options"]["headers_with_underscores_action"]
    assert underscores == "REJECT_REQUEST"


def test_what_a_client_says_of_itself_is_not_believed() -> None:
    manager = shipped.manager(shipped.document())

    assert manager["use_remote_address"] is True
    # Empty, it would trust every private address, and so the whole cluster.
    assert manager["internal_address_config"]["cidr_ranges"] == [
        {"address_prefix": "255.255.255.255", "prefix_len": 32}
    ]


def test_what_a_client_says_of_its_certificate_is_taken_out() -> None:
    manager = shipped.manager(shipped.document())

    # SANITIZE is the default, which is left out.
    assert manager.get("forward_client_cert_details", "SANITIZE") == "SANITIZE"


def test_no_upgrade_and_no_interim_answer_passes() -> None:
    document = shipped.document()

    assert "upgrade_configs" not in shipped.manager(document)
    assert "upgrade_configs" not in shipped.route(document)["route"]
    assert "proxy_100_continue" not in shipped.manager(document)


def test_the_model_may_think_for_as_long_as_the_settings_say() -> None:
    gateway = replace(shipped.GATEWAY, stream_idle=timedelta(hours=1))
    document = bootstrap(gateway)

    assert shipped.manager(document)["stream_idle_timeout"] == "3600s"
    assert shipped.route(document)["route"]["idle_timeout"] == "3600s"
    assert shipped.route(document)["route"]["timeout"] == "0s"


def test_the_client_does_not_choose_the_host_it_reaches() -> None:
    document = bootstrap(replace(shipped.GATEWAY, upstream=parse_upstream("http://models:9000")))

    assert shipped.route(document)["route"]["host_rewrite_literal"] == "models:9000"


def test_nobody_is_asked_for_a_compressed_answer() -> None:
    removed = shipped.virtual_host(shipped.document())["request_headers_to_remove"]

    assert removed == ["accept-encoding", "grpc-accept-encoding"]


def test_it_listens_where_it_is_told_and_reads_little_at_once() -> None:
    document = bootstrap(replace(shipped.GATEWAY, listen=Socket("::1", 0)))
    listener = shipped.listener(document)

    assert listener["address"]["socket_address"] == {"address": "::1", "port_value": 0}
    assert listener["per_connection_buffer_limit_bytes"] == 256 << 10


def test_trailers_are_shown_to_the_sidecar() -> None:
    manager = shipped.manager(shipped.document())

    assert manager["http_protocol_options"]["enable_trailers"] is True
