"""Text Embeddings Inference: bare arrays, each of them of what its path promises."""

from typing import Any

import orjson
import pytest

from extproc.canonical import digest
from extproc.dialects import (
    TeiEmbed,
    TeiEmbedAll,
    TeiEmbedSparse,
    TeiPredict,
    TeiRerank,
    TeiSimilarity,
)
from extproc.dialects.shape import Rewrite
from extproc.errors import UpstreamError
from extproc.mutators import LabelOnly, Quantize, Round, TopK
from extproc.prediction import Query
from extproc.refusal import OVERLOADED, RATE_LIMITED, UNKNOWN_MODEL, UPSTREAM_UNREADABLE
from extproc.rewriter import WHOLE, DocumentRewriter
from tests.corpus import body
from tests.dialects.tiers import MODEL, OPEN, Edits, tier
from tests.dialects.ways import CAP, GRANTED, Swept, goes_on_as_it_is, keep_the_laws, left, refusing

EMBED, ALL, SPARSE = TeiEmbed(model="bge"), TeiEmbedAll(), TeiEmbedSparse()
PREDICT, RERANK, SIMILARITY = TeiPredict(), TeiRerank(), TeiSimilarity()
BY_TAG = {
    str(d.__struct_config__.tag): d for d in (EMBED, ALL, SPARSE, PREDICT, RERANK, SIMILARITY)
}
ASKED: dict[str, dict[str, Any]] = {
    "tei_embed": {"inputs": ["a", "b"]},
    "tei_embed_all": {"inputs": ["a", "b"]},
    "tei_embed_sparse": {"inputs": ["a", "b"]},
    "tei_predict": {"inputs": [["a"], ["b", "c"]]},
    "tei_rerank": {"query": "q", "texts": ["a", "b"]},
    "tei_similarity": {"inputs": {"source_sentence": "q", "sentences": ["a", "b"]}},
}


@pytest.mark.parametrize("tag", BY_TAG)
def test_real_answers_keep_the_laws_and_a_known_request_goes_on_as_it_is(tag: str) -> None:
    keep_the_laws(BY_TAG[tag], tag)
    goes_on_as_it_is(BY_TAG[tag], f"{tag}/request.json")


def test_token_vectors_that_are_declared_embeddings_keep_the_laws() -> None:
    keep_the_laws(TeiEmbedAll(holds="embedding"), "tei_embed_all")


class TestRequest:
    @pytest.mark.parametrize("tag", BY_TAG)
    def test_every_input_is_a_query(self, tag: str) -> None:
        asked = BY_TAG[tag].read(orjson.dumps(ASKED[tag]), {}, GRANTED)
        assert asked.query == Query("bge" if tag == "tei_embed" else "", inputs=2)
        assert len(set(map(digest, asked.inputs))) == 2

    def test_the_path_may_name_the_model(self) -> None:
        asked = EMBED.read(orjson.dumps(ASKED["tei_embed"]), {"model": "gte"}, GRANTED)
        assert asked.query.model == "gte"

    @pytest.mark.parametrize(
        ("inputs", "count"),
        [("a", 1), (["a"], 1), (["a", "b"], 1), ([["a"]], 1), ([["a", "b"], ["c"], ["d"]], 3)],
    )
    def test_a_pair_of_texts_is_one_input_of_a_classifier(self, inputs: Any, count: int) -> None:
        asked = PREDICT.read(orjson.dumps({"inputs": inputs}), {}, GRANTED)
        assert (asked.query.inputs, len(asked.inputs)) == (count, count)

    @pytest.mark.parametrize(
        "inputs",
        [None, 7, {}, [], [[]], ["a", "b", "c"], [["a", "b", "c"]], ["a", ["b"]], [["a"], "b"]],
    )
    def test_what_is_neither_text_nor_pair_nor_batch_is_refused(self, inputs: Any) -> None:
        assert "'inputs'" in refusing(PREDICT, {"inputs": inputs})

    @pytest.mark.parametrize("tag", ["tei_predict", "tei_rerank"])
    def test_raw_scores_are_refused(self, tag: str) -> None:
        for harmless in (False, None):
            assert not refusing(BY_TAG[tag], ASKED[tag] | {"raw_scores": harmless})
        for raw in (True, 1, "true"):
            assert "raw_scores" in refusing(BY_TAG[tag], ASKED[tag] | {"raw_scores": raw})

    def test_lengths_are_refused(self) -> None:
        for harmless in (True, None):
            assert not refusing(EMBED, ASKED["tei_embed"] | {"normalize": harmless})
        assert "normalize" in refusing(EMBED, ASKED["tei_embed"] | {"normalize": False})

    @pytest.mark.parametrize("tag", BY_TAG)
    def test_what_is_not_known_is_refused(self, tag: str) -> None:
        assert "adapter" in refusing(BY_TAG[tag], ASKED[tag] | {"adapter": "x"})

    @pytest.mark.parametrize(
        ("tag", "asked"),
        [
            ("tei_rerank", {"query": ["q"], "texts": ["a"]}),
            ("tei_rerank", {"query": "q", "texts": "a"}),
            ("tei_rerank", {"query": "q", "texts": []}),
            ("tei_similarity", {}),
            ("tei_similarity", {"inputs": None}),
            ("tei_similarity", {"inputs": "a"}),
            ("tei_similarity", {"inputs": {"sentences": ["a"]}}),
            ("tei_similarity", {"inputs": {"source_sentence": "q", "sentences": []}}),
            ("tei_similarity", {"inputs": {"source_sentence": 1, "sentences": ["a"]}}),
            ("tei_embed", {}),
            ("tei_embed", {"inputs": []}),
        ],
    )
    def test_what_has_no_inputs_is_refused(self, tag: str, asked: Any) -> None:
        assert refusing(BY_TAG[tag], asked)


class TestAnswer:
    def test_vectors_are_served_at_the_tier_or_null(self) -> None:
        edits = OPEN | tier({"embedding": [Quantize(bits=1)]})
        served = left(EMBED.answer(), body("tei_embed/answer.json"), edits)
        assert [len({abs(number) for number in vector}) for vector in served] == [1, 1]
        assert left(EMBED.answer(), body("tei_embed/answer.json"), {}) == [None, None]

    def test_token_vectors_are_tensors_unless_the_route_declares_them(self) -> None:
        document = body("tei_embed_all/answer.json")
        mutated: list[Edits] = [
            {},
            {"embedding": None},
            tier({"embedding": [Quantize(bits=1)]}),
            OPEN,
        ]
        for edits in mutated:
            served = left(ALL.answer(), document, edits)
            assert (served == [[None] * 3]) is ("tensor" not in edits)
        declared = left(TeiEmbedAll(holds="embedding").answer(), document, {"tensor": None})
        assert declared == [[None] * 3]

    def test_labels_are_served_at_the_tier_one_input_or_many(self) -> None:
        top = OPEN | tier({"probabilities": [TopK(k=1)]})
        assert left(PREDICT.answer(), body("tei_predict/answer.json"), top) == [
            {"score": 0.9959335, "label": "love"}
        ]
        only = OPEN | tier({"probabilities": [LabelOnly()]})
        assert left(PREDICT.answer(), body("tei_predict/answer_batch.json"), only) == [
            [{"score": 1.0, "label": "love"}],
            [{"score": 1.0, "label": "anger"}],
        ]

    def test_raw_scores_do_not_pass_whatever_the_tier(self) -> None:
        for document in (b'[{"score":3.5,"label":"a"}]', b'[[{"score":-0.5,"label":"a"}]]'):
            with pytest.raises(UpstreamError, match="does not hold probabilities"):
                left(PREDICT.answer(), document, OPEN)

    @pytest.mark.parametrize("tag", ["tei_rerank", "tei_similarity"])
    def test_scores_are_served_at_the_tier(self, tag: str) -> None:
        edits = OPEN | tier({"score": [Round(digits=1)]})
        served = left(BY_TAG[tag].answer(), body(f"{tag}/answer.json"), edits)
        scores = [rank["score"] for rank in served] if tag == "tei_rerank" else served
        assert scores == ([1.0, 0.0] if tag == "tei_rerank" else [0.8, 0.1])

    @pytest.mark.parametrize("tag", BY_TAG)
    @pytest.mark.parametrize("wrong", [b"{}", b'"a"', b"7", b'{"error":"x"}', b'["a"]', b"[{}]"])
    def test_another_shape_is_unreadable(self, tag: str, wrong: bytes) -> None:
        with pytest.raises(UpstreamError):
            left(BY_TAG[tag].answer(), wrong, OPEN)


@pytest.mark.parametrize(
    ("tag", "item", "edits"),
    [
        ("tei_embed", [0.25] * 64, tier({"embedding": [Quantize(bits=8)]})),
        ("tei_embed_all", [[0.25] * 64] * 4, {"tensor": None}),
        (
            "tei_embed_sparse",
            [{"index": 7, "value": 0.5}] * 9,
            tier({"embedding": [Quantize(bits=8)]}),
        ),
        ("tei_predict", [{"score": 0.75, "label": "a"}], {"label": None}),
        ("tei_rerank", {"index": 1, "score": 0.123}, tier({"score": [Round(digits=1)]})),
        ("tei_similarity", 0.123, tier({"score": [Round(digits=1)]})),
    ],
)
def test_an_array_that_is_too_large_to_be_parsed_at_once_is_served_alike(
    tag: str, item: Any, edits: Edits
) -> None:
    document = orjson.dumps([item] * (1 + WHOLE // len(orjson.dumps(item))))
    assert len(document) > WHOLE
    run = Rewrite(edits, MODEL)
    rewriter = DocumentRewriter(BY_TAG[tag].answer(), run, CAP)
    pieces = [document[at : at + 1000] for at in range(0, len(document), 1000)]
    out = b"".join(b"".join(filter(None, rewriter.feed(piece))) for piece in pieces) + b"".join(
        filter(None, rewriter.finish())
    )
    once = BY_TAG[tag].answer().rewrite(orjson.loads(document), Rewrite(edits, MODEL), "")
    assert out == orjson.dumps(once, option=orjson.OPT_SERIALIZE_NUMPY)


class TestSweep:
    @pytest.mark.parametrize(
        ("case", "left_over"),
        [
            ("embed_document", [None, None]),
            ("embed_all_tensor", [[None, None], [None]]),
            ("embed_all_embedding", [[None, None], [None]]),
            ("embed_sparse_document", [None, None]),
            ("predict_single", [{"score": None, "label": "love"}]),
            ("predict_batch", [[{"score": None, "label": "love"}]] * 2),
            (
                "rerank_document",
                [
                    {"index": 1, "text": "three", "score": None},
                    {"index": 0, "text": "two", "score": None},
                ],
            ),
            ("similarity_document", [None, None]),
        ],
    )
    def test_who_may_see_text_and_labels_sees_nothing_else(self, case: str, left_over: Any) -> None:
        assert orjson.loads(Swept.read(f"tei_{case}").served()) == left_over


@pytest.mark.parametrize(
    ("refusal", "kind"),
    [
        (UNKNOWN_MODEL, "validation"),
        (RATE_LIMITED, "overloaded"),
        (OVERLOADED, "backend"),
        (UPSTREAM_UNREADABLE, "backend"),
    ],
)
def test_an_error_has_teis_shape(refusal: Any, kind: str) -> None:
    for dialect in BY_TAG.values():
        assert orjson.loads(dialect.error(refusal)) == {
            "error": refusal.message,
            "error_type": kind,
        }
