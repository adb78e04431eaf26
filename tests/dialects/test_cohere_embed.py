"""Cohere's embeddings: only types that the tier's mutators can write."""

from collections.abc import Mapping
from typing import Any

import numpy as np
import orjson
import pybase64
import pytest

from extproc.dialects import CohereEmbed
from extproc.dialects.gate import Terms
from extproc.errors import UpstreamError
from extproc.mutators import Quantize
from extproc.prediction import KINDS, Query
from extproc.refusal import UNKNOWN_MODEL
from tests.corpus import body
from tests.dialects.tiers import OPEN, Edits, tier
from tests.dialects.ways import GRANTED, Swept, goes_on_as_it_is, keep_the_laws, left, refusing

EMBED, FIRST = CohereEmbed(), CohereEmbed(version=1)
ASKED: Mapping[str, Any] = {"model": "m", "texts": ["a", "b"]}
QUANTISED = ["int8", "uint8", "binary", "ubinary"]
MUTATED = Terms(KINDS)


def test_real_answers_keep_the_laws_and_a_known_request_goes_on_as_it_is() -> None:
    keep_the_laws(EMBED, "cohere_embed")
    keep_the_laws(FIRST, "cohere_embed_v1")
    goes_on_as_it_is(EMBED, "cohere_embed/request.json")


@pytest.mark.parametrize("dialect", [EMBED, FIRST])
@pytest.mark.parametrize(
    ("inputs", "count"),
    [
        ({"texts": ["a", "b"]}, 2),
        ({"texts": None, "images": ["data:image/png;base64,AA=="]}, 1),
        ({"inputs": [{"content": [{"type": "text", "text": "a"}]}] * 3}, 3),
    ],
)
def test_every_input_is_a_query(dialect: CohereEmbed, inputs: Any, count: int) -> None:
    asked = dialect.read(orjson.dumps({"model": "m", **inputs}), {}, GRANTED)
    assert asked.query == Query("m", inputs=count)
    assert len(asked.inputs) == count


@pytest.mark.parametrize(
    "inputs",
    [{}, {"texts": []}, {"texts": "a"}, {"texts": ["a"], "images": ["b"]}, {"inputs": [1]}],
)
def test_inputs_are_of_one_sort(inputs: Any) -> None:
    assert refusing(EMBED, {"model": "m", **inputs})


class TestTypes:
    @pytest.mark.parametrize("types", [None, ["float"], ["base64"], ["float", "base64"]])
    def test_what_mutators_can_write_passes(self, types: Any) -> None:
        assert not refusing(EMBED, {**ASKED, "embedding_types": types}, MUTATED)

    @pytest.mark.parametrize("kind", QUANTISED)
    def test_what_they_cannot_passes_only_where_embeddings_pass_untouched(self, kind: str) -> None:
        asked = {**ASKED, "embedding_types": ["float", kind]}
        words = "'embedding_types' can hold 'base64' and 'float'."
        assert refusing(EMBED, asked, MUTATED) == words
        assert refusing(EMBED, asked, Terms(())) == words
        assert not refusing(EMBED, asked, GRANTED)

    @pytest.mark.parametrize("types", ["float", [], [1], ["FLOAT"], ["float16"], [["float"]], {}])
    def test_other_types_are_refused(self, types: Any) -> None:
        assert "embedding_types" in refusing(EMBED, {**ASKED, "embedding_types": types})

    def test_version_1_has_no_types(self) -> None:
        assert "embedding_types" in refusing(FIRST, {**ASKED, "embedding_types": ["float"]})

    def test_a_quantised_answer_does_not_pass_where_mutators_have_a_say(self) -> None:
        document = body("cohere_embed/answer_quantised.json")
        mutated = OPEN | tier({"embedding": [Quantize(bits=8)]})
        tiers: list[Edits] = [mutated, {"text": None}]
        for edits in tiers:
            served = left(EMBED.answer(), document, edits)["embeddings"]
            assert served == {kind: [] for kind in QUANTISED}
        assert left(EMBED.answer(), document, OPEN)["embeddings"]["int8"] == [
            [17, -80],
            [-128, 127],
        ]

    @pytest.mark.parametrize("wrong", [0.5, [0.5], ["a"], [[1]], {"a": 1}, "AA=="])
    def test_what_is_no_array_of_whole_numbers_is_unreadable(self, wrong: Any) -> None:
        with pytest.raises(UpstreamError):
            left(EMBED.answer(), orjson.dumps({"embeddings": {"int8": [wrong]}}), OPEN)


def test_both_forms_of_a_vector_tell_the_same_numbers() -> None:
    edits = OPEN | tier({"embedding": [Quantize(bits=8)]})
    served = left(EMBED.answer(), body("cohere_embed/answer.json"), edits)["embeddings"]
    decoded = [np.frombuffer(pybase64.b64decode(text), "<f4") for text in served["base64"]]
    assert np.array(decoded).tolist() == np.array(served["float"], "<f4").tolist()


@pytest.mark.parametrize("version", [1, 2])
def test_who_may_see_text_alone_sees_no_vector(version: int) -> None:
    served = orjson.loads(Swept.read(f"cohere_embed_v{version}").served())
    vectors = served["embeddings"]
    assert (vectors if version == 1 else vectors["float"]) == [None, None]
    assert served["texts"] == ["one", "two"]


@pytest.mark.parametrize("dialect", [EMBED, FIRST])
def test_an_answer_of_the_other_version_is_unreadable(dialect: CohereEmbed) -> None:
    other = "cohere_embed/answer.json" if dialect is FIRST else "cohere_embed_v1/answer.json"
    with pytest.raises(UpstreamError):
        left(dialect.answer(), body(other), OPEN)


def test_an_error_has_coheres_shape() -> None:
    assert orjson.loads(EMBED.error(UNKNOWN_MODEL)) == {"message": UNKNOWN_MODEL.message}
