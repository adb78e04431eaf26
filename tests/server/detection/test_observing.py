from dataclasses import replace

import numpy as np
import pytest

from extproc.admission import Denied
from extproc.cause import Cause
from extproc.detectors.excerpt import NOTHING
from extproc.dialects import OpenAIChat
from extproc.dialects.knobs import SEED
from extproc.events import RequestBody, RequestHeaders, ResponseBody
from extproc.exchange import Exchange
from extproc.origin import Origin
from extproc.policy import Policy
from extproc.prediction import Embedding, Probabilities
from extproc.refusal import INVALID_REQUEST, RATE_LIMITED, UNKNOWN_MODEL, UNKNOWN_ROUTE
from extproc.route import Route
from extproc.server.detection.observing import denied, ended, outcome
from extproc.server.protobuf import Handover
from extproc.shadow import ShadowExchange
from tests.playbook import ANSWER, ASK, headers, policy, told
from tests.server.detection.rig import NOW

HANDOVER = Handover("e1", "v1", "POST /v1/chat/completions", "acme", "key:1", arrival=NOW)
ROUTE = Route("POST", "/v1/chat/completions", OpenAIChat())
WHENCE = Origin("a1", "b2")


def watched(**given: object) -> Policy:
    return replace(policy(), watched=True, **given)  # type: ignore[arg-type]


def played(exchange: Exchange, machine: Exchange | ShadowExchange | None = None) -> None:
    for event in (
        RequestHeaders(end=False),
        RequestBody(ASK, end=True),
        headers(),
        ResponseBody(ANSWER, end=True),
    ):
        told(machine or exchange, event)


def test_an_exchange_is_known_by_whose_it_is_and_what_it_asked() -> None:
    exchange = Exchange(watched(), {})
    played(exchange)
    seen, sample = ended(exchange, HANDOVER)
    assert (seen.tenant, seen.principal, seen.route) == (
        "acme",
        "key:1",
        "POST /v1/chat/completions",
    )
    assert (seen.time, seen.model, seen.outcome, seen.queries) == (NOW, "m", "served", 1)
    assert seen.inputs == ([{"role": "user", "content": "s3cret"}],)
    assert sample.size > 0


def test_an_exchange_is_known_by_what_its_answer_was_and_where_it_came_from() -> None:
    from_where = replace(HANDOVER, network="a1", client="b2")
    exchange = Exchange(watched(), {})
    told(exchange, RequestHeaders(end=False))
    told(exchange, RequestBody(ASK[:-1] + b',"seed":7}', end=True))
    seen, _ = ended(exchange, from_where)
    assert (seen.network, seen.client, seen.knobs) == ("a1", "b2", SEED)
    assert exchange.told.noticed is not None
    exchange.told.noticed.see(Probabilities(np.array([0.2, 0.8])))
    exchange.told.noticed.see(Embedding(np.array([3.0, 4.0])))
    seen, _ = ended(exchange, from_where)
    assert [len(each) for each in (seen.labels, seen.margins, seen.norms)] == [1, 1, 1]


def test_what_is_kept_of_a_request_counts_as_held_to_its_end() -> None:
    exchange = Exchange(watched(), {})
    told(exchange, RequestHeaders(end=False))
    told(exchange, RequestBody(ASK, end=True))
    assert exchange.held == exchange.sample.size > 0
    told(exchange, headers())
    told(exchange, ResponseBody(ANSWER[:9], end=False))
    assert exchange.held >= exchange.sample.size


def test_where_nobody_watches_nothing_is_kept() -> None:
    exchange = Exchange(policy(), {})
    played(exchange)
    assert exchange.sample is NOTHING
    assert exchange.held == 0


def test_an_exchange_on_trial_is_known_as_the_one_that_decides() -> None:
    exchange = Exchange(watched(), {})
    shadow = ShadowExchange(exchange)
    played(exchange, shadow)
    seen, _ = ended(shadow, HANDOVER)
    assert (seen.outcome, seen.queries) == ("served", 1)


def test_one_that_was_refused_before_it_was_read_has_no_queries() -> None:
    exchange = Exchange(watched(), {})
    exchange.refuse(INVALID_REQUEST)
    seen, sample = ended(exchange, HANDOVER)
    assert (seen.outcome, seen.queries, seen.inputs, sample) == ("refused", 0, (), NOTHING)


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("served", "served"),
        ("cut", "served"),
        ("unfinished", "served"),
        ("rate_limit_exceeded", "limited"),
        ("challenged", "limited"),
        ("tenant_stopped", "limited"),
        ("suspected", "failed"),
        ("overloaded", "failed"),
        ("upstream_error", "failed"),
        ("bad_gateway", "failed"),
        ("feature_tools", "refused"),
        ("whatever", "refused"),
    ],
)
def test_outcomes_are_of_four_kinds(name: str, kind: str) -> None:
    assert outcome(name) == kind


def test_a_denial_is_noticed_of_whoever_is_known_and_whence_it_came() -> None:
    seen = denied(Denied(RATE_LIMITED, ROUTE, "acme", "key:1"), NOW, lambda: WHENCE)
    assert seen is not None
    assert (seen.tenant, seen.principal, seen.outcome, seen.queries) == (
        "acme",
        "key:1",
        "limited",
        0,
    )
    assert (seen.network, seen.client) == ("a1", "b2")
    unknown = Denied(UNKNOWN_MODEL.called(Cause.MODEL_DENIED), ROUTE, "acme")
    assert denied(unknown, NOW, lambda: WHENCE) is not None


@pytest.mark.parametrize(
    "denial", [Denied(UNKNOWN_ROUTE, tenant="acme"), Denied(RATE_LIMITED, ROUTE)]
)
def test_a_stranger_adds_nothing_to_anybodys_profile(denial: Denied) -> None:
    asked: list[str] = []

    def whence() -> Origin:
        asked.append("whence")
        return WHENCE

    assert denied(denial, NOW, whence) is None
    assert asked == []
