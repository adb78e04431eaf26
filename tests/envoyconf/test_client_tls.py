from dataclasses import replace
from typing import Any

from extproc.envoyconf.bootstrap import bootstrap
from extproc.envoyconf.check import problems
from extproc.envoyconf.settings import Tls
from tests.envoyconf import shipped


def context(tls: Tls) -> Any:
    document = bootstrap(replace(shipped.GATEWAY, tls=tls))
    assert problems(document) == []
    [chain] = shipped.listener(document)["filter_chains"]
    assert chain["transport_socket"]["name"] == "envoy.transport_sockets.tls"
    return chain["transport_socket"]["typed_config"]


def test_clients_connect_in_the_clear_unless_told_otherwise() -> None:
    [chain] = shipped.listener(shipped.document())["filter_chains"]
    assert "transport_socket" not in chain


def test_the_gateway_has_its_certificate() -> None:
    made = context(Tls("/tls/chain.pem", "/tls/key.pem"))
    common = made["common_tls_context"]
    assert common["tls_certificates"] == [
        {
            "certificate_chain": {"filename": "/tls/chain.pem"},
            "private_key": {"filename": "/tls/key.pem"},
        }
    ]
    assert common["alpn_protocols"] == ["h2", "http/1.1"]
    assert common["tls_params"] == {"tls_minimum_protocol_version": "TLSv1_2"}
    assert "validation_context" not in common
    assert not made.get("require_client_certificate")


def test_a_client_needs_a_certificate_of_an_authority_that_is_named() -> None:
    made = context(Tls("/tls/chain.pem", "/tls/key.pem", "/tls/clients.pem"))
    assert made["require_client_certificate"] is True
    validation = made["common_tls_context"]["validation_context"]
    assert validation == {"trusted_ca": {"filename": "/tls/clients.pem"}}
