"""Laws of the request gate, over random trees and requests; then rule by rule."""

import copy
from collections.abc import Callable, Collection, Mapping
from typing import Any

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from extproc.dialects.dialect import JsonDialect
from extproc.dialects.gate import (
    PASS,
    TAKEN,
    Alternatives,
    Changes,
    Each,
    Forced,
    Granted,
    Json,
    Object,
    Only,
    Repeatable,
    Rule,
    Taking,
    Terms,
    Unknown,
    Within,
    gate_of,
)
from extproc.dialects.lookalike import plain
from extproc.entitlement import Entitlement
from extproc.errors import ClientError
from extproc.prediction import Kind
from tests.corpus.exchanges import Recorded, recorded

SECRET = "s3cret"
GRANTED: tuple[Kind, ...] = ("logprobs",)
STRIP = Terms(GRANTED, unknown="strip")
REFUSE = Terms(GRANTED)

# A random tree, and requests that mostly fit it.

NAMES = ("seed", "kind", "top_k", "topK", "stop", "é", "*")
"""Two of them look alike."""
DISGUISES: tuple[Callable[[str], str], ...] = (
    str.upper,
    str.title,
    lambda name: f"_{name}",
    lambda name: name.replace("_", "-") + "\u200b",
    lambda name: "".join(chr(ord(one) + 0xFEE0) if one.isalpha() else one for one in name),
    lambda name: name[0] + "\u0301" + name[1:],
    lambda name: name.replace("o", "\u043e").replace("e", "\u0435") + "\0more",
)

scalars = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-9, 9),
    st.floats(-9, 9),
    st.sampled_from(["", SECRET, "x"]),
)
anything = st.recursive(
    scalars,
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.sampled_from(NAMES), inner),
    max_leaves=5,
)
leaf_rules: st.SearchStrategy[Rule] = st.one_of(
    st.just(PASS),
    st.just(Taking()),
    st.just(Alternatives()),
    st.builds(Granted, st.sampled_from(["logprobs", "text"])),
    st.builds(Only, st.lists(scalars, min_size=1, max_size=3).map(tuple)),
    st.builds(Forced, anything),
    st.builds(Within, st.none() | st.integers(-3, 0), st.none() | st.integers(1, 3)),
    st.builds(Repeatable),
    st.builds(Repeatable, otherwise=st.just(Within(least=0.3))),
)


def _object(inner: st.SearchStrategy[Rule]) -> st.SearchStrategy[Object]:
    # No API has one field in two spellings.
    fields = st.dictionaries(st.sampled_from(NAMES), inner, min_size=1, max_size=4).filter(
        lambda known: len(set(map(plain, known))) == len(known)
    )

    @st.composite
    def built(draw: st.DrawFn) -> Object:
        known = draw(fields)
        forced = {name: rule.value for name, rule in known.items() if isinstance(rule, Forced)}
        return Object(known, forced if draw(st.booleans()) else {})

    return built()


rules: st.SearchStrategy[Rule] = st.recursive(
    leaf_rules, lambda inner: st.one_of(_object(inner), st.builds(Each, inner)), max_leaves=6
)
gates = _object(rules)
terms = st.builds(
    Terms,
    st.sampled_from([(), ("logprobs",), ("logprobs", "text")]),
    st.sampled_from(["refuse", "strip"]),
    st.booleans(),
    st.sampled_from([None, 0, 3]),
)


@st.composite
def fitting(draw: st.DrawFn, rule: Rule) -> Json:
    """A value that the rule mostly lets through, or changes."""
    match rule:
        case Object(fields):
            known = {
                name: draw(fitting(one)) for name, one in fields.items() if draw(st.booleans())
            }
            unknown = draw(st.dictionaries(st.text(max_size=3), anything, max_size=1))
            return draw(st.sampled_from([unknown | known, known, known, known]))
        case Each(inner):
            return draw(st.none() | st.lists(fitting(inner), max_size=3))
        case Within() | Alternatives():
            return draw(st.none() | st.integers(-9, 9) | st.floats(-9, 9))
        case Only(values):
            return draw(st.sampled_from(values))
        case _:
            return draw(anything)


asked = gates.flatmap(lambda gate: st.tuples(st.just(gate), fitting(gate)))


def admitted(
    gate: Object, value: Json, about: Terms, extra: Collection[str] = ()
) -> tuple[Json, dict[str, int]]:
    changes = Changes(about)
    return gate.admit(value, changes, "", extra), changes.counts


def outcome(gate: Object, value: Json, about: Terms) -> tuple[Json, dict[str, int]] | None:
    try:
        return admitted(gate, value, about)
    except ClientError:
        return None


def written(value: Json) -> bytes:
    return orjson.dumps(value, option=orjson.OPT_SORT_KEYS)


def strangers(value: Json, rule: Rule) -> list[str]:
    """Names in objects of the tree that the tree does not name."""
    match value, rule:
        case dict(), Object(fields):
            own = [name for name in value if name not in fields]
            known = [(item, fields[name]) for name, item in value.items() if name in fields]
            return own + [one for item, inner in known for one in strangers(item, inner)]
        case list(), Each(inner):
            return [one for item in value for one in strangers(item, inner)]
        case _:
            return []


@given(asked, terms)
def test_what_goes_on_holds_no_field_that_the_tree_does_not_name(
    case: tuple[Object, Json], about: Terms
) -> None:
    gate, value = case
    found = outcome(gate, value, about)
    assert found is None or strangers(found[0], gate) == []


@given(asked, terms)
def test_it_is_the_same_object_where_nothing_is_counted_and_never_changed_in_place(
    case: tuple[Object, Json], about: Terms
) -> None:
    gate, value = case
    before = copy.deepcopy(value)
    found = outcome(gate, value, about)
    assert written(value) == written(before)
    if found is not None:
        after, counts = found
        assert (after is value) is (not counts)


@given(asked, terms)
def test_what_went_on_goes_on_again_as_it_is(case: tuple[Object, Json], about: Terms) -> None:
    gate, value = case
    found = outcome(gate, value, about)
    if found is not None:
        again, counts = admitted(gate, found[0], about)
        assert again is found[0]
        assert counts == {}


def places(rule: Rule, place: str = "") -> set[str]:
    """Every place of the tree."""
    match rule:
        case Object(fields):
            inside = (
                places(inner, f"{place}.{name}" if place else name)
                for name, inner in fields.items()
            )
            return {place, f"{place}.*" if place else "*"}.union(*inside)
        case Each(inner):
            return {place} | places(inner, f"{place}[]")
        case _:
            return {place}


@given(asked, terms)
def test_changes_are_counted_by_places_of_the_tree_alone(
    case: tuple[Object, Json], about: Terms
) -> None:
    gate, value = case
    found = outcome(gate, value, about)
    assert found is None or found[1].keys() <= places(gate)


@given(asked, terms, st.sampled_from(DISGUISES), st.data())
def test_a_name_that_looks_like_a_known_one_is_refused_even_where_unknown_ones_are_stripped(
    case: tuple[Object, Json],
    about: Terms,
    disguise: Callable[[str], str],
    data: st.DataObject,
) -> None:
    gate, value = case
    name = disguise(data.draw(st.sampled_from([*gate.fields])))
    if plain(name) and name not in gate.fields:
        with pytest.raises(ClientError):
            admitted(gate, {**value, name: 1}, about)


@given(st.text(max_size=8), anything, st.sampled_from(["refuse", "strip"]))
def test_a_name_goes_on_if_and_only_if_it_is_the_known_one(
    name: str, value: Json, unknown: Unknown
) -> None:
    gate = Object({"seed": PASS})
    found = outcome(gate, {name: value}, Terms((), unknown=unknown))
    if name == "seed":
        assert found == ({"seed": value}, {})
    elif unknown == "refuse" or plain(name) == "seed":
        assert found is None
    else:
        assert found == ({}, {"*": 1})


# Objects.


GATE = Object(
    {
        "model": PASS,
        "logprobs": Granted("logprobs"),
        "options": Object({"seed": PASS, "safe": Forced(value=True)}, {"safe": True}),
        "tools": Each(Object({"name": PASS})),
    }
)


def test_an_unknown_field_is_refused_by_name_or_stripped_and_counted() -> None:
    with pytest.raises(ClientError, match=r"Unrecognized request argument: 'best_of'\."):
        admitted(GATE, {"model": "m", "best_of": SECRET}, REFUSE)
    assert admitted(GATE, {"model": "m", "best_of": SECRET, "x": 1}, STRIP) == (
        {"model": "m"},
        {"*": 2},
    )
    inside: dict[str, Any] = {"tools": [{"name": "a"}, {"name": "b", "x": SECRET}]}
    with pytest.raises(ClientError, match=r"'tools\[\]\.x'") as refused:
        admitted(GATE, inside, REFUSE)
    assert SECRET not in str(refused.value)
    assert admitted(GATE, inside, STRIP) == (
        {"tools": [{"name": "a"}, {"name": "b"}]},
        {"tools[].*": 1},
    )


def test_a_long_name_is_cut_in_what_the_client_is_told() -> None:
    with pytest.raises(ClientError) as refused:
        admitted(GATE, {"x" * 1000: 1}, REFUSE)
    assert len(str(refused.value)) < 120


def test_what_the_policy_names_besides_goes_on_in_the_outermost_object_alone() -> None:
    value = {"best_of": {"x": [1]}}
    assert admitted(GATE, value, REFUSE, ("best_of",)) == (value, {})
    with pytest.raises(ClientError, match=r"'options\.best_of'"):
        admitted(GATE, {"options": value}, REFUSE, ("best_of",))
    with pytest.raises(ClientError, match="Best_Of"):
        admitted(GATE, {"Best_Of": 1}, REFUSE, ("best_of",))


def test_what_the_policy_names_besides_never_goes_past_a_rule() -> None:
    assert admitted(GATE, {"logprobs": True}, Terms(()), ("logprobs",)) == ({}, {"logprobs": 1})


def test_a_field_is_forced_where_it_is_not_asked_for_and_where_it_is() -> None:
    for given_, counts in [({}, 1), ({"safe": False}, 1), ({"safe": None}, 1), ({"safe": 1}, 1)]:
        assert admitted(GATE, {"options": given_}, REFUSE) == (
            {"options": {"safe": True}},
            {"options.safe": counts},
        )
    assert admitted(GATE, {"options": {"safe": True}}, REFUSE)[1] == {}


@pytest.mark.parametrize("value", [[], 1, "x", True])
def test_what_is_no_object_where_one_belongs_is_refused(value: Json) -> None:
    with pytest.raises(ClientError, match="'options' must be an object"):
        admitted(GATE, {"options": value}, REFUSE)
    with pytest.raises(ClientError, match="'' must be an object"):
        admitted(GATE, value, REFUSE)


def test_null_stands_for_an_object_or_an_array_but_never_for_the_whole_request() -> None:
    value = {"options": None, "tools": None}
    assert admitted(GATE, value, REFUSE) == (value, {})
    with pytest.raises(ClientError, match="must be an object"):
        admitted(GATE, None, REFUSE)


def test_of_two_spellings_that_the_api_has_a_request_uses_one() -> None:
    gate = Object({"topK": Within(most=3), "top_k": Within(most=3), "seed": PASS})
    assert admitted(gate, {"topK": 9, "seed": 1}, REFUSE)[0] == {"topK": 3, "seed": 1}
    assert admitted(gate, {"top_k": 9}, REFUSE)[0] == {"top_k": 3}
    with pytest.raises(ClientError, match=r"'topK' is given in two spellings"):
        admitted(gate, {"seed": 1, "topK": 1, "top_k": 2}, STRIP)


def test_a_known_name_and_what_looks_like_it_are_told_apart_from_others() -> None:
    assert GATE.resembles("model")
    assert GATE.resembles("Log_Probs")
    assert not GATE.resembles("best_of")


# Arrays.


def test_what_is_taken_out_leaves_its_array() -> None:
    rule = Each(Granted("text"))
    changes = Changes(Terms(()))
    assert rule.admit([1, 2], changes, "x") == []
    assert changes.counts == {"x[]": 2}


@pytest.mark.parametrize("value", [{}, "x", 0, False])
def test_what_is_no_array_where_one_belongs_is_refused(value: Json) -> None:
    with pytest.raises(ClientError, match="'tools' must be an array"):
        admitted(GATE, {"tools": value}, REFUSE)


# Values.


def one(rule: Rule, value: Json, about: Terms = REFUSE) -> tuple[Json, Mapping[str, int]]:
    changes = Changes(about)
    return rule.admit(value, changes, "x"), changes.counts


def test_what_a_tier_does_not_grant_is_taken_out() -> None:
    assert one(Granted("text"), SECRET) == (TAKEN, {"x": 1})
    assert one(Granted("logprobs"), 5) == (5, {})
    assert one(Granted("logprobs", Within(most=3)), 5) == (3, {"x": 1})
    assert one(Taking(), SECRET) == (TAKEN, {"x": 1})


@pytest.mark.parametrize("value", [1, 1.0, "1", None, [True], {"a": 1}, [1]])
def test_only_the_very_value_is_one_of_the_values(value: Json) -> None:
    for rule in (Only((True, {"a": True}, "x")), Only((1.5, ["1"]))):
        with pytest.raises(ClientError, match="'x' has a value that is not available"):
            one(rule, value)
    assert one(Only((False, value)), value) == (value, {})


@pytest.mark.parametrize(
    ("wanted", "value"), [(True, 1), (1, True), (1, 1.0), ({"a": [True]}, {"a": [1]}), (None, 0)]
)
def test_a_value_that_only_compares_equal_is_forced(wanted: Json, value: Json) -> None:
    after, counts = one(Forced(wanted), value)
    assert after is wanted
    assert counts == {"x": 1}
    same = copy.deepcopy(wanted)
    assert one(Forced(wanted), same) == (same, {})


def test_a_number_is_moved_into_its_bounds() -> None:
    rule = Within(least=0.3, most=2)
    assert one(rule, 0) == (0.3, {"x": 1})
    assert one(rule, 3) == (2, {"x": 1})
    for value in (0.3, 1, 2.0, None):
        assert one(rule, value) == (value, {})
    assert one(Within(), 10**30) == (10**30, {})


@pytest.mark.parametrize("value", [True, "1", [], {}])
def test_what_is_no_number_is_refused(value: Json) -> None:
    with pytest.raises(ClientError, match="'x' must be a number"):
        one(Within(), value)


def test_no_more_alternatives_are_asked_for_than_the_tier_shows() -> None:
    three = Terms((), alternatives=3)
    assert one(Alternatives(), 20, three) == (3, {"x": 1})
    assert one(Alternatives(), 2, three) == (2, {})
    assert one(Alternatives(), 20, Terms(())) == (20, {})


@pytest.mark.parametrize("about", [Terms(()), Terms((), alternatives=3)])
def test_the_whole_vocabulary_is_never_asked_for(about: Terms) -> None:
    """vLLM answers -1 with the log probability of every token."""
    assert one(Alternatives(), -1, about) == (0, {"x": 1})


def test_what_makes_a_draw_repeatable_is_under_another_rule_where_that_is_denied() -> None:
    rule = Repeatable(Within(most=9), otherwise=Within(least=0.3))
    denied = Terms((), repeatable=False)
    assert one(rule, 10) == (9, {"x": 1})
    assert one(rule, 0) == (0, {})
    assert one(rule, 0, denied) == (0.3, {"x": 1})
    assert one(Repeatable(), 7, denied) == (TAKEN, {"x": 1})


def test_what_is_changed_twice_in_one_place_counts_twice() -> None:
    gate = Object({"tools": Each(Object({"k": Within(most=1)}))})
    assert admitted(gate, {"tools": [{"k": 2}, {"k": 1}, {"k": 3}]}, REFUSE)[1] == {"tools[].k": 2}


# Whose gate it is.


def test_a_dialect_shows_its_gate_by_using_it() -> None:
    def read(body: bytes, parameters: Mapping[str, str], about: Terms) -> None:
        assert parameters["content-type"] == "application/json"
        assert parameters["model"] == ""
        GATE.admit(orjson.loads(body), Changes(about), "")
        raise ClientError("'model' must be a name.")

    assert gate_of(read) is GATE


def test_a_dialect_without_a_gate_shows_none() -> None:
    def read(body: bytes, parameters: Mapping[str, str], about: Terms) -> None:
        raise ClientError("This path takes no body.")

    assert gate_of(read) is None


@pytest.mark.parametrize(
    "one",
    [one for one in recorded() if isinstance(one.route.dialect, JsonDialect)],
    ids=lambda one: one.name,
)
def test_every_dialect_of_a_json_api_shows_its_gate(one: Recorded) -> None:
    """The configuration checks allow_request against it, and the documents list it."""
    assert gate_of(one.route.dialect.read) is not None


# How many tokens are written.

BOUNDED = Object(
    {
        "most": PASS,
        "least": PASS,
        "options": Object({"most": PASS, "seed": Repeatable()}),
        "limit": PASS,
    },
    bounded=("options.most", "limit"),
)
WITHIN = Terms((), entitlement=Entitlement(max_tokens=9), repeatable=False)


@pytest.mark.parametrize(
    ("said", "after"),
    [
        ({}, {"options": {"most": 9}}),
        ({"most": 1}, {"most": 1, "options": {"most": 9}}),
        ({"options": None}, {"options": {"most": 9}}),
        ({"options": {"most": None}}, {"options": {"most": 9}}),
        ({"options": {"seed": 1}}, {"options": {"most": 9}}),
        ({"options": {"most": 3}}, {"options": {"most": 3}}),
        ({"limit": 3}, {"limit": 3}),
        ({"limit": None}, {"limit": None, "options": {"most": 9}}),
    ],
)
def test_a_maximum_is_set_where_no_field_names_one(said: Json, after: Json) -> None:
    changes = Changes(WITHIN)
    assert BOUNDED.admit(said, changes, "") == after
    set_by_us = after.get("options", {}).get("most") == 9
    assert changes.counts.get("options", 0) == int(set_by_us)


def test_no_maximum_is_set_where_the_tenant_or_the_api_has_none() -> None:
    assert BOUNDED.admit({}, Changes(Terms(())), "") == {}
    assert Object({"most": PASS}).admit({}, Changes(WITHIN), "") == {}
    flat = Object({"most": PASS}, bounded=("most",))
    assert flat.admit({}, Changes(WITHIN), "") == {"most": 9}


OURS = Terms(GRANTED, imposed={"bias": {"7": 2.0}, "args": {"key": 1}})


@pytest.mark.parametrize("said", [{}, {"bias": None}, {"bias": {}}, {"args": {}, "bias": None}])
def test_a_field_that_is_ours_goes_on_with_our_value(said: Json) -> None:
    gate = Object({"bias": PASS, "args": Only((None,)), "inner": Object({"bias": PASS})})
    changes = Changes(OURS)
    body = {"inner": {"bias": 3}, **said}
    assert gate.admit(body, changes, "") == {"inner": {"bias": 3}, **OURS.imposed}
    assert changes.counts == {"bias": 1, "args": 1}


@pytest.mark.parametrize("value", [{"7": -100}, {"8": 0}, [], 0, False, ""])
def test_nobody_else_sets_a_field_that_is_ours(value: Json) -> None:
    """Planted: what survives of a client's value undoes ours, or measures it."""
    with pytest.raises(ClientError, match="'bias' has a value that is not available"):
        Object({"bias": PASS, "args": PASS}).admit({"bias": value}, Changes(OURS), "", ("bias",))
