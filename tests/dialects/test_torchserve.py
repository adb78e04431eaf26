"""TorchServe: labels are keys, and bodies are JSON or images."""

from typing import Any

import orjson
import pytest

from extproc.dialects import TorchServe
from extproc.dialects.gate import Terms
from extproc.errors import ClientError, UpstreamError
from extproc.mutators import LabelOnly, Round, TopK
from extproc.prediction import Query
from extproc.refusal import UNAVAILABLE, UNKNOWN_MODEL, UPSTREAM_UNREADABLE
from tests.corpus import answers, body
from tests.dialects.tiers import OPEN, Edits, is_untouched, served, tier

TORCH = TorchServe()
ANSWER = TORCH.answer()
TOPS = tier({"probabilities": [TopK(k=2), Round(digits=2)]})
PNG = b"\x89PNG\r\n\x1a\n\0\0"


class TestRequest:
    def test_json_of_known_fields_goes_on(self) -> None:
        original = body("torchserve/request.json")
        asked = TORCH.read(original, {"model": "m", "content-type": "application/json"}, Terms(()))
        assert asked.body is original
        assert asked.query == Query("m", inputs=1)

    def test_a_batch_is_counted(self) -> None:
        asked = TORCH.read(b'{"instances":[1,2,3]}', {}, Terms(()))
        assert asked.query.inputs == 3
        assert asked.inputs == [1, 2, 3]

    @pytest.mark.parametrize("media_type", ["image/png", "application/octet-stream; x=1"])
    def test_an_image_goes_on_as_it_is(self, media_type: str) -> None:
        asked = TORCH.read(PNG, {"model": "m", "content-type": media_type}, Terms(()))
        assert asked.body is PNG
        assert asked.query == Query("m", inputs=1)
        assert asked.inputs == (PNG,)

    @pytest.mark.parametrize("encoding", ["utf-8", "utf-16", "utf-16-be", "utf-32", "utf-8-sig"])
    def test_json_under_another_name_is_refused(self, encoding: str) -> None:
        hidden = '{"data":"a","return_logits":true}'.encode(encoding)
        for media_type in TORCH.MEDIA_TYPES - {"application/json"}:
            with pytest.raises(ClientError, match="not an image"):
                TORCH.read(hidden, {"content-type": media_type}, Terms(()))

    @pytest.mark.parametrize("wrong", [{"data": 1, "explain": True}, {"parameters": {}}, [1]])
    def test_an_unknown_field_is_refused(self, wrong: Any) -> None:
        with pytest.raises(ClientError):
            TORCH.read(orjson.dumps(wrong), {}, Terms(()))


class TestAnswer:
    @pytest.mark.parametrize("document", answers("torchserve"))
    def test_what_is_known_is_untouched(self, document: bytes) -> None:
        assert is_untouched(ANSWER, document, OPEN)

    def test_classes_are_one_prediction(self) -> None:
        after, dropped = served(ANSWER, body("torchserve/answer_image.json"), TOPS)
        assert after == {"tabby": 0.41, "tiger_cat": 0.35}
        assert dropped == {"*": 3}
        after, _ = served(ANSWER, body("torchserve/answer_batch.json"), TOPS)
        assert after == [{"tabby": 0.41, "tiger_cat": 0.35}, {"lynx": 0.9, "tabby": 0.02}]

    def test_keys_do_not_pass_without_their_numbers(self) -> None:
        after, _ = served(ANSWER, body("torchserve/answer_batch.json"), {"label": None})
        assert after == []

    def test_declared_outputs_are_read_instead_of_classes(self) -> None:
        declared = TorchServe(outputs={"label": "label", "p": "probabilities"}, output="score")
        edits: Edits = {**tier({"probabilities": [LabelOnly()], "score": []}), "label": None}
        item = {"label": "a", "p": [0.4, 0.6], "attributions": [0.5]}
        after, _ = served(declared.answer(), orjson.dumps([item, 0.5]), edits)
        assert after == [{"label": "a", "p": [0, 1]}, 0.5]
        after, _ = served(declared.answer(), orjson.dumps(item), edits)
        assert after == {"label": "a", "p": [0, 1]}

    @pytest.mark.parametrize(
        "document",
        [{"tabby": "0.4"}, {"predictions": [0.5]}, {"0.93": 0.5}, [{"a": [0.5]}], {"a": 1.7}],
    )
    def test_another_shape_is_unreadable(self, document: Any) -> None:
        with pytest.raises(UpstreamError):
            served(ANSWER, orjson.dumps(document), OPEN)


def test_an_error_is_worded_as_torchserve_words_it() -> None:
    kinds = {
        UNKNOWN_MODEL: "ModelNotFoundException",
        UNAVAILABLE: "ServiceUnavailableException",
        UPSTREAM_UNREADABLE: "InternalServerException",
    }
    for refusal, kind in kinds.items():
        assert orjson.loads(TORCH.error(refusal)) == {
            "code": refusal.status,
            "type": kind,
            "message": refusal.message,
        }
