"""Law: of a request that is refused nothing goes on, however it is cut; and what is refused is
answered once, with one status and body that no value of the request is in.
"""

import itertools
from dataclasses import replace
from typing import Any

import msgspec
import orjson
from hypothesis import given
from hypothesis import strategies as st

from extproc.entitlement import Entitlement
from extproc.events import Action, RequestBody, RequestHeaders, Respond
from extproc.exchange import Exchange
from extproc.policy import Policy
from extproc.validation import Contract, Domain, Size
from tests.playbook import policy, told

SECRET = "s3cret"
maybe = st.integers(1, 3)
contracts = st.one_of(
    st.none(),
    st.builds(
        Contract,
        body=st.sampled_from([60, 200, 1 << 20]),
        size=st.builds(Size, depth=st.integers(2, 9), array=st.integers(3, 9), string=maybe),
        fields=st.fixed_dictionaries(
            {},
            optional={
                "messages": st.builds(Domain, max_length=maybe, characters=st.just("line")),
                "n": st.builds(Domain, max=maybe),
                "user": st.builds(Domain, values=st.just(("a",))),
            },
        ),
    ),
)
entitlements = st.builds(
    Entitlement,
    streaming=st.booleans(),
    tools=st.booleans(),
    choices=maybe,
    max_tokens=maybe,
)
values = st.recursive(
    st.sampled_from([None, True, 0, 1, 4, 1.5, "a", SECRET, f"{SECRET}\u200b", "m", "x"]),
    lambda inner: st.one_of(
        st.lists(inner, max_size=4), st.dictionaries(st.sampled_from(["role", "content"]), inner)
    ),
    max_leaves=6,
)
requests = st.builds(
    lambda needed, more: {**needed, **more},
    st.just({"model": "m", "messages": []}),
    st.dictionaries(
        st.sampled_from(
            ["model", "messages", "stream", "tools", "n", "max_tokens", "user", "unheard_of"]
        ),
        values,
    ),
)


def guarded(contract: Contract | None, entitlement: Entitlement) -> Policy:
    own = policy(models=("m",))
    terms = msgspec.structs.replace(own.terms, entitlement=entitlement)
    route = replace(own.route, contract=contract)
    own = replace(own, terms=terms, route=route)
    return replace(own, exceptions=((("x",), replace(own, models=("x",))),))


def answered(found: Policy, body: bytes, cuts: list[int]) -> list[Action]:
    machine = Exchange(found, {})
    actions = told(machine, RequestHeaders(end=False))
    edges = [0, *sorted(cut % (len(body) + 1) for cut in cuts), len(body)]
    for start, stop in itertools.pairwise(edges):
        actions += told(machine, RequestBody(body[start:stop], end=False))
    return actions + told(machine, RequestBody(b"", end=True))


@given(contracts, entitlements, requests, st.lists(st.integers(0, 999), max_size=4))
def test_of_what_is_refused_nothing_goes_on_and_no_value_comes_back(
    contract: Contract | None, entitlement: Entitlement, asked: dict[str, Any], cuts: list[int]
) -> None:
    found, body = guarded(contract, entitlement), orjson.dumps(asked)
    actions = answered(found, body, cuts)
    (action,) = actions
    if isinstance(action, Respond):
        assert SECRET.encode() not in action.body
        assert action.status in {400, 403, 404, 413}
    whole = answered(found, body, [])
    assert whole == actions
