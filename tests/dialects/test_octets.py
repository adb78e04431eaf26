"""Vectors as octets: the header field says where they stand, and nothing else is let through."""

import json
import struct
from typing import Any

import hypothesis.strategies as st
import numpy as np
import pytest
from hypothesis import given

from extproc.dialects import OpenAIEmbeddings
from extproc.dialects.answers import Body, Whole
from extproc.dialects.octets import OCTETS, Octets
from extproc.dialects.shape import Keep, Rewrite
from extproc.draw import Draw, Draws, Source
from extproc.errors import UpstreamError
from extproc.mutators import Drop, Quantize, Similarity, Truncate
from extproc.prediction import Embedding, Prediction
from tests.dialects.tiers import MODEL, OPEN, Edits, tier

ANSWER = OpenAIEmbeddings().answers()[OCTETS]
assert isinstance(ANSWER, Body)
READING = ANSWER.reading


def item(index: int, start: int, count: int, **more: Any) -> dict[str, Any]:
    return {
        "index": index,
        "embed_dtype": "float32",
        "endianness": "native",
        "start": start,
        "end": start + 4 * count,
        "shape": [count],
        **more,
    }


def metadata(*items: Any, **more: Any) -> dict[str, str]:
    around = {"id": "embd-1", "created": 1, "model": MODEL, "data": list(items)}
    usage = {"prompt_tokens": 3, "total_tokens": 3}
    return {"metadata": json.dumps({**around, "usage": usage, **more})}


def served(
    body: bytes, headers: dict[str, str], edits: Edits = OPEN
) -> tuple[list[list[float]], Any]:
    """The vectors as a client reads them by the header field, and the field."""
    whole = READING.rewrite(body, headers, Rewrite(edits, MODEL))
    assert isinstance(whole, Whole)
    assert whole.set_headers.keys() == {"metadata"}
    field = json.loads(whole.set_headers["metadata"])
    vectors = [
        np.frombuffer(whole.body[entry["start"] : entry["end"]], "<f4").reshape(entry["shape"])
        for entry in field["data"]
    ]
    assert sum(vector.nbytes for vector in vectors) == len(whole.body)
    return [vector.tolist() for vector in vectors], field


@given(st.lists(st.lists(st.floats(-9, 9, width=32), min_size=1, max_size=5), max_size=4))
def test_untouched_vectors_are_what_they_were(vectors: list[list[float]]) -> None:
    body = b"".join(struct.pack(f"<{len(vector)}f", *vector) for vector in vectors)
    items, at = [], 0
    for index, vector in enumerate(vectors):
        items.append(item(index, at, len(vector)))
        at += 4 * len(vector)
    after, field = served(body, metadata(*items))
    assert after == vectors
    assert field["data"] == items


def test_vectors_that_become_shorter_move_together() -> None:
    body, edits = (
        struct.pack("<5f", 0.6, 0.0, 0.8, 1.0, 0.0),
        tier({"embedding": [Truncate(dimensions=2), Quantize(bits=8)]}),
    )
    after, field = served(body, metadata(item(0, 0, 3), item(1, 12, 2)), edits)
    assert [len(vector) for vector in after] == [2, 2]
    assert [entry["end"] for entry in field["data"]] == [8, 16]


def test_what_stands_beside_the_vectors_is_served_at_the_tier() -> None:
    headers = metadata(item(0, 0, 1), model="snapshot-7", engine="gpu-07")
    _, field = served(struct.pack("<f", 0.5), headers, {"embedding": None})
    assert field == {"id": "embd-1", "created": 1, "model": MODEL, "data": [item(0, 0, 1)]}
    _, field = served(struct.pack("<f", 0.5), headers)
    assert field["model"] == "snapshot-7"
    assert field["usage"] == {"prompt_tokens": 3, "total_tokens": 3}


@pytest.mark.parametrize("edits", [{"text": None}, {}, tier({"embedding": [Drop()]})])
def test_where_vectors_do_not_pass_nothing_does(edits: Edits) -> None:
    with pytest.raises(UpstreamError, match="nothing that may pass"):
        served(struct.pack("<f", 0.5), metadata(item(0, 0, 1)), edits)


def test_each_vector_is_drawn_for_by_its_own_input() -> None:
    drawn: list[bytes] = []

    def noting(source: Source | None, prediction: Prediction) -> Prediction:
        assert isinstance(prediction, Embedding)
        assert source is not None
        drawn.append(source.input.key)
        return prediction

    draws = Draws(Draw(b"model"), (b"one", b"two"))
    run = Rewrite({"embedding": noting}, MODEL, draws)
    READING.rewrite(struct.pack("<2f", 0.5, 0.5), metadata(item(0, 0, 1), item(1, 4, 1)), run)
    assert drawn == [draws.of(0).input.key, draws.of(1).input.key]
    assert run.at is None


@pytest.mark.parametrize(
    "items",
    [
        [],
        [item(0, 0, 1)],
        [item(0, 0, 3)],
        [item(1, 0, 2)],
        [item(0, 4, 1)],
        [item(0, 0, 2) | {"start": 4}],
        [item(0, 0, 1), item(1, 0, 1)],
        [item(0, 0, 1), item(1, 0, 2)],
        [item(0, 4, 1), item(1, 0, 1)],
        [item(0, 0, 2, shape=[1])],
        [item(0, 0, 2, shape=[2, 1])],
        [item(0, 0, 2, shape=[])],
        [item(0, 0, 2, end=7)],
        [item(0, 0, 2, end=-8)],
        [item(0, 0, 2, embed_dtype="float16", shape=[4])],
        [item(0, 0, 2, endianness="big")],
        [item(0, 0, 2, scale=0.5)],
        [item(0, 0, 2) | {"start": "0"}],
        [7],
        [None],
        {},
        None,
    ],
)
def test_a_field_that_does_not_describe_the_whole_body_makes_the_answer_unreadable(
    items: Any,
) -> None:
    headers = metadata()
    headers["metadata"] = json.dumps({"id": "1", "data": items})
    with pytest.raises(UpstreamError, match=r"metadata\.data"):
        served(struct.pack("<2f", 0.5, 0.25), headers)


@pytest.mark.parametrize("raw", [None, "", "{", "[]", "7", '{"data":[],"data":[]}', "[" * 100_000])
def test_a_field_that_is_missing_or_no_object_makes_the_answer_unreadable(raw: str | None) -> None:
    with pytest.raises(UpstreamError, match="the header field metadata"):
        served(b"", {} if raw is None else {"metadata": raw})


@pytest.mark.parametrize("number", [float("nan"), float("inf"), 1e31])
def test_numbers_that_are_not_finite_make_the_answer_unreadable(number: float) -> None:
    with pytest.raises(UpstreamError, match="finite"):
        served(struct.pack("<f", number), metadata(item(0, 0, 1)))


def test_a_field_that_reports_an_error_makes_the_answer_unreadable() -> None:
    with pytest.raises(UpstreamError, match="reports an error"):
        served(b"", metadata(error={"message": "gpu-07"}))


def test_the_field_is_ascii_whatever_the_model_is_called() -> None:
    reading = Octets({"id": Keep()})
    headers = {"metadata": json.dumps({"id": "\u00e9\r\nset-cookie: a", "data": []})}
    field = reading.rewrite(b"", headers, Rewrite({}, MODEL)).set_headers["metadata"]
    assert field.isascii()
    assert field.isprintable()


def test_vectors_are_compared_and_none_is_left() -> None:
    body = np.array([3, 0, 0, 0, 4, 0, 3, 4, 0], "<f4").tobytes()
    field = metadata(*(item(n, 12 * n, 3) for n in range(3)))
    edits = tier({"embedding": [Similarity(digits=1)], "usage": []})
    vectors, described = served(body, field, edits)
    assert [[round(each, 3) for each in row] for row in vectors] == [
        [1.0, 0.0, 0.6],
        [0.0, 1.0, 0.8],
        [0.6, 0.8, 1.0],
    ]
    assert described["usage"] == {"prompt_tokens": 3, "total_tokens": 3}
    run = Rewrite(edits, MODEL, inputs=4)
    with pytest.raises(UpstreamError, match="one embedding for each input"):
        READING.rewrite(body, field, run)
