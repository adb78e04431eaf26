"""All ways through the core that an answer can take, which must not differ; and what is swept."""

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any, Final, get_args

import msgspec
import orjson
import pybase64

from extproc.dialects import Dialect
from extproc.dialects.dialect import JsonDialect
from extproc.dialects.gate import Terms
from extproc.dialects.shape import Json, Node, Rewrite
from extproc.dialects.value_stream import ValueStream
from extproc.errors import ClientError, UpstreamError
from extproc.mutators import LabelOnly, Quantize, Round, TopK, Truncate
from extproc.prediction import KINDS, Kind
from extproc.rewriter import body_rewriter, rewritten
from tests.corpus import answers, body
from tests.dialects.documents import bytewise
from tests.dialects.tiers import MODEL, OPEN, Edits, tier

CAP: Final = 1 << 20
LABELS: Final[Edits] = {"text": None, "label": None}
"""Of the tier that the sweep serves."""
LOWERED: Final[Edits] = OPEN | tier(
    {
        "probabilities": [TopK(k=2), Round(digits=1)],
        "score": [Round(digits=1)],
        "logprobs": [Round(digits=1)],
        "embedding": [Truncate(dimensions=2), Quantize(bits=4)],
    }
)
TIERS: Final[Sequence[Edits]] = (
    OPEN,
    {},
    LABELS,
    LOWERED,
    OPEN | tier({"probabilities": [LabelOnly()]}),
)
GRANTED: Final = Terms(KINDS, untouched=KINDS)


def left(node: Node, document: bytes, edits: Edits) -> Json:
    """What leaves of a document, whichever way: at once, as a stream of values, byte by byte."""
    run = Rewrite(edits, MODEL)
    try:
        at_once = rewritten(document, node, run)
    except UpstreamError:
        for pieces in ([document], bytewise(document)):
            _refuse(node, pieces, edits)
        raise
    assert at_once is not None
    whole, dropped = _streamed(node, [document], edits)
    assert (whole, dropped) == _streamed(node, bytewise(document), edits)
    assert orjson.loads(whole) == orjson.loads(at_once)
    assert dropped == Counter(run.dropped)
    return orjson.loads(at_once)


def _streamed(node: Node, pieces: list[bytes], edits: Edits) -> tuple[bytes, Counter[str]]:
    run = Rewrite(edits, MODEL)
    values = ValueStream(node, run, CAP)
    return b"".join(map(values.feed, pieces)) + values.finish(), Counter(run.dropped)


def _refuse(node: Node, pieces: list[bytes], edits: Edits) -> None:
    try:
        _streamed(node, pieces, edits)
    except UpstreamError:
        return
    raise AssertionError("the stream of values serves what the tree refuses")


def keep_the_laws(dialect: JsonDialect, corpus: str) -> None:
    """Of every answer in the corpus, at every tier; and a request of known fields goes on as is."""
    node = dialect.answer()
    for document in answers(corpus):
        for edits in TIERS:
            left(node, document, edits)
        known = orjson.dumps(left(node, document, OPEN))
        assert rewritten(known, node, Rewrite(OPEN, MODEL)) is known


def goes_on_as_it_is(dialect: Any, request: str) -> None:
    original = body(request)
    assert dialect.read(original, {}, GRANTED).body is original


def refusing(dialect: Any, request: Mapping[str, Any], terms: Terms = GRANTED) -> str:
    """Why a request is refused; empty where it is not."""
    try:
        dialect.read(orjson.dumps(request), {}, terms)
    except ClientError as error:
        return str(error)
    return ""


class Swept(msgspec.Struct):
    """An exchange of the sweep, and what a caller gets of it who may see text and labels."""

    dialect: Any
    request: Any
    content_type: str
    answer_headers: dict[str, str]
    answer: Any
    path: str
    headers: dict[str, str]

    @classmethod
    def read(cls, name: str) -> "Swept":
        return msgspec.json.decode(body(f"sweep/{name}.json"), type=cls)

    def served(self, kinds: Sequence[Kind] = ("text", "label")) -> bytes:
        """The body that leaves, the same however it was cut."""
        assert self.answer_bytes().count(b"s3cret") + self.answer_bytes().count(b"31337") > 0
        whole, single = self._served([self.answer_bytes()], kinds), bytewise(self.answer_bytes())
        assert self._served(single, kinds) == whole
        assert b"s3cret" not in whole
        assert b"31337" not in whole
        return whole

    def _served(self, pieces: list[bytes], kinds: Sequence[Kind]) -> bytes:
        dialect = _dialect(self.dialect)
        asked = dialect.read(orjson.dumps(self.request), {}, Terms(kinds))
        answer = dialect.answers()[self.content_type]
        run = Rewrite(dict.fromkeys(kinds), asked.query.model)
        rewriter = body_rewriter(answer, self.answer_headers, run, CAP)
        out = b"".join(b"".join(filter(None, rewriter.feed(piece))) for piece in pieces)
        return out + b"".join(filter(None, rewriter.finish()))

    def answer_bytes(self) -> bytes:
        match self.answer:
            case {"text": str(text)} if len(self.answer) == 1:
                return text.encode()
            case {"base64": str(encoded)} if len(self.answer) == 1:
                return pybase64.b64decode(encoded)
            case answer:
                return orjson.dumps(answer)


def _dialect(given: Any) -> Any:
    named = {each.__struct_config__.tag: each for each in get_args(Dialect)}
    if isinstance(given, str):
        return named[given]()
    return msgspec.convert(given, named[given["kind"]])
