import ssl
from dataclasses import replace
from pathlib import Path

import pytest

from extproc.envoyconf.bootstrap import bootstrap
from extproc.envoyconf.check import problems
from extproc.envoyconf.settings import Tls
from extproc.origin import JA4
from tests.e2e.authority import Authority
from tests.envoyconf import shipped
from tests.gateway.rig import rig

FORGED = f"GET / HTTP/1.1\nhost: a\n{JA4}: forged\nX-Extproc-JA4: again"
REMOVED = {"remove": JA4}


def test_in_the_clear_nobody_writes_it() -> None:
    document = shipped.document()
    [extension] = shipped.manager(document)["early_header_mutation_extensions"]
    assert extension["typed_config"]["mutations"] == [REMOVED]
    assert "listener_filters" not in shipped.listener(document)


def test_over_tls_envoy_alone_writes_it() -> None:
    document = bootstrap(replace(shipped.GATEWAY, tls=Tls("/tls/chain.pem", "/tls/key.pem")))
    [extension] = shipped.manager(document)["early_header_mutation_extensions"]
    removed, appended = extension["typed_config"]["mutations"]
    assert removed == REMOVED
    assert appended["append"] == {
        "header": {"key": JA4, "value": "%TLS_JA4_FINGERPRINT%"},
        "append_action": "OVERWRITE_IF_EXISTS_OR_ADD",
    }
    [inspector] = shipped.listener(document)["listener_filters"]
    assert inspector["typed_config"]["enable_ja4_fingerprinting"] is True
    assert problems(document) == []


# On a real Envoy, whose sidecar takes the field out of no request: the model server sees it.


@pytest.mark.e2e
async def test_what_a_client_forges_is_gone_in_the_clear(tmp_path: Path) -> None:
    async with rig(tmp_path) as envoy:
        envoy.upstream.script = lambda _, reply: reply.document(b"{}")
        assert b" 200 " in await envoy.ask(FORGED)
        [seen] = envoy.upstream.requests
        assert JA4 not in seen.headers


@pytest.mark.e2e
async def test_clients_that_shake_hands_differently_are_told_apart(tmp_path: Path) -> None:
    authority = Authority(tmp_path, "authority")

    def client() -> ssl.SSLContext:
        return ssl.create_default_context(cafile=str(authority.own.certificate))

    older, fewer = client(), client()
    older.maximum_version = ssl.TLSVersion.TLSv1_2
    older.set_ciphers("ECDHE-ECDSA-AES128-GCM-SHA256")
    fewer.set_ciphers("ECDHE+AESGCM")
    fewer.set_alpn_protocols(["http/1.1"])
    async with rig(tmp_path, Tls(*authority.issue("server", "127.0.0.1").files)) as envoy:
        envoy.upstream.script = lambda _, reply: reply.document(b"{}")
        for each in (client(), client(), older, fewer):
            assert b" 200 " in await envoy.ask(FORGED, tls=each)
        usual, same, old, few = [request.headers[JA4] for request in envoy.upstream.requests]
    assert usual == same
    assert len({usual, old, few}) == 3
    assert [usual[:3], old[:3], few[:3]] == ["t13", "t12", "t13"]
    assert few.split("_")[0].endswith("h1")
