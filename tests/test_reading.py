from dataclasses import replace
from typing import Any

import orjson
import pytest
from msgspec import structs

from extproc.dialects import KServeV2, MLflow, OpenAIChat, OpenAIEmbeddings, Status
from extproc.dialects.gate import Terms
from extproc.entitlement import Entitlement
from extproc.errors import ClientError
from extproc.fidelity import Fidelity
from extproc.policy import Policy
from extproc.reading import read
from extproc.validation import Contract, Domain, Size, TensorDomain
from tests.playbook import policy

CHAT = {"model": "m", "messages": []}
TOOLS = {"tools": [{"type": "function"}]}


def granted(entitlement: Entitlement, **more: Any) -> Policy:
    found = policy(**more)
    return replace(found, terms=structs.replace(found.terms, entitlement=entitlement))


def under(contract: Contract, found: Policy) -> Policy:
    return replace(found, route=replace(found.route, contract=contract))


def refusal(found: Policy, body: dict[str, Any], **parameters: str) -> tuple[int, str]:
    with pytest.raises(ClientError) as raised:
        read(found, orjson.dumps(body), parameters)
    return raised.value.refusal.status, raised.value.refusal.message


LOW = replace(granted(Entitlement()), fidelity=Fidelity("low", {}))


def test_the_terms_of_a_model_are_those_of_the_first_exception_that_fits() -> None:
    own = granted(Entitlement(tools=False), models=("m*",))
    found = replace(own, exceptions=((("m-1",), LOW), (("m-2", "m-3"), None), (("m-*",), own)))
    for model, name in (("m", "standard"), ("m-1", "low"), ("m-4", "standard")):
        applies, asked = read(found, orjson.dumps({**CHAT, "model": model}), {})
        assert (applies.fidelity.name, asked.query.model) == (name, model)
    for model in ("m-2", "m-3", "other", ""):
        with pytest.raises(ClientError):
            read(found, orjson.dumps({**CHAT, "model": model}), {})


def test_what_the_policy_refuses_an_exception_may_grant() -> None:
    own = granted(Entitlement(tools=False))
    found = replace(own, exceptions=((("m-1",), LOW),))
    applies, _ = read(found, orjson.dumps({**CHAT, **TOOLS, "model": "m-1"}), {})
    assert applies is LOW
    told = refusal(found, {**CHAT, **TOOLS, "model": "m-2"})
    assert told == (403, "The feature 'tools' is not available.")


def test_an_unknown_model_is_unknown_whatever_else_is_asked_of_it() -> None:
    own = granted(Entitlement(tools=False, streaming=False), models=("m",))
    for more in ({}, TOOLS, {"stream": True}):
        told = refusal(own, {**CHAT, **more, "model": "other"})
        assert told == (404, "The model does not exist.")


def test_a_kind_that_only_an_exception_grants_does_not_hide_the_model() -> None:
    infer = KServeV2(outputs={"p": "probabilities"})
    own = policy(infer, route=("POST", "/{model}"), kinds={"label": ()})
    other = policy(infer, route=("POST", "/{model}"), kinds={"probabilities": ()})
    found = replace(own, exceptions=((("m-1",), other),))
    tensor = {"name": "x", "datatype": "FP32", "shape": [1], "data": [1.0]}
    body = {"inputs": [tensor], "outputs": [{"name": "p"}]}
    assert read(found, orjson.dumps(body), {"model": "m-1"})[0] is other
    told = (400, "None of the requested outputs is available.")
    assert refusal(found, body, model="m-2") == told
    assert refusal(own, body, model="m-2") == told


def test_a_request_that_no_terms_can_read_is_refused_as_the_policy_does() -> None:
    found = replace(granted(Entitlement()), exceptions=((("a",), LOW), (("b",), None)))
    assert refusal(found, {"model": "a"}) == (400, "'messages' must be an array.")


def test_health_asks_no_model() -> None:
    found = policy(Status(), route=("GET", "/ready"), models=("m",))
    assert read(found, b"", {}) == (found, Status().read(b"", {}, Terms(())))


def test_streams_and_batches_are_refused_where_they_are_not_granted() -> None:
    own = granted(Entitlement(streaming=False))
    told = refusal(own, {**CHAT, "stream": True})
    assert told == (403, "The feature 'streaming' is not available.")
    many = granted(Entitlement(batch=1), dialect=OpenAIEmbeddings())
    told = refusal(many, {"model": "m", "input": ["a", "b"]})
    assert told == (403, "The feature 'batch' is not available.")


def test_the_contract_of_a_route_is_kept_for_every_model() -> None:
    own = replace(policy(), exceptions=((("m-1",), LOW),))
    contract = Contract(size=Size(array=2), fields={"messages.content": Domain(max_length=2)})
    found = under(contract, own)
    low = under(contract, LOW)
    found = replace(found, exceptions=((("m-1",), low),))
    for model in ("m", "m-1"):
        long = {"model": model, "messages": [{"content": "abc"}]}
        told = "'messages.content' must have at most 2 characters."
        assert refusal(found, long)[1] == told
        short = {"model": model, "messages": [{"content": "ab"}]}
        assert read(found, orjson.dumps(short), {})[1].query.model == model


def test_a_body_that_the_contract_could_not_look_into_does_not_go_on() -> None:
    contract = Contract(fields={"instances": Domain(max=1)})
    found = under(contract, policy(MLflow(), route=("POST", "/invocations")))
    with pytest.raises(ClientError) as raised:
        read(found, b"a,b\n1,2\n", {"content-type": "text/csv", "model": "m"})
    assert raised.value.refusal.status == 415
    assert read(found, b'{"instances":[1]}', {"model": "m"})[1].query.inputs == 1


def test_tensors_are_looked_at_where_no_document_is() -> None:
    contract = Contract(batch=2, tensors={"x": TensorDomain(max=1)})
    found = under(contract, policy(KServeV2(), route=("POST", "/{model}")))
    tensor = {"name": "x", "datatype": "FP32", "shape": [2], "data": [1.0, 0.5]}
    assert read(found, orjson.dumps({"inputs": [tensor]}), {"model": "m"})[1].query.inputs == 2
    told = refusal(found, {"inputs": [{**tensor, "data": [1.0, 1.5]}]}, model="m")
    assert told == (400, "'x' must be at most 1.")


def test_reading_costs_one_look_where_a_policy_has_no_exceptions() -> None:
    class Counting(OpenAIChat, frozen=True):
        def read(self, body: bytes, parameters: Any, terms: Terms) -> Any:
            looks.append(body)
            return super().read(body, parameters, terms)

    looks: list[bytes] = []
    found = granted(Entitlement(tools=False))
    found = replace(found, route=replace(found.route, dialect=Counting()))
    read(found, orjson.dumps(CHAT), {})
    assert len(looks) == 1
    refusal(found, {"model": "m"})
    assert len(looks) == 2
