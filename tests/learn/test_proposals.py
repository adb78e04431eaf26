"""What a field seems to be is judged by all that stands at its place."""

from typing import Any

import hypothesis.strategies as st
import orjson
import pytest
from hypothesis import given

from extproc.dialects import Generic
from extproc.dialects.declared import DeclaredKind, Flaw, declared, tree
from extproc.dialects.shape import Rewrite
from extproc.learn.proposals import propose
from tests.corpus import answers, sweep
from tests.dialects.documents import json_values

SECRET = "s3cret" * 8


def kinds(*samples: Any) -> dict[str, DeclaredKind]:
    return {proposal.path: proposal.kind for proposal in propose(samples)}


@pytest.mark.parametrize(
    ("samples", "found"),
    [
        ([{"probs": [0.7, 0.2, 0.1]}], {"probs[]": "probabilities"}),
        ([{"probs": [0.7, 0.2, 0.0995]}], {"probs[]": "probabilities"}),
        ([{"probs": [0.7, 0.2, 0.05]}], {"probs[]": "score"}),
        ([{"x": [1.2, -0.2]}], {"x[]": "score"}),
        ([[[0.5, 0.5], [0.25, 0.75]]], {"[][]": "probabilities"}),
        ([{"p": [0.5, 0.5]}, {"p": [0.5, 0.6]}], {"p[]": "score"}),
        ([{"v": [0.25 * at - 3 for at in range(16)]}], {"v[]": "embedding"}),
        ([{"v": [0.25] * 15}], {"v[]": "score"}),
        ([{"embedding": [0.25, -3.5]}], {"embedding[]": "embedding"}),
        ([{"tokenVectors": [[0.25, -3.5]]}], {"tokenVectors[][]": "embedding"}),
        ([{"a": 0.75, "b": 0.25}], {"*": "probabilities"}),
        (
            [{"r": {"tabby": 0.7, "lynx": 0.3}}, {"r": {"cat": 0.5, "x": 0.5}}],
            {"r.*": "probabilities"},
        ),
        (
            [{"r": {"tabby": 0.7, "lynx": 0.3}}, {"r": {"cat": 0.5}}],
            {"r.tabby": "score", "r.lynx": "score", "r.cat": "score"},
        ),
        (
            [[{"label": "a", "score": 0.75}, {"label": "b", "score": 0.25}]],
            {"[].label": "label", "[].score": "probabilities"},
        ),
        (
            [[{"label": "a", "score": 0.75}, {"label": "b", "score": 0.75}]],
            {"[].label": "label", "[].score": "score"},
        ),
        ([[{"label": "a", "score": 1.0}]], {"[].label": "label", "[].score": "score"}),
        ([{"confidence": 0.9}], {"confidence": "score"}),
        ([{"logit": 7}], {"logit": "score"}),
        ([{"price": 12.5}], {"price": "score"}),
        ([{"flagged": True}], {"flagged": "label"}),
        ([{"class": 3}], {"class": "label"}),
        ([[{"n": at} for at in range(9)]], {"[].n": "drop"}),
        ([{"answer": "42"}], {"answer": "text"}),
        ([{"x": "word " * 20}], {"x": "text"}),
        ([{"x": "tabby"}], {"x": "label"}),
        ([{"x": "0.9313"}], {"x": "drop"}),
        ([{"x": "0.93:281:cat"}], {"x": "drop"}),
        ([{"x": "QUJD" * 20}], {"x": "drop"}),
        ([{"reasoning_content": "hm"}], {"reasoning_content": "reasoning"}),
        ([{"prompt_tokens": 7}], {"prompt_tokens": "usage"}),
        ([{"cached_tokens": 7}], {"cached_tokens": "usage_detail"}),
        (
            [{"model": "m-1", "deployedModelId": "7"}],
            {"model": "identity", "deployedModelId": "keep"},
        ),
        (
            [{"id": "r1", "index": 3, "request_id": "x"}],
            {"id": "keep", "index": "keep", "request_id": "keep"},
        ),
        (
            [{"total_time": 1.5, "eval_ms": 3, "created": 7}],
            {"total_time": "drop", "eval_ms": "drop", "created": "drop"},
        ),
        ([{"sentiment": 0.5}], {"sentiment": "score"}),
        ([{"x": [1, "a"]}], {"x[]": "drop"}),
        ([{"x": 1}, {"x": [1]}], {"x": "drop"}),
        ([{"x": None, "y": [], "z": {}}], {}),
        ([5], {}),
        ([{"a b": 1.5, "c": "t"}], {"c": "label"}),
        ([{"a b": 1.5, "c d": 2.5}], {"*": "score"}),
        ([{f"k{at}": 1.5 for at in range(65)}], {"*": "score"}),
        ([{"token_ids": [5, 6, 7, 5]}], {"token_ids[]": "drop"}),
    ],
)
def test_values_say_what_they_are(samples: list[Any], found: dict[str, DeclaredKind]) -> None:
    assert kinds(*samples) == found


def test_two_vectors_beside_the_same_labels_are_left_to_people() -> None:
    sample = {"classes": ["a", "b"], "p": [0.5, 0.5], "q": [0.25, 0.75]}
    assert kinds(sample) == {"classes[]": "label", "p[]": "probabilities", "q[]": "drop"}


def test_nesting_has_a_bound() -> None:
    deep: Any = 0.5
    for _ in range(20):
        deep = {"a": deep}
    assert kinds(deep) == {}


def test_no_value_is_told() -> None:
    sample = {
        "a": SECRET,
        "b": [SECRET[:6], "s3cret-2"],
        "c": {"s3cret 1": 0.3133731337, "s3cret 2": 0.6866268663},
        "d": [0.3133731337, 31337.5],
        "e": {f"s3cret{at}": 31337 for at in range(99)},
    }
    told = "".join(f"{p.path} {p.evidence}" for p in propose([sample]))
    assert "s3cret" not in told
    assert "3133" not in told


@given(st.lists(json_values, min_size=1, max_size=3))
def test_whatever_the_samples_are_the_rules_fit_each_other_and_the_samples(
    samples: list[Any],
) -> None:
    proposed = kinds(*samples)
    found = declared(proposed)
    assert not isinstance(found, Flaw)
    node = tree(found, each=False)
    if any(kind != "drop" for kind in proposed.values()) and all(
        isinstance(sample, dict) for sample in samples
    ):
        node.rewrite(samples[0], Rewrite({}, "m"), "")


@pytest.mark.parametrize("dialect", ["tensorflow_rest", "sagemaker", "vertex_predict", "kserve_v2"])
def test_real_answers_give_rules_that_load(dialect: str) -> None:
    for document in answers(dialect):
        proposed = kinds(orjson.loads(document))
        mistakes = [mistake.wrong for mistake in Generic(answer=proposed).mistakes(())]
        dropped = all(kind == "drop" for kind in proposed.values())
        assert mistakes == ["nothing of an answer would pass"] * dropped


def test_an_answer_full_of_secrets_gives_them_no_way_out() -> None:
    for exchange in sweep({"generic", "vertex_predict", "sagemaker"}).values():
        if "text" not in exchange["answer"]:
            told = [p.evidence for p in propose([exchange["answer"]])]
            assert "s3cret" not in str(told)
