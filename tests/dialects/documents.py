"""Answers to draw: of every dialect, with unknown fields, as no two model servers write them."""

from itertools import pairwise
from random import Random
from typing import Any, Final

import hypothesis.strategies as st
import orjson
import pybase64

from extproc.dialects import KServeV2, OpenAIChat, OpenAIEmbeddings, TensorFlowREST
from extproc.dialects.shape import Node
from extproc.mutators import Drop, LabelOnly, Mutator, Quantize, Round, Similarity, TopK, Truncate
from extproc.prediction import KINDS, Kind
from tests.dialects.tiers import MODEL, Edits, tier

TREES: Final[dict[str, Node]] = {
    "chat": OpenAIChat(allow_response=("choices.message.annotations",)).answer(),
    "embeddings": OpenAIEmbeddings().answer(),
    "kserve": KServeV2(
        outputs={
            "probs": "probabilities",
            "price": "score",
            "vector": "embedding",
            "class": "label",
        }
    ).answer(),
    "tensorflow": TensorFlowREST(
        outputs={"probs": "probabilities", "price": "score", "class": "label"}, output="score"
    ).answer(),
}

_texts = st.text(st.characters(codec="utf-8"), max_size=8)
_integers = st.integers(-(2**53), 2**53)
_floats = st.floats(allow_nan=False, allow_infinity=False)
_scalars = st.none() | st.booleans() | _integers | _floats | _texts
json_values: Final = st.recursive(
    _scalars,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(_texts, inner, max_size=4),
    max_leaves=8,
)


def _object(**fields: st.SearchStrategy[Any]) -> st.SearchStrategy[dict[str, Any]]:
    """Some of the fields, in any order, and some that no tree knows."""
    extras = st.dictionaries(_texts.map("x_{}".format), json_values, max_size=2)
    known = st.fixed_dictionaries({}, optional=fields)
    return st.tuples(known, extras).flatmap(
        lambda pair: st.permutations(list({**pair[0], **pair[1]}.items())).map(dict)
    )


def _array(item: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    return st.lists(item, max_size=3) | st.none()


_logprobs = st.floats(-50, 0)
_token = {"token": _texts, "logprob": _logprobs | st.just(0)}
_bytes = st.lists(st.integers(0, 255), max_size=3) | st.none()
_tokens = st.fixed_dictionaries(_token, optional={"bytes": _bytes, "x_rank": _integers})
_entries = st.fixed_dictionaries(
    _token, optional={"bytes": _bytes, "top_logprobs": _array(_tokens), "x_rank": _integers}
)
_names = st.just(MODEL) | _texts
_message = _object(
    role=_texts,
    content=_texts | st.none(),
    reasoning=_texts | st.none(),
    annotations=json_values,
    tool_calls=_array(_object(index=_integers, function=_object(name=_texts, arguments=_texts))),
)
_chat = _object(
    id=_texts,
    model=_names,
    system_fingerprint=_texts | st.none(),
    choices=_array(
        _object(
            index=_integers,
            message=_message | st.none(),
            delta=_message,
            logprobs=_object(content=_array(_entries), refusal=_array(_entries)) | st.none(),
            finish_reason=_texts | st.none(),
        )
    ),
    usage=_object(prompt_tokens=_integers, total_tokens=_integers) | st.none(),
    error=st.none(),
)

_vectors = st.lists(st.floats(-9, 9, width=32), min_size=1, max_size=5)
_base64 = st.sampled_from([0, 63, 128, 191]).map(
    lambda exponent: pybase64.b64encode(bytes([0, 0, 0, exponent]))  # of at most 0.5
)
_embeddings = _object(
    object=_texts,
    data=_array(
        _object(index=_integers, embedding=_vectors | _base64.map(bytes.decode) | st.none())
    ),
    model=_names,
    usage=_object(prompt_tokens=_integers, total_tokens=_integers) | st.none(),
)


def _tensor(
    name: str, datatype: str, items: st.SearchStrategy[Any]
) -> st.SearchStrategy[dict[str, Any]]:
    def shaped(data: list[Any], nested: bool) -> dict[str, Any]:
        rows = [1, len(data)]
        return {
            "name": name,
            "shape": rows,
            "datatype": datatype,
            "data": [data] if nested else data,
        }

    data = st.lists(items, min_size=1, max_size=4)
    return st.builds(shaped, data, st.booleans()).flatmap(
        lambda tensor: st.dictionaries(st.just("x_parameters"), json_values, max_size=1).map(
            lambda extra: tensor | extra
        )
    )


_kserve = _object(
    model_name=_names,
    model_version=_texts | st.none(),
    id=_texts,
    outputs=_array(
        _tensor("probs", "FP32", st.floats(0, 0.25))
        | _tensor("price", "FP64", st.floats(-1e6, 1e6))
        | _tensor("vector", "FP32", st.floats(-9, 9))
        | _tensor("class", "INT64", _integers)
        | _tensor("logits", "BYTES", _texts)
    ),
)

_shares = st.lists(st.floats(0, 0.2), max_size=4)
_prices = st.floats(-1e6, 1e6)
_tensorflow = _object(
    predictions=_array(
        _object(probs=_shares, price=_prices) | _prices | st.lists(_prices, max_size=3)
    ),
    outputs=_object(probs=_array(_shares), price=_array(_prices)) | st.lists(_prices) | _prices,
    results=_array(
        _prices
        | st.lists(st.tuples(_texts.map("c{}".format), st.floats(0, 0.2)).map(list), max_size=3)
    ),
)

ANSWERS: Final = {
    "chat": _chat,
    "embeddings": _embeddings,
    "kserve": _kserve,
    "tensorflow": _tensorflow,
}

_mutators: dict[Kind, list[tuple[Mutator, ...]]] = {
    "probabilities": [(), (TopK(k=1), Round(digits=1)), (LabelOnly(),), (Drop(),)],
    "score": [(), (Round(digits=0),), (Drop(),)],
    "logprobs": [(), (TopK(k=1), Round(digits=1)), (LabelOnly(),)],
    "embedding": [
        (),
        (Quantize(bits=4),),
        (Truncate(dimensions=2),),
        (Truncate(dimensions=1), Similarity(digits=1)),
        (Drop(),),
    ],
}
edits: Final[st.SearchStrategy[Edits]] = st.fixed_dictionaries(
    {}, optional={kind: st.sampled_from(_mutators.get(kind, [()])) for kind in KINDS}
).map(tier)


@st.composite
def bodies(draw: st.DrawFn, dialect: str) -> bytes:
    """An answer of the dialect as bytes, loosely written or not."""
    value = draw(ANSWERS[dialect])
    return draw(written(value))


def written(value: Any) -> st.SearchStrategy[bytes]:
    """A document with spaces, escapes and number formats that parsers do not tell apart."""
    loosely = st.randoms(use_true_random=False).map(lambda random: _write(value, random))
    return st.just(orjson.dumps(value)) | loosely


@st.composite
def cuts(draw: st.DrawFn, document: bytes) -> list[bytes]:
    """The document in pieces, some of them empty."""
    edges = draw(st.lists(st.integers(0, len(document)), max_size=6).map(sorted))
    return [document[a:b] for a, b in pairwise([0, *edges, len(document)])]


def bytewise(document: bytes) -> list[bytes]:
    return [document[at : at + 1] for at in range(len(document))]


def _write(value: Any, random: Random) -> bytes:
    def space() -> bytes:
        return random.choice([b"", b"", b"", b" ", b"\n  ", b"\t\r\n"])

    def inner(value: Any) -> bytes:
        match value:
            case dict():
                members = [space() + inner(k) + space() + b":" + inner(v) for k, v in value.items()]
                return space() + b"{" + (b",".join(members) or space()) + b"}" + space()
            case list():
                return space() + b"[" + (b",".join(map(inner, value)) or space()) + b"]" + space()
            case str():
                return b'"' + b"".join(_character(c, random) for c in value) + b'"'
            case _:
                return space() + orjson.dumps(value) + space()

    return inner(value)


def _character(character: str, random: Random) -> bytes:
    if random.random() < 0.7:
        return orjson.dumps(character)[1:-1]
    units = character.encode("utf-16-be").hex()
    return b"".join(b"\\u" + units[i : i + 4].encode() for i in range(0, len(units), 4))
