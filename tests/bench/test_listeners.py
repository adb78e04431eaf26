from typing import Any

from extproc.envoyconf.bootstrap import Document, bootstrap
from extproc.envoyconf.check import problems
from extproc.envoyconf.clusters import SIDECAR
from extproc.envoyconf.http_filters import AUTHZ, PROC
from extproc.envoyconf.settings import Gateway, Socket, Upstream
from tests.bench.listeners import BARE, BARE_CHECK, CHECK, FLOOR, PLAIN, WHOLE, with_variants

SHIPPED = bootstrap(Gateway(upstream=Upstream(Socket("127.0.0.1", 8000))))


def filters(listener: Document) -> dict[str, Any]:
    """The cluster of each filter that has one, by its name."""
    manager = listener["filter_chains"][0]["filters"][0]["typed_config"]
    return {
        each["name"]: each["typed_config"]["grpc_service"]["envoy_grpc"]["cluster_name"]
        for each in manager["http_filters"]
        if "grpc_service" in each["typed_config"]
    }


def test_listeners_differ_in_their_filters_and_in_who_answers_them() -> None:
    resources = with_variants(SHIPPED, "/run/floor.sock")["static_resources"]

    assert {each["name"]: filters(each) for each in resources["listeners"]} == {
        PLAIN: {},
        CHECK: {AUTHZ: SIDECAR},
        WHOLE: {AUTHZ: SIDECAR, PROC: SIDECAR},
        BARE_CHECK: {AUTHZ: FLOOR},
        BARE: {AUTHZ: FLOOR, PROC: FLOOR},
    }


def test_the_listener_that_is_measured_is_the_one_that_ships() -> None:
    listeners = with_variants(SHIPPED, "/run/floor.sock")["static_resources"]["listeners"]

    (whole,) = (each for each in listeners if each["name"] == WHOLE)
    (shipped,) = SHIPPED["static_resources"]["listeners"]
    assert {**whole, "name": shipped["name"]} == shipped


def test_the_shipped_document_is_left_as_it_is() -> None:
    with_variants(SHIPPED, "/run/floor.sock")

    assert problems(SHIPPED) == []
