"""Arrays of tokens: whole and entry by entry they come out alike; unchanged they are the same."""

from typing import Any

import hypothesis.strategies as st
import orjson
import pytest
from hypothesis import given

from extproc.dialects import answers
from extproc.dialects.openai_logprobs import ENTRIES, Withheld, edited
from extproc.dialects.shape import ABSENT, Rewrite
from extproc.draw import Source
from extproc.errors import UpstreamError
from extproc.mutators import Drop, Floor, Round, TopK
from extproc.prediction import Logprobs, Prediction, Score, Token
from tests.dialects.tiers import Edits, tier

OPEN: Edits = {"logprobs": None}
CAPPED = tier({"logprobs": [TopK(k=1), Round(digits=1)]})
texts = st.text(st.characters(codec="utf-8"), max_size=4)
octets = st.lists(st.integers(0, 255), max_size=3) | st.none()
tokens = st.fixed_dictionaries(
    {"token": texts, "logprob": st.floats(-50, 0) | st.just(0)},
    optional={"bytes": octets, "x_rank": st.integers()},
)
entries = st.fixed_dictionaries(
    {"token": texts, "logprob": st.floats(-50, 0)},
    optional={
        "bytes": octets,
        "top_logprobs": st.lists(tokens, max_size=3) | st.none(),
        "x_rank": st.integers(),
    },
)
arrays = st.lists(entries | st.none(), max_size=4)
edits = st.sampled_from([OPEN, CAPPED, tier({"logprobs": [Drop()]}), {}])


def token(text: str, logprob: float, **more: Any) -> dict[str, Any]:
    return {"token": text, "logprob": logprob, "bytes": list(text.encode()), **more}


@given(arrays, edits)
def test_whole_and_entry_by_entry_are_the_same(array: list[Any], tier_: Edits) -> None:
    whole, single = Rewrite(tier_, "m"), Rewrite(tier_, "m")
    after = ENTRIES.rewrite(array, whole, "at")
    each = [ENTRIES.node.rewrite(entry, single, "at[]") for entry in array]
    assert orjson.dumps(after) == orjson.dumps([entry for entry in each if entry is not ABSENT])
    assert whole.dropped == single.dropped


full = st.builds(
    lambda one, others: {**one, "top_logprobs": others},
    st.fixed_dictionaries({"token": texts, "logprob": st.floats(-50, 0) | st.just(0)}).flatmap(
        lambda one: octets.map(lambda raw: {**one, "bytes": raw or []})
    ),
    st.lists(
        st.fixed_dictionaries(
            {"token": texts, "bytes": st.just([7]), "logprob": st.floats(-9, 0) | st.just(0)}
        ),
        max_size=3,
    ),
)
_EXTRA = {"token": "a", "logprob": -1.0, "bytes": [97], "x": "s3cret"}
wrongs = st.sampled_from(
    [
        {"bytes": [256]},
        {"logprob": 0.5},
        {"logprob": True},
        {"x_rank": "s3cret"},
        {"top_logprobs": [_EXTRA]},
    ]
)


@given(
    st.lists(full, min_size=4, max_size=9),
    st.sampled_from([OPEN, CAPPED, tier({"logprobs": [Floor(steps=10)]})]),
    st.none() | wrongs,
)
def test_entries_that_have_everything_are_looked_at_together(
    array: list[Any], tier_: Edits, wrong: dict[str, Any] | None
) -> None:
    array = [*array, {**array[0], **wrong}] if wrong else array
    told: list[Any] = []
    for at_once in (True, False):
        run = Rewrite(tier_, "m")
        try:
            after = (
                ENTRIES.rewrite(array, run, "at")
                if at_once
                else [ENTRIES.node.rewrite(entry, run, "at[]") for entry in array]
            )
        except UpstreamError as error:
            told.append(str(error))
        else:
            same = all(new is old for new, old in zip(after, array, strict=True))
            told.append((orjson.dumps(after), same))
    assert told[0] == told[1]


@given(arrays)
def test_what_nothing_changes_is_the_very_array(array: list[Any]) -> None:
    known = ENTRIES.rewrite(array, Rewrite(OPEN, "m"), "at")
    for same in (OPEN, tier({"logprobs": [TopK(k=9)]})):
        assert ENTRIES.rewrite(known, Rewrite(same, "m"), "at") is known


def test_unknown_members_go_where_the_rest_is_untouched() -> None:
    array = [token("a", -1, rank=3, top_logprobs=[token("a", -1), token("b", -2, logit=7)])]
    for same in (OPEN, tier({"logprobs": [TopK(k=9)]})):
        run = Rewrite(same, "m")
        assert ENTRIES.rewrite(array, run, "at") == [
            token("a", -1, top_logprobs=[token("a", -1), token("b", -2)])
        ]
        assert run.dropped == {"at[].*": 1, "at[].top_logprobs[].*": 1}


def test_an_array_that_may_not_pass_is_taken_out_entry_by_entry_or_emptied() -> None:
    run = Rewrite({}, "m")
    assert ENTRIES.rewrite([token("a", -1), None], run, "at") == [None]
    assert Withheld().rewrite([token("a", -1)], run, "at") == []
    assert run.dropped == {"at[]": 1, "at": 1}
    assert answers.at_once(Withheld().steps([token("a", -1)], Rewrite({}, "m"), "at")) == []
    assert Withheld().rewrite([token("a", -1)], Rewrite(OPEN, "m"), "at") == [token("a", -1)]


def test_what_a_mutator_leaves_as_it_is_is_the_very_array() -> None:
    array = [token("a", -1, top_logprobs=[token("a", -1), token("b", -2)])] * 20
    assert ENTRIES.rewrite(array, Rewrite(tier({"logprobs": [TopK(k=9)]}), "m"), "at") is array


def test_what_is_empty_already_is_checked_and_passes() -> None:
    run = Rewrite({}, "m")
    for nothing in (b"[]", b"null"):
        value = orjson.loads(nothing)
        assert Withheld().rewrite(value, run, "at") is value
    for wrong in (b"{}", b'""', b"0", b"false"):
        with pytest.raises(UpstreamError, match="not an array"):
            Withheld().rewrite(orjson.loads(wrong), run, "at")
    assert not run.dropped


@pytest.mark.parametrize("wrong", ["a", 1, {}, True])
def test_entries_are_an_array(wrong: Any) -> None:
    with pytest.raises(UpstreamError, match="at is not an array"):
        ENTRIES.rewrite(wrong, Rewrite(OPEN, "m"), "at")


@pytest.mark.parametrize(
    "wrong",
    [
        "a",
        [],
        {"token": "a"},
        {"logprob": -1},
        {"token": 97, "logprob": -1},
        {"token": "a", "logprob": "-1"},
        {"token": "a", "logprob": True},
        {"token": "a", "logprob": -1, "bytes": "YQ=="},
        {"token": "a", "logprob": -1, "bytes": 97},
        {"token": "a", "logprob": -1, "bytes": [97, True]},
        {"token": "a", "logprob": -1, "bytes": [256]},
        {"token": "a", "logprob": -1, "bytes": [-1]},
        {"token": "a", "logprob": -1, "bytes": [[97]]},
        {"token": "a", "logprob": -1, "bytes": {"0": 97}},
        {"token": "a", "logprob": -1, "bytes": {}},
        {"token": "a", "logprob": -1, "bytes": ""},
    ],
)
@pytest.mark.parametrize("tier_", [OPEN, CAPPED])
def test_one_that_is_no_token_makes_all_unreadable(wrong: Any, tier_: Edits) -> None:
    for array in ([token("b", -1), wrong], [token("b", -1, top_logprobs=[token("b", -1), wrong])]):
        with pytest.raises(UpstreamError):
            ENTRIES.rewrite(array, Rewrite(tier_, "m"), "at")


def test_a_mutator_that_answers_with_another_kind_is_our_own_fault() -> None:
    def confused(prediction: Prediction) -> Prediction:
        return Score(0.5)

    with pytest.raises(TypeError, match="Score"):
        edited(Logprobs(Token("a", -1.0), ()), confused)


def test_what_a_mutator_withholds_is_taken_out_and_counted() -> None:
    def choosy(_source: Source | None, prediction: Prediction) -> Prediction | None:
        assert isinstance(prediction, Logprobs)
        return prediction if prediction.chosen.text == "b" else None

    run = Rewrite({"logprobs": choosy}, "m")
    array = [token("a", -1), None, token("b", -2)]
    assert ENTRIES.rewrite(array, run, "at") == [None, token("b", -2)]
    assert run.dropped == {"at[]": 1}
