"""Embeddings: vectors go back in the type they came in, and only vectors."""

import struct
from typing import Any

import httpx2
import hypothesis.strategies as st
import numpy as np
import openai
import orjson
import pybase64
import pytest
from hypothesis import given
from openai.types import CreateEmbeddingResponse

from extproc.dialects import OpenAIEmbeddings
from extproc.dialects.gate import Terms
from extproc.draw import Source
from extproc.errors import ClientError, UpstreamError
from extproc.mutators import Drop, Mutator, Quantize, Truncate
from extproc.prediction import KINDS, Embedding, Kind, Prediction, Query, Score
from extproc.refusal import UNKNOWN_MODEL
from tests.corpus import answers, body
from tests.dialects.tiers import MODEL, OPEN, is_untouched, leaves, served, tier
from tests.dialects.ways import Swept

EMBEDDINGS = OpenAIEmbeddings()
ANSWER = EMBEDDINGS.answer()
ASKED: dict[str, Any] = {"model": "small", "input": "text"}

EVERYTHING: dict[str, Any] = {
    "object": "list",
    "id": "embd-1",
    "created": 1,
    "model": "text-embedding-3-small",
    "data": [
        {
            "object": "embedding",
            "index": 0,
            "embedding": [0.5, -0.5],
            "embeddings": [[0.5, -0.5]],
            "sparse": {"17": 0.25},
            "norm": 0.71,
        }
    ],
    "usage": {"prompt_tokens": 1, "total_tokens": 1, "completion_tokens": 0, "cost": 0.1},
    "hidden_states": [[0.25]],
    "service_tier": "default",
    "timings": {"ms": 31.25},
}
STRUCTURE = {"object", "id", "created", "model", "data[].object", "data[].index"}
USAGE = {f"usage.{name}_tokens" for name in ("prompt", "total", "completion")}

vectors = st.lists(st.floats(-1e3, 1e3, width=32), min_size=1, max_size=12)


def base64(values: list[float]) -> str:
    return pybase64.b64encode(np.array(values, "<f4").tobytes()).decode()


def holding(*embeddings: Any) -> bytes:
    items = [{"object": "embedding", "index": i, "embedding": e} for i, e in enumerate(embeddings)]
    return orjson.dumps({"object": "list", "data": items, "model": MODEL})


def shown(embedding: Any, *mutators: Mutator) -> Any:
    answer, _ = served(ANSWER, holding(embedding), tier({"embedding": mutators}))
    return answer["data"][0]["embedding"]


class TestRequest:
    def test_a_request_of_known_fields_goes_on_byte_for_byte(self) -> None:
        original = body("openai_embeddings/request.json")
        asked = EMBEDDINGS.read(original, {}, Terms(()))
        assert asked.body is original
        assert asked.query == Query("text-embedding-3-small", inputs=2)

    @pytest.mark.parametrize(
        ("value", "inputs"),
        [
            ("text", 1),
            ("", 1),
            (["text"], 1),
            (["a", "b", "c"], 3),
            ([1, 2, 3], 1),
            ([[1, 2], [3]], 2),
            (["a"] * 2048, 2048),
        ],
    )
    def test_every_input_is_counted(self, value: Any, inputs: int) -> None:
        asked = EMBEDDINGS.read(orjson.dumps(ASKED | {"input": value}), {}, Terms(()))
        assert asked.query == Query("small", inputs)

    @pytest.mark.parametrize(
        "value",
        [
            None,
            7,
            True,
            {},
            {"text": "a"},
            [],
            [[]],
            [[1], []],
            [1, "a"],
            [1, "a", "b", "c"],
            ["a", 1],
            [1, [1]],
            ["a", ["b"]],
            [["a"], ["b"]],
            [[1, "a"]],
            [[[1, 2], [3]]],
            [[[["a"]]]],
            [True],
            [1, True],
            [[True]],
            [0.5],
            [None],
            [{}],
            ["a", None],
        ],
    )
    def test_inputs_that_a_server_could_count_otherwise_are_refused(self, value: Any) -> None:
        with pytest.raises(ClientError, match="'input'"):
            EMBEDDINGS.read(orjson.dumps(ASKED | {"input": value}), {}, Terms(()))

    @pytest.mark.parametrize("encoding", [None, "float", "base64"])
    def test_both_encodings_pass(self, encoding: str | None) -> None:
        original = orjson.dumps(ASKED | {"encoding_format": encoding})
        assert EMBEDDINGS.read(original, {}, Terms(())).body is original

    @pytest.mark.parametrize("encoding", ["", "Float", "octets", 0, False, [], {}])
    def test_other_encodings_are_refused(self, encoding: Any) -> None:
        with pytest.raises(ClientError, match="'encoding_format'"):
            EMBEDDINGS.read(orjson.dumps(ASKED | {"encoding_format": encoding}), {}, Terms(KINDS))

    @pytest.mark.parametrize("encoding", ["bytes", "bytes_only"])
    def test_octets_are_asked_for_with_their_shapes_where_vectors_pass(self, encoding: str) -> None:
        original = orjson.dumps(ASKED | {"encoding_format": encoding})
        asked = EMBEDDINGS.read(original, {}, Terms({"embedding"}))
        assert orjson.loads(asked.body) == ASKED | {"encoding_format": "bytes"}
        assert asked.changed == ({} if encoding == "bytes" else {"encoding_format": 1})
        with pytest.raises(ClientError, match="'encoding_format'"):
            EMBEDDINGS.read(original, {}, Terms({"text"}))

    @pytest.mark.parametrize(
        "more",
        [
            {"truncate_prompt_tokens": -1, "truncation_side": "left", "add_special_tokens": False},
            {"embed_dtype": "float32", "endianness": "native"},
            {"endianness": "little", "normalize": True, "use_activation": None},
        ],
    )
    def test_what_vllm_adds_passes_where_it_asks_for_no_more(self, more: dict[str, Any]) -> None:
        original = orjson.dumps(ASKED | more)
        assert EMBEDDINGS.read(original, {}, Terms(())).body is original

    @pytest.mark.parametrize(
        ("name", "value"),
        [
            ("embed_dtype", "float16"),
            ("embed_dtype", "bfloat16"),
            ("embed_dtype", "fp8_e4m3"),
            ("endianness", "big"),
            ("normalize", False),
            ("use_activation", False),
            ("softmax", False),
        ],
    )
    def test_other_numbers_than_the_api_promises_are_refused(self, name: str, value: Any) -> None:
        with pytest.raises(ClientError, match=name):
            EMBEDDINGS.read(orjson.dumps(ASKED | {name: value}), {}, Terms(KINDS))

    @pytest.mark.parametrize("model", [None, "", 7, ["small"], {"name": "small"}])
    def test_a_model_is_named_by_a_string(self, model: Any) -> None:
        with pytest.raises(ClientError, match="'model'"):
            EMBEDDINGS.read(orjson.dumps(ASKED | {"model": model}), {}, Terms(()))

    @pytest.mark.parametrize("unknown", ["messages", "priority", "instruction"])
    def test_an_unknown_argument_is_refused_unless_the_policy_names_it(self, unknown: str) -> None:
        asked = orjson.dumps(ASKED | {unknown: 1})
        with pytest.raises(ClientError, match=unknown):
            EMBEDDINGS.read(asked, {}, Terms(KINDS))
        assert OpenAIEmbeddings(allow_request=(unknown,)).read(asked, {}, Terms(())).body is asked


class TestAnswer:
    @given(st.sets(st.sampled_from(KINDS)))
    def test_a_tier_passes_the_structure_and_the_fields_of_its_kinds(
        self, granted: set[Kind]
    ) -> None:
        answer, dropped = served(ANSWER, orjson.dumps(EVERYTHING), dict.fromkeys(granted))
        vector = "data[].embedding[]" if "embedding" in granted else "data[].embedding"
        usage = USAGE if "usage" in granted else set()
        assert set(leaves(answer)) == STRUCTURE | usage | {vector}
        assert answer["model"] == ("text-embedding-3-small" if "identity" in granted else MODEL)
        assert dropped["*"] == 3
        assert dropped["data[].*"] == 3
        assert dropped["usage.*"] == (1 if "usage" in granted else 0)

    def test_a_closed_embedding_is_null_and_its_item_stays(self) -> None:
        answer, dropped = served(ANSWER, holding([0.5], base64([0.5])), {})
        assert [item["embedding"] for item in answer["data"]] == [None, None]
        assert [item["index"] for item in answer["data"]] == [0, 1]
        assert dropped == {"data[].embedding": 2}

    def test_an_embedding_that_a_mutator_withholds_is_null(self) -> None:
        assert shown([0.5], Drop()) is None

    @pytest.mark.parametrize("document", answers("openai_embeddings"))
    @pytest.mark.parametrize(
        "mutators", [(), (Quantize(bits=8),), (Truncate(dimensions=4), Quantize(bits=1))]
    )
    def test_the_stock_client_reads_what_is_served(
        self, document: bytes, mutators: tuple[Mutator, ...]
    ) -> None:
        edits = tier({"embedding": mutators, "usage": ()})
        answer, _ = served(ANSWER, document, edits)
        if isinstance(answer["data"][0]["embedding"], list):
            CreateEmbeddingResponse.model_validate(answer)
        read = _through_the_client(orjson.dumps(answer))
        before = _through_the_client(document)
        assert [item.index for item in read.data] == [item.index for item in before.data]
        for old, new in zip(before.data, read.data, strict=True):
            assert len(new.embedding) == (4 if len(mutators) == 2 else len(old.embedding))
            assert np.dot(new.embedding, old.embedding[: len(new.embedding)]) > 0.2

    @pytest.mark.parametrize("document", answers("openai_embeddings"))
    def test_an_answer_of_known_fields_is_untouched(self, document: bytes) -> None:
        known, _ = served(ANSWER, document, OPEN)
        assert is_untouched(ANSWER, orjson.dumps(known), OPEN)
        longest = tier({"embedding": [Truncate(dimensions=64)], "usage": (), "identity": ()})
        assert is_untouched(ANSWER, orjson.dumps(known), longest)

    def test_null_stays_null_and_absent_stays_absent(self) -> None:
        for document in ({"data": None, "usage": None}, {"data": [{"embedding": None}, None]}, {}):
            for edits in (OPEN, {}, tier({"embedding": [Drop()]})):
                assert is_untouched(ANSWER, orjson.dumps(document), edits)

    def test_a_field_passes_where_the_policy_names_it(self) -> None:
        tree = OpenAIEmbeddings(allow_response=("data.norm",)).answer()
        answer, _ = served(tree, orjson.dumps(EVERYTHING), {})
        assert answer["data"] == [
            {"object": "embedding", "index": 0, "embedding": None, "norm": 0.71}
        ]

    def test_a_policy_cannot_open_the_embedding_by_name(self) -> None:
        with pytest.raises(KeyError):
            OpenAIEmbeddings(allow_response=("data.embedding",)).answer()

    def test_an_answer_that_reports_an_error_does_not_pass(self) -> None:
        with pytest.raises(UpstreamError):
            served(ANSWER, b'{"error":{"message":"gpu-07"}}', OPEN)


def _through_the_client(answer: bytes) -> CreateEmbeddingResponse:
    def respond(request: httpx2.Request) -> httpx2.Response:
        assert orjson.loads(request.content)["encoding_format"] == "base64"
        return httpx2.Response(200, content=answer, headers={"content-type": "application/json"})

    with openai.OpenAI(
        api_key="k",
        base_url="http://gateway.test/v1",
        http_client=httpx2.Client(transport=httpx2.MockTransport(respond)),
    ) as client:
        return client.embeddings.create(model=MODEL, input="text")


class TestVectors:
    @given(vectors, st.sampled_from([Quantize(bits=8), Truncate(dimensions=3)]))
    def test_both_encodings_tell_the_same_numbers(
        self, values: list[float], mutator: Mutator
    ) -> None:
        as_json, as_base64 = shown(values, mutator), shown(base64(values), mutator)
        assert isinstance(as_base64, str)
        decoded = np.frombuffer(pybase64.b64decode(as_base64, validate=True), "<f4")
        assert decoded.tobytes() == np.array(as_json, "<f4").tobytes()

    @given(vectors)
    def test_numbers_have_the_digits_of_float32_and_no_more(self, values: list[float]) -> None:
        for number in shown([*values, 1.0], Quantize(bits=3)):
            assert number == float(str(np.float32(number)))

    def test_base64_is_little_endian(self) -> None:
        sent = pybase64.b64encode(struct.pack("<3f", 0.6, 0.0, 0.8)).decode()
        answer = shown(sent, Truncate(dimensions=1))
        assert struct.unpack("<1f", pybase64.b64decode(answer)) == (1.0,)

    def test_whole_numbers_are_numbers(self) -> None:
        assert shown([3, -4, 0]) == [3, -4, 0]
        assert shown([1, 0, 0], Truncate(dimensions=1)) == [1]

    def test_the_largest_vectors_survive_the_mutators(self) -> None:
        for mutator in (Quantize(bits=1), Quantize(bits=16), Truncate(dimensions=1)):
            assert np.isfinite(shown([1e30, -1e30, 1e-45, 0.0], mutator)).all()

    @pytest.mark.parametrize("mutators", [(), (Quantize(bits=8),), (Truncate(dimensions=1),)])
    @pytest.mark.parametrize(
        "wrong",
        [
            [],
            {},
            {"values": [0.5]},
            0.5,
            True,
            [[0.5]],
            [[0.5], [0.5]],
            [0.5, [0.5]],
            [0.5, {"logits": [1.5]}],
            [0.5, "0.5"],
            ["0.5", "0.5"],
            ["", 0.5],
            [0.5, None],
            [0.5, True],
            [False, False],
            [1e31],
            [-1e300, 0.5],
            "",
            "AAA=",
            "AAAA",
            "AAAAPw=",
            "AAAAPw==\n",
            " AAAAPw==",
            "AAAAPw==AAAAPw==",
            "AAAAPw==secret",
            "AAAA?w==",
            "AAAAP_==",
            "\u00e9AAAPw==",
            "secret",
            base64([float("nan")]),
            base64([0.5, float("inf")]),
            base64([1e31]),
        ],
    )
    def test_what_is_no_vector_makes_the_answer_unreadable(
        self, wrong: Any, mutators: tuple[Mutator, ...]
    ) -> None:
        with pytest.raises(UpstreamError, match=r"data\[\]\.embedding is not a vector") as caught:
            shown(wrong, *mutators)
        assert "secret" not in str(caught.value)
        assert "0.5" not in str(caught.value)

    def test_a_vector_that_is_no_vector_is_dropped_unread_where_its_kind_is_closed(self) -> None:
        answer, _ = served(ANSWER, holding({"logits": [1.5]}), {})
        assert answer["data"][0]["embedding"] is None

    def test_a_mutator_that_answers_with_another_kind_is_our_own_fault(self) -> None:
        def confused(_source: Source | None, prediction: Prediction) -> Prediction:
            assert isinstance(prediction, Embedding)
            return Score(0.5)

        with pytest.raises(TypeError, match="Score"):
            served(ANSWER, holding([0.5]), {"embedding": confused})


@pytest.mark.parametrize(
    "document",
    [
        b"[]",
        b'{"data":{}}',
        b'{"data":[[0.5]]}',
        b'{"data":[0.5]}',
        b'{"data":[{"index":[0.5]}]}',
        b'{"data":[{"object":{"logits":[0.5]}}]}',
        b'{"model":["small"]}',
        b'{"usage":0}',
        b'{"usage":{"prompt_tokens":[0.5]}}',
    ],
)
def test_another_shape_is_unreadable(document: bytes) -> None:
    with pytest.raises(UpstreamError):
        served(ANSWER, document, OPEN)


def test_an_error_has_openais_shape() -> None:
    assert orjson.loads(EMBEDDINGS.error(UNKNOWN_MODEL))["error"]["code"] == "model_not_found"


def test_it_answers_with_documents_and_with_octets_read_whole() -> None:
    assert OpenAIEmbeddings().answers().keys() == {"application/json", "application/octet-stream"}


@pytest.mark.parametrize("case", ["vllm", "bytes"])
def test_who_may_see_text_alone_sees_no_vector(case: str) -> None:
    swept = Swept.read(f"openai_embeddings_{case}")
    if case == "bytes":
        with pytest.raises(UpstreamError, match="nothing that may pass"):
            swept.served()
        return
    assert [item["embedding"] for item in orjson.loads(swept.served())["data"]] == [None, None]
