"""Seldon Core v1: rows in arrays, or flat in a tensor."""

from typing import Any

import orjson
import pytest

from extproc.dialects import SeldonV1
from extproc.dialects.gate import Terms
from extproc.dialects.shape import Rewrite
from extproc.draw import Draw, Draws, Source
from extproc.errors import ClientError, UpstreamError
from extproc.mutators import LabelOnly, Round, Truncate
from extproc.prediction import Prediction, Query, Score
from extproc.refusal import UNKNOWN_MODEL
from tests.corpus import answers, body
from tests.dialects.tiers import OPEN, Edits, is_untouched, served, tier

SELDON = SeldonV1(output="probabilities")
ANSWER = SELDON.answer()
TOPS: Edits = {"label": None, **tier({"probabilities": [LabelOnly()]})}


def of(output: Any, tensor: dict[str, Any], edits: Edits) -> Any:
    document = orjson.dumps({"data": {"tensor": tensor}})
    return served(SeldonV1(output=output).answer(), document, edits)[0]["data"].get("tensor")


class TestRequest:
    @pytest.mark.parametrize("name", ["request", "request_tensor"])
    def test_rows_are_counted(self, name: str) -> None:
        original = body(f"seldon_v1/{name}.json")
        asked = SELDON.read(original, {"model": "m"}, Terms(()))
        assert asked.body is original
        assert asked.query == Query("m", inputs=2)
        assert asked.inputs == [[1.5, 2.5], [3.5, 4.5]]

    @pytest.mark.parametrize(
        "wrong",
        [
            {},
            {"data": {}},
            {"data": None},
            {"data": {"ndarray": []}},
            {"data": {"ndarray": [1], "tensor": {"shape": [1], "values": [1]}}},
            {"data": {"tensor": {"shape": [3], "values": [1]}}},
            {"data": {"tensor": {"shape": [], "values": [1]}}},
            {"data": {"tensor": {"shape": [0], "values": []}}},
            {"data": {"ndarray": [1], "tftensor": {}}},
            {"data": {"ndarray": [1]}, "meta": {"tags": {"explain": True}}},
            {"strData": "a"},
            {"jsonData": {}},
        ],
    )
    def test_what_cannot_be_counted_or_is_not_known_is_refused(self, wrong: Any) -> None:
        with pytest.raises(ClientError):
            SELDON.read(orjson.dumps(wrong), {}, Terms(()))


class TestAnswer:
    @pytest.mark.parametrize("document", answers("seldon_v1"))
    def test_what_tells_of_the_graph_goes_and_the_rest_is_untouched(self, document: bytes) -> None:
        known, dropped = served(ANSWER, document, OPEN)
        assert dropped == {"*": 1}  # meta
        assert "s3cret" not in str(known)
        assert is_untouched(ANSWER, orjson.dumps(known), OPEN)

    @pytest.mark.parametrize("document", answers("seldon_v1"))
    def test_rows_are_served_at_the_tier(self, document: bytes) -> None:
        after, _ = served(ANSWER, document, TOPS)
        rows = after["data"].get("ndarray") or after["data"]["tensor"]["values"]
        assert rows in ([[0, 1], [1, 0]], [0, 1, 1, 0])
        after, _ = served(ANSWER, document, {"label": None})
        assert after == {"data": {"names": ["t:0", "t:1"]}}


class TestTensor:
    def test_a_shorter_row_has_a_smaller_shape(self) -> None:
        cut = tier({"embedding": [Truncate(dimensions=2)]})
        tensor = {"shape": [2, 3], "values": [0.6, 0.0, 0.8, 3.0, 4.0, 0.0]}
        assert of("embedding", tensor, cut) == {"shape": [2, 2], "values": [1, 0, 3, 4]}

    def test_every_number_is_a_score(self) -> None:
        rounded = tier({"score": [Round(digits=0)]})
        for shape in ([2, 1], [2], [1, 2]):
            tensor = {"shape": shape, "values": [1.75, 2.25]}
            assert of("score", tensor, rounded) == {"shape": shape, "values": [2, 2]}
        assert of("score", {"shape": [], "values": [1.75]}, rounded) == {"shape": [], "values": [2]}

    def test_unknown_fields_go(self) -> None:
        tensor = {"shape": [1], "values": [1.5], "s3cret": 1}
        assert of("score", tensor, OPEN) == {"shape": [1], "values": [1.5]}

    @pytest.mark.parametrize("shape", [[0], [0, 3], [3, 0]])
    def test_nothing_stays_nothing(self, shape: list[int]) -> None:
        tensor: dict[str, Any] = {"shape": shape, "values": []}
        assert of("score", tensor, OPEN) == tensor

    def test_a_row_that_is_withheld_takes_the_tensor_with_it(self) -> None:
        def low(_source: Source | None, prediction: Prediction) -> Prediction | None:
            return prediction if isinstance(prediction, Score) and prediction.value < 2 else None

        assert of("score", {"shape": [2, 1], "values": [1.5, 2.5]}, {"score": low}) is None

    def test_each_row_draws_as_the_answer_to_its_input(self) -> None:
        seen: list[bytes] = []

        def watch(source: Source | None, prediction: Prediction) -> Prediction:
            assert source is not None
            seen.append(source.input.key)
            return prediction

        draws = Draws(Draw(b"k"), (b"one", b"two"))
        run = Rewrite({"score": watch}, "m", draws)
        tensor = {"shape": [2, 1], "values": [1.5, 2.5]}
        SeldonV1(output="score").answer().rewrite({"data": {"tensor": tensor}}, run, "")
        assert seen == [draws.of(0).input.key, draws.of(1).input.key]

    @pytest.mark.parametrize(
        "tensor",
        [
            {"shape": [3], "values": [1.5]},
            {"shape": [-1, -1], "values": [1.5]},
            {"shape": [True], "values": [1.5]},
            {"shape": [1] * 33, "values": [1.5]},
            {"shape": 1, "values": [1.5]},
            {"shape": [1]},
            {"values": [1.5]},
            {"shape": [1], "values": ["1.5"]},
            {"shape": [1], "values": [{"a": 1}]},
            [1.5],
        ],
    )
    def test_what_does_not_fill_its_shape_does_not_pass(self, tensor: Any) -> None:
        with pytest.raises(UpstreamError):
            of("score", tensor, OPEN)


def test_an_error_is_worded_as_seldon_words_it() -> None:
    assert orjson.loads(SELDON.error(UNKNOWN_MODEL)) == {
        "status": {
            "code": 404,
            "info": UNKNOWN_MODEL.message,
            "reason": "model_not_found",
            "status": "FAILURE",
        }
    }


def test_only_their_places_name_the_classes_of_declared_probabilities() -> None:
    assert SELDON.positional()
    assert not SeldonV1().positional()
