"""SageMaker's containers: JSON, JSON lines and CSV, and the header fields that choose."""

from typing import Any

import orjson
import pytest

from extproc.dialects import SageMaker
from extproc.dialects.gate import Terms
from extproc.dialects.shape import Rewrite
from extproc.draw import Draw, Draws, Source
from extproc.errors import ClientError, UpstreamError
from extproc.mutators import LabelOnly, Round
from extproc.prediction import Prediction, Query
from extproc.refusal import UNKNOWN_MODEL, UPSTREAM_UNREADABLE
from extproc.rewriter import body_rewriter
from tests.corpus import answers, body
from tests.dialects.tiers import OPEN, Edits, is_untouched, served, tier

SAGEMAKER = SageMaker(columns=("label", "probabilities"))
ANSWER = SAGEMAKER.answer()
LABELS: Edits = {"label": None}
TOPS: Edits = {
    **LABELS,
    **tier({"probabilities": [LabelOnly()], "score": [Round(digits=0)], "embedding": []}),
}
JSON = {"content-type": "application/json", "model": "m"}
CSV = {"content-type": "text/csv", "model": "m"}


def rewritten(name: str, edits: Edits, dialect: SageMaker = SAGEMAKER) -> Any:
    return served(dialect.answer(), body(f"sagemaker/{name}.json"), edits)[0]


def framed(media_type: str, whole: bytes, run: Rewrite, dialect: SageMaker = SAGEMAKER) -> bytes:
    rewriter = body_rewriter(dialect.answers()[media_type], {}, run, 1 << 20)
    return b"".join([*filter(None, rewriter.feed(whole)), *filter(None, rewriter.finish())])


class TestRequest:
    @pytest.mark.parametrize("name", ["hf", "built_in"])
    def test_json_of_known_fields_goes_on(self, name: str) -> None:
        original = body(f"sagemaker/request_{name}.json")
        asked = SAGEMAKER.read(original, JSON, Terms(()))
        assert asked.body is original
        assert asked.query == Query("m", inputs=2)
        assert len(asked.inputs) == 2

    def test_one_text_is_one_input(self) -> None:
        assert SAGEMAKER.read(b'{"inputs":"a"}', JSON, Terms(())).inputs == ["a"]

    def test_csv_has_an_input_a_line(self) -> None:
        original = b"1.5,2.5\n3.5,4.5\n"
        asked = SAGEMAKER.read(original, CSV, Terms(()))
        assert asked.body is original
        assert asked.query == Query("m", inputs=2)
        assert asked.inputs == [[1.5, 2.5], [3.5, 4.5]]

    @pytest.mark.parametrize(
        ("accept", "media_type", "pinned"),
        [
            ("", "application/json", "application/json"),
            ("", "text/csv", "text/csv"),
            ("*/*", "text/csv", "text/csv"),
            ("application/json", "text/csv", "application/json"),
            ("text/csv", "application/json", "text/csv"),
            ("application/x-npy, Text/CSV;q=0.5", "application/json", "text/csv"),
            ("application/jsonlines;verbose=true", "application/json", "application/jsonlines"),
        ],
    )
    def test_accept_goes_on_as_one_type_that_can_be_read(
        self, accept: str, media_type: str, pinned: str
    ) -> None:
        sent = b"1.5\n" if media_type == "text/csv" else b'{"inputs":"a"}'
        fields = {"content-type": media_type, "accept": accept}
        asked = SAGEMAKER.read(sent, fields, Terms(()))
        assert asked.set_headers == {"accept": pinned}
        assert pinned in SAGEMAKER.answers()

    @pytest.mark.parametrize(
        "accept",
        [
            "application/x-npy",
            "application/x-recordio-protobuf",
            "image/png",
            "tensor/*",
            ",",
            "json",
        ],
    )
    def test_what_cannot_be_read_is_not_asked_for(self, accept: str) -> None:
        if accept == ",":  # a list of nothing asks for nothing in particular
            assert SAGEMAKER.read(
                b'{"inputs":"a"}', JSON | {"accept": accept}, Terms(())
            ).set_headers
            return
        with pytest.raises(ClientError, match="'accept'"):
            SAGEMAKER.read(b'{"inputs":"a"}', JSON | {"accept": accept}, Terms(()))

    @pytest.mark.parametrize("name", ["target-model", "inference-component"])
    def test_a_header_field_may_name_the_model_where_the_path_does_not(self, name: str) -> None:
        fields = {"content-type": "application/json", f"x-amzn-sagemaker-{name}": "other.tar.gz"}
        asked = SAGEMAKER.read(b'{"inputs":"a"}', fields, Terms(()))
        assert asked.query.model == "other.tar.gz"
        with pytest.raises(ClientError, match="more than one model"):
            SAGEMAKER.read(b'{"inputs":"a"}', fields | {"model": "m"}, Terms(()))

    @pytest.mark.parametrize(
        "name",
        ["target-variant", "target-container-hostname", "enable-explanations", "custom-attributes"],
    )
    def test_header_fields_that_choose_what_answers_are_refused(self, name: str) -> None:
        field = f"x-amzn-sagemaker-{name}"
        assert field in SAGEMAKER.HEADERS
        with pytest.raises(ClientError, match=field):
            SAGEMAKER.read(b'{"inputs":"a"}', JSON | {field: "x"}, Terms(()))

    @pytest.mark.parametrize(
        "wrong",
        [
            {},
            {"inputs": []},
            {"instances": [], "inputs": "a"},
            {"inputs": "a", "parameters": {"function_to_apply": "none", "top_k": 50}},
            {"instances": [1], "configuration": {"num_samples": 50}},
        ],
    )
    def test_what_cannot_be_counted_or_is_not_known_is_refused(self, wrong: Any) -> None:
        with pytest.raises(ClientError):
            SAGEMAKER.read(orjson.dumps(wrong), JSON, Terms(()))


class TestAnswer:
    @pytest.mark.parametrize("document", answers("sagemaker"))
    def test_what_is_known_is_untouched(self, document: bytes) -> None:
        known, _ = served(ANSWER, document, OPEN)
        assert is_untouched(ANSWER, orjson.dumps(known), OPEN)
        assert "s3cret" not in str(known)

    @pytest.mark.parametrize(
        ("name", "after", "labels"),
        [
            (
                "linear_learner",
                {
                    "predictions": [
                        {"score": 0, "predicted_label": 0},
                        {"score": 1, "predicted_label": 1},
                    ]
                },
                {"predictions": [{"predicted_label": 0}, {"predicted_label": 1}]},
            ),
            (
                "multiclass",
                {"predictions": [{"score": [0, 0, 1], "predicted_label": 2}]},
                {"predictions": [{"predicted_label": 2}]},
            ),
            (
                "k_means",
                {"predictions": [{"closest_cluster": 1, "distance_to_cluster": 3}]},
                {"predictions": [{"closest_cluster": 1}]},
            ),
            ("cut_forest", {"scores": [{"score": 0}, {"score": 0}]}, {"scores": [{}, {}]}),
            ("pca", {"projections": [{"projection": [1, 2, 3]}]}, {"projections": [{}]}),
            ("topics", {"predictions": [{"topic_weights": [0, 0, 1]}]}, {"predictions": [{}]}),
            (
                "blazing_text",
                [{"label": ["__label__bakery"], "prob": [1]}],
                [{"label": ["__label__bakery"]}],
            ),
            (
                "hf",
                [{"label": "POSITIVE", "score": 1}, {"label": "NEGATIVE", "score": 1}],
                [{"label": "POSITIVE"}, {"label": "NEGATIVE"}],
            ),
            ("hf_all", [[{"label": "POSITIVE", "score": 1}]], [[{"label": "POSITIVE"}]]),
            ("hf_zero_shot", {"labels": ["refund"], "scores": [1]}, {"labels": ["refund"]}),
        ],
    )
    def test_every_algorithm_is_served_at_the_tier(
        self, name: str, after: Any, labels: Any
    ) -> None:
        assert rewritten(f"answer_{name}", TOPS) == after
        assert rewritten(f"answer_{name}", LABELS) == labels

    def test_an_array_may_rank_the_classes_of_one_input(self) -> None:
        ranking = SageMaker(ranking=True)
        document = b'[{"label":"a","score":0.2},{"label":"b","score":0.7}]'
        assert served(ranking.answer(), document, LABELS)[0] == [{"label": "b"}]
        assert served(ranking.answer(), b"[[1.5]]", OPEN)[0] == [[1.5]]

    def test_declared_outputs_are_read_instead(self) -> None:
        declared = SageMaker(outputs={"p": "probabilities"}, output="embedding")
        for document in ({"predictions": [{"p": [0.5], "score": 1}]}, {"p": [0.5], "score": 1}):
            after, dropped = served(declared.answer(), orjson.dumps(document), OPEN)
            assert dropped
            assert "score" not in str(after)
        assert served(declared.answer(), b"[[0.5,1.5]]", OPEN)[0] == [[0.5, 1.5]]

    @pytest.mark.parametrize(
        "document",
        [
            {"predictions": [{"score": {"a": 0.5}, "b": 1}, 5, "a", {"score": "0.5"}]},
            {"predictions": {"score": 1}},
            [{"label": 0.5}],
            [[{"label": "a", "score": 1.5}]],
            {"labels": ["a"], "scores": [0.5, 0.5]},
        ],
    )
    def test_another_shape_is_unreadable(self, document: Any) -> None:
        with pytest.raises(UpstreamError):
            served(ANSWER, orjson.dumps(document), OPEN)


class TestFramings:
    def test_lines_answer_one_input_each(self) -> None:
        seen: list[bytes] = []

        def watch(source: Source | None, prediction: Prediction) -> Prediction:
            assert source is not None
            seen.append(source.input.key)
            return prediction

        draws = Draws(Draw(b"k"), (b"one", b"two"))
        run = Rewrite({"score": watch, "label": None}, "m", draws)
        whole = body("sagemaker/lines.jsonl")
        assert framed("application/jsonlines", whole, run) == whole
        assert seen == [draws.of(0).input.key, draws.of(1).input.key]

    def test_lines_are_served_at_the_tier(self) -> None:
        after = framed("application/jsonl", body("sagemaker/lines.jsonl"), Rewrite(LABELS, "m"))
        assert after == b'{"predicted_label":0}\n{"predicted_label":1}\n'

    def test_csv_is_served_at_the_tier(self) -> None:
        xgboost = SageMaker(columns=("probabilities",))
        after = framed("text/csv", body("sagemaker/xgboost.csv"), Rewrite(TOPS, "m"), xgboost)
        assert after == b"0.0,1.0\n1.0,0.0\n"
        autopilot = SageMaker(columns=("label", "score", "probabilities"))
        whole = body("sagemaker/autopilot.csv")
        assert framed("text/csv", whole, Rewrite(OPEN, "m"), autopilot) == whole
        after = framed("text/csv", whole, Rewrite(LABELS, "m"), autopilot)
        assert after == b'no\n"yes, please"\n'

    def test_columns_nobody_declared_are_a_tensor(self) -> None:
        with pytest.raises(UpstreamError, match="nothing that may pass"):
            framed("text/csv", b"0.5\n", Rewrite(TOPS, "m"), SageMaker())


def test_an_error_is_worded_as_aws_words_it() -> None:
    for refusal, kind in (
        (UNKNOWN_MODEL, "ValidationError"),
        (UPSTREAM_UNREADABLE, "InternalFailure"),
    ):
        expected = {"__type": kind, "message": refusal.message}
        assert orjson.loads(SAGEMAKER.error(refusal)) == expected


def test_of_some_of_its_answers_only_places_name_the_classes() -> None:
    assert SAGEMAKER.positional()
