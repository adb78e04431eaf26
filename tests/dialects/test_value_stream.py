"""A document of any size, value by value: the same answer as from the whole document."""

import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator

import hypothesis.strategies as st
import orjson
import pytest
from hypothesis import assume, given

from extproc.dialects import (
    KServeV2,
    OpenAICompletions,
    OpenAIDecisions,
    OpenAIModerations,
    OpenAIResponses,
    OpenAITranscriptions,
)
from extproc.dialects.dialect import JsonDialect
from extproc.dialects.gathered import Gathered
from extproc.dialects.request import repeats_a_key
from extproc.dialects.shape import (
    ABSENT,
    Anything,
    Either,
    Fields,
    Gate,
    Items,
    Json,
    Keep,
    Leaf,
    ModelName,
    Node,
    Opaque,
    Rewrite,
    Rows,
)
from extproc.dialects.value_stream import ValueStream
from extproc.dialects.vectors import VECTOR
from extproc.errors import UpstreamError
from extproc.mutators import Quantize, Round, Similarity
from tests.corpus import answers
from tests.dialects.documents import TREES, bodies, bytewise, cuts, edits
from tests.dialects.tiers import MODEL, OPEN, Edits, tier

CAP = 1 << 16
TREE = Fields(
    {
        "id": Keep(),
        "model": ModelName(),
        "text": Opaque("text"),
        "usage": Gate("usage", Fields({"tokens": Keep()})),
        "logprobs": Gate("logprobs", Fields({"content": Items(Keep())}), nulled=True),
        "rows": Items(
            Fields({"n": Keep(), "v": Leaf("embedding", lambda v, e, p: v, nulled=True)})
        ),
        "list": Items(Opaque("text")),
        "any": Anything(),
    }
)
DIALECTS = {"openai_chat": "chat", "openai_embeddings": "embeddings", "kserve_v2": "kserve"}
CORPUS = [(TREES[DIALECTS[name]], answer) for name in DIALECTS for answer in answers(name)]
OPENAI: dict[str, JsonDialect] = {
    "openai_completions": OpenAICompletions(),
    "openai_decisions": OpenAIDecisions(),
    "openai_moderations": OpenAIModerations(),
    "openai_responses": OpenAIResponses(),
    "openai_transcriptions": OpenAITranscriptions(),
}
CORPUS += [
    (OPENAI[name].answer(), answer)
    for name in OPENAI
    for answer in answers(name)
    if b'"type":"response.' not in answer  # an event, which is no response
]


def stream(
    pieces: list[bytes], node: Node = TREE, edits: Edits = OPEN, cap: int = CAP
) -> tuple[bytes, Counter[str]]:
    run = Rewrite(edits, MODEL)
    values = ValueStream(node, run, cap)
    out = b"".join(map(values.feed, pieces)) + values.finish()
    assert values.held == 0
    return out, Counter(run.dropped)


def out(document: bytes, edits: Edits = OPEN, node: Node = TREE) -> bytes:
    """What leaves, the same for the whole document and for its single bytes."""
    whole = stream([document], node, edits)
    assert stream(bytewise(document), node, edits) == whole
    return whole[0]


def error(pieces: list[bytes], node: Node = TREE, edits: Edits = OPEN, cap: int = CAP) -> str:
    with pytest.raises(UpstreamError) as caught:
        stream(pieces, node, edits, cap)
    return str(caught.value)


def refusal(document: bytes, edits: Edits = OPEN, node: Node = TREE, cap: int = CAP) -> str:
    """Why it does not pass, the same for the whole document and for its single bytes."""
    whole = error([document], node, edits, cap)
    assert error(bytewise(document), node, edits, cap) == whole
    return whole


def tree(node: Node, document: bytes, edits: Edits) -> tuple[Json, Counter[str]] | None:
    """What the tree makes of the whole document, None where it is unreadable."""
    run = Rewrite(edits, MODEL)
    try:
        after = node.rewrite(orjson.loads(document), run, "")
    except (orjson.JSONDecodeError, UpstreamError):
        return None
    left = orjson.loads(orjson.dumps(after, option=orjson.OPT_SERIALIZE_NUMPY))
    return left, Counter(run.dropped)


class Withheld:
    """A node that lets nothing pass, of whatever kind."""

    def rewrite(self, value: Json, run: Rewrite, place: str) -> Json:
        return ABSENT


class TestLaws:
    @given(st.data(), edits, st.sampled_from(sorted(TREES)))
    def test_it_says_what_the_tree_says_of_the_whole_document(
        self, data: st.DataObject, edits: Edits, dialect: str
    ) -> None:
        document = data.draw(bodies(dialect))
        expected = tree(TREES[dialect], document, edits)
        if expected is None:  # as where vectors that are compared are not in order
            assert refusal(document, edits, TREES[dialect])
        else:
            after, dropped = stream([document], TREES[dialect], edits)
            assert (orjson.loads(after), dropped) == expected

    @given(st.data(), edits, st.sampled_from(sorted(TREES)))
    def test_the_output_does_not_depend_on_how_the_body_is_cut(
        self, data: st.DataObject, edits: Edits, dialect: str
    ) -> None:
        document = data.draw(bodies(dialect))
        assume(tree(TREES[dialect], document, edits) is not None)
        whole = stream([document], TREES[dialect], edits)
        assert stream(data.draw(cuts(document)), TREES[dialect], edits) == whole
        assert stream(bytewise(document), TREES[dialect], edits) == whole

    @given(st.data(), st.sampled_from(sorted(TREES)))
    def test_a_document_of_known_fields_comes_out_byte_for_byte(
        self, data: st.DataObject, dialect: str
    ) -> None:
        known, _ = stream([data.draw(bodies(dialect))], TREES[dialect])
        assert stream(data.draw(cuts(known)), TREES[dialect]) == (known, {})

    @given(st.data(), edits, st.sampled_from(sorted(TREES)))
    def test_a_damaged_document_is_read_as_the_tree_reads_it_or_not_at_all(
        self, data: st.DataObject, edits: Edits, dialect: str
    ) -> None:
        damaged = bytearray(data.draw(bodies(dialect)))
        at = data.draw(st.integers(0, len(damaged)))
        damaged[at : at + data.draw(st.integers(0, 3))] = data.draw(
            st.sampled_from([b"", b",", b'"', b"\\", b"]", b"}", b"{", b"[", b":", b"0", b"null"])
            | st.binary(max_size=2)
        )
        document, node = bytes(damaged), TREES[dialect]
        expected = tree(node, document, edits)
        if expected is None:
            assert refusal(document, edits, node)
        elif not repeats_a_key(document, orjson.loads(document)):
            after, dropped = stream(data.draw(cuts(document)), node, edits)
            assert (orjson.loads(after), dropped) == expected

    @pytest.mark.parametrize(("node", "document"), CORPUS)
    @pytest.mark.parametrize(
        "edits", [OPEN, {}, tier({"text": (), "embedding": [Quantize(bits=4)], "usage": ()})]
    )
    def test_real_answers_are_rewritten_as_the_tree_rewrites_them(
        self, node: Node, document: bytes, edits: Edits
    ) -> None:
        after, dropped = stream(bytewise(document), node, edits)
        assert (orjson.loads(after), dropped) == tree(node, document, edits)
        assert stream([document], node, edits) == (after, dropped)

    @pytest.mark.parametrize(("node", "document"), CORPUS)
    def test_an_answer_that_is_cut_short_anywhere_is_refused(
        self, node: Node, document: bytes
    ) -> None:
        size = len(document.rstrip())
        for end in range(0, size, 1 + size // 200):
            assert error([document[:end]], node)
        assert error([document[: size - 1]], node)

    @pytest.mark.parametrize("document", [b"null", b" null ", b"null\n"])
    def test_null_is_an_answer(self, document: bytes) -> None:
        assert out(document) == document

    @pytest.mark.parametrize("root", [Keep(), Opaque("text"), Gate("text", Keep()), Anything()])
    def test_a_tree_may_be_a_single_value(self, root: Node) -> None:
        for document in (b"7", b'"a"', b" 1.50\n", b"null"):
            assert out(document, OPEN, root) == document
        closed = Gate("text", Keep(), nulled=True)
        assert out(b' [1,{"a":2}] ', {}, closed) == b" null "
        assert out(b"7", {}, closed) == b"null"

    @pytest.mark.parametrize("root", [Opaque("text"), Gate("text", Items(Keep())), Withheld()])
    def test_an_answer_of_which_nothing_passes_is_refused(self, root: Node) -> None:
        for document in (b' [1,{"a":2}] ', b"7", b'{"a":1}'):
            assert refusal(document, {}, root) == "the answer holds nothing that may pass"


def vector(value: Json, _edit: object, place: str) -> Json:
    """A codec for an array without arrays in it."""
    if not isinstance(value, list) or not value or any(isinstance(v, list) for v in value):
        raise UpstreamError(f"{place} is no vector")
    return value


ROWS = Rows(Leaf("embedding", vector, nulled=True), depth=2, each=True)


class TestRows:
    """How deep an array goes shows in its first elements."""

    @pytest.mark.parametrize(
        ("document", "left"),
        [
            (b"[1,2]", b"null"),
            (b" [ 1 , [2] ] ", b" null "),
            (b"[[1,2], [3]]", b"[null, null]"),
            (b"[ [ [1],[2]],[[3] ] , [4], null]", b"[ [ null,null],[null ] , null, null]"),
            (b"[\n[1], null, 2]", b"[\nnull, null, null]"),
            (b"null", b"null"),
            (b"7", b"null"),
        ],
    )
    def test_rows_are_found_at_any_depth(self, document: bytes, left: bytes) -> None:
        assert out(document, {}, ROWS) == left
        assert tree(ROWS, document, {}) == (orjson.loads(left), stream([document], ROWS, {})[1])

    @pytest.mark.parametrize("document", [b"[1,2]", b" [ [ 1 ],[2.0]]", b"[[ [1],[2] ], null]\n"])
    def test_rows_that_pass_pass_byte_for_byte(self, document: bytes) -> None:
        assert out(document, OPEN, ROWS) == document

    @pytest.mark.parametrize(
        "document",
        [b"[]", b"[[]]", b"[[1],[[[2]]]]", b"[1,[2]]", b"[[[[1]]]]", b"[[[[", b"7", b"{}"],
    )
    def test_what_is_no_row_where_one_should_be_is_refused(self, document: bytes) -> None:
        assert refusal(document, OPEN, ROWS)

    def test_arrays_that_go_on_are_walked_no_deeper_than_the_tree_says(self) -> None:
        run = Rewrite(OPEN, MODEL)
        values = ValueStream(ROWS, run, CAP)
        with pytest.raises(UpstreamError, match="nested deeper"):
            values.feed(b"[" * CAP)

    def test_space_behind_a_bracket_is_held_no_longer_than_anything_else(self) -> None:
        assert "larger than" in error([b"[", b" " * CAP, b" " * CAP], ROWS)

    def test_the_items_of_the_outermost_array_answer_one_input_each(self) -> None:
        asked: list[int | None] = []

        class Noting:
            def rewrite(self, value: Json, run: Rewrite, place: str) -> Json:
                asked.append(run.at)
                return value

        stream([b"[[[1],[2]],[[3]],null]"], Rows(Noting(), depth=2, each=True))
        assert asked == [0, 0, 1, 2]


class TestBytes:
    @pytest.mark.parametrize(
        ("document", "left"),
        [
            (b'{"x":1}', b"{}"),
            (b'{ "x" : 1 }', b"{ }"),
            (b'{"x":1,"id":2}', b'{"id":2}'),
            (b'{ "x" : 1 , "id" : 2 }', b'{  "id" : 2 }'),
            (b'{"id":2,"x":1}', b'{"id":2}'),
            (b'{ "id" : 2 , "x" : 1 }', b'{ "id" : 2 }'),
            (b'{"x":1,"id":2,"y":[{}]}', b'{"id":2}'),
            (b'{"id":2,"x":1,"any":3}', b'{"id":2,"any":3}'),
            (b'{"id":2\n,"x":1\t,\n "any" :3}', b'{"id":2\t,\n "any" :3}'),
            (b'{"x":1,"y":2,"id":3,"z":4,"any":5,"w":6}', b'{"id":3,"any":5}'),
            (b'{"rows":[{"x":1},{"n":2,"x":1}, {"x":1,"n":3}]}', b'{"rows":[{},{"n":2}, {"n":3}]}'),
        ],
    )
    def test_a_dropped_member_takes_its_comma_along(self, document: bytes, left: bytes) -> None:
        assert out(document) == left

    @pytest.mark.parametrize(
        ("items", "left"),
        [
            (b"[]", b"[]"),
            (b'["a"]', b"[]"),
            (b'["a", "b"]', b"[]"),
            (b'[null,"a",null]', b"[null,null]"),
            (b'["a" , null , "b" , null , "c"]', b"[  null , null]"),
        ],
    )
    def test_a_dropped_item_takes_its_comma_along(self, items: bytes, left: bytes) -> None:
        assert out(b'{"list":' + items + b"}", {}) == b'{"list":' + left + b"}"

    def test_a_dropped_unit_takes_its_comma_along(self) -> None:
        node = TREES["kserve"]
        output = b'{"name":"%s","shape":[1],"datatype":"FP32","data":[0.5]}'
        document = b'{"outputs":[%s, %s ,%s]}' % (output % b"a", output % b"price", output % b"b")
        left = b'{"outputs":[ ' + output % b"price" + b"]}"
        assert out(document, {"score": None}, node) == left

    def test_what_is_closed_leaves_null_behind_where_the_tree_says_so(self) -> None:
        document = (
            b'{"logprobs" : {"content":[1]} ,"rows":[{"v":[1,2] , "n":1},{"n":2,"v":"AA=="}]}'
        )
        left = b'{"logprobs" : null ,"rows":[{"v":null , "n":1},{"n":2,"v":null}]}'
        assert out(document, {}) == left

    @pytest.mark.parametrize("value", [b"[1, [2]]", b'{"a":1}', b'"a"', b"1.5", b"true", b"1e5"])
    def test_what_is_closed_goes_whatever_it_is(self, value: bytes) -> None:
        document = b'{"usage":%s,"text":%s,"logprobs":%s}' % (value, value, value)
        assert out(document, {}) == b'{"logprobs":null}'

    @pytest.mark.parametrize("edits", [OPEN, {}])
    def test_null_passes_closed_parts(self, edits: Edits) -> None:
        document = (
            b'{"usage": null,"logprobs":null,"text":null,"rows":[{"v":null},null],"list":null}'
        )
        assert out(document, edits) == document
        assert stream([document], TREE, edits)[1] == {}

    def test_what_is_kept_is_kept_byte_for_byte(self) -> None:
        document = (
            b'\r\n{ "id" : 1.50E+00,\t"text":"\\u0061\\/\xc3\xa9" , "any" : { "b" : [ 1 , 2.0 ] } '
            b',"rows" : [ { "n":-0 } , null,{}\n]} \n\n'
        )
        assert out(document) == document

    def test_a_changed_unit_alone_is_written_anew(self) -> None:
        document = b'{ "id" : 1.50 ,"model" : "llama" , "any":[ 1.0 ] }'
        left = b'{ "id" : 1.50 ,"model" : "alias" , "any":[ 1.0 ] }'
        assert out(document, OPEN | {}) == document
        closed: Edits = {kind: None for kind in OPEN if kind != "identity"}
        assert out(document, closed) == left

    @pytest.mark.parametrize(
        ("row", "left"),
        [
            (b'{"n":1,"v":"AA==","x":1}', b'{"n":1,"v":null}'),
            (b'{"n":1, "v":"AA==","x":1}', b'{"n":1, "v":null}'),
            (b'{"n":"}","x":1}', b'{"n":"}"}'),
            (b'{"x":"]}","n":1.50}', b'{"n":1.50}'),
            (b'{"x":{"n":1}}', b"{}"),
            (b'{"n":null}', b'{"n":null}'),
            (b"{}", b"{}"),
        ],
    )
    def test_an_object_read_at_once_leaves_as_one_that_is_walked(
        self, row: bytes, left: bytes
    ) -> None:
        assert out(b'{"rows":[%s, %s]}' % (row, row), {}) == b'{"rows":[%s, %s]}' % (left, left)

    def test_an_escaped_name_is_the_name(self) -> None:
        assert out(b'{"\\u0069d":1,"\\u0078":2}') == b'{"\\u0069d":1}'
        assert out(b'{"\\u0075sage":{"t":1}}', {}) == b"{}"

    def test_a_quoted_bracket_in_a_kept_or_dropped_value_ends_nothing(self) -> None:
        document = b'{"x":["]}\\"",{"]":"}"}],"any":["]}\\\\",{"]":"}"}],"id":"\\\\\\"}"}'
        assert out(document) == b'{"any":["]}\\\\",{"]":"}"}],"id":"\\\\\\"}"}'


class TestRepeats:
    @pytest.mark.parametrize(
        ("document", "place"),
        [
            (b'{"id":1,"id":1}', "the answer"),
            (b'{"id":1,"\\u0069d":1}', "the answer"),
            (b'{"x":1,"x":1}', "the answer"),
            (b'{"usage":null,"a":0,"usage":null}', "the answer"),
            (b'{"rows":[{"n":1},{"n":1,"n":2}]}', r"rows[]"),
        ],
    )
    def test_a_key_said_twice_in_an_object_that_is_walked_is_refused(
        self, document: bytes, place: str
    ) -> None:
        assert refusal(document) == f"{place} repeats a key"

    def test_objects_do_not_share_their_keys(self) -> None:
        document = b'{"id":1,"usage":{"tokens":1},"rows":[{"n":1,"v":2},{"n":1,"v":2}]}'
        assert out(document) == document

    def test_a_key_said_twice_inside_a_unit_is_said_once(self) -> None:
        assert out(b'{"any": {"a":1 ,"a":2}}') == b'{"any": {"a":2}}'
        assert out(b'{"any":[{"a":1,"\\u0061":2}]}') == b'{"any":[{"a":2}]}'

    def test_what_a_dropped_value_repeats_is_gone_anyway(self) -> None:
        assert out(b'{"x":{"a":1,"a":2},"id":1}') == b'{"id":1}'


class TestRefused:
    @pytest.mark.parametrize(
        ("document", "reason"),
        [
            (b"[]", "the answer is not an object"),
            (b"7", "the answer is not an object"),
            (b'{"rows":{"n":1}}', "rows is not an array"),
            (b'{"rows":[[]]}', "rows[] is not an object"),
            (b'{"id":[1]}', "id is not a scalar"),
            (b'{"rows":[{"n":{}}]}', "rows[].n is not a scalar"),
            (b'{"usage":"a"}', "usage is not an object"),
        ],
    )
    def test_another_type_than_the_tree_says(self, document: bytes, reason: str) -> None:
        assert refusal(document) == reason

    @pytest.mark.parametrize(
        "document",
        [
            b"{]",
            b"{,}",
            b'{"id"}',
            b'{"id":}',
            b'{"id":,"x":1}',
            b'{"id" 1}',
            b'{"id"::1}',
            b'{"id":1,}',
            b'{"id":1 "x":1}',
            b'{"id":1]',
            b'{"id":1;"x":2}',
            b"{id:1}",
            b"{'id':1}",
            b"{1:1}",
            b'{"i\nd":1}',
            b'{"i\\d":1}',
            b'{"\xff":1}',
            b'{"\\ud800":1}',
            b'{"rows":[,]}',
            b'{"rows":[{},]}',
            b'{"rows":[{}{}]}',
            b'{"rows":[{}}',
            b'{"rows":[{}],]}',
            b'{"id":NaN}',
            b'{"id":Infinity}',
            b'{"id":-Infinity}',
            b'{"id":1e999}',
            b'{"id":01}',
            b'{"id":nul}',
            b'{"id":nullx}',
            b'{"id":"\x01"}',
            b'{"id":"\xff"}',
            b'{"id":"\\ud800"}',
            b'{"any":[1}}',
            b'{"any":{"a":NaN}}',
            b'{"x":NaN}',
            b'{"x":nul}',
            b'{"x":01}',
            b'{"x":1e999}',
            b'{"x":"\x01"}',
            b'{"x":"\xff"}',
            b'{"x":"\\ud800"}',
            b'{"x":[1,]}',
            b'{"x":{"a":1,}}',
            b'{"x":}',
            b'{"usage":nope}',
            b"{}{}",
            b"{} x",
            b"{},",
            b"{}\x00",
            b"nullnull",
            b"null null",
            b"\xef\xbb\xbf{}",
            b"\x0b{}",
        ],
    )
    def test_what_is_not_json(self, document: bytes) -> None:
        with pytest.raises(orjson.JSONDecodeError):
            orjson.loads(document)
        for tier_of in (OPEN, {}):
            reason = refusal(document, tier_of)
            assert reason in {"the answer is not valid JSON", "the answer ends too early"}

    @pytest.mark.parametrize("document", [b"", b" ", b"{", b'{"id":1', b'{"x":[1', b'{"x":"\\u00'])
    def test_what_ends_too_early(self, document: bytes) -> None:
        assert refusal(document) == "the answer ends too early"

    def test_more_after_an_error_is_an_error_again(self) -> None:
        for document in (
            b'{"id":1]',
            b'{"id":{"a":1}',
            b'{"x":NaN,',
            b"{}x",
            b'{"id":1,"id":',
            b"[",
        ):
            values = ValueStream(TREE, Rewrite(OPEN, MODEL), CAP)
            with pytest.raises(UpstreamError):
                values.feed(document + b' "secret"]')
            for more in (b"", b'"text":"secret"}', b"}"):
                with pytest.raises(UpstreamError):
                    values.feed(more)
            with pytest.raises(UpstreamError):
                values.finish()

    @pytest.mark.parametrize("name", [b"x", b"any"])
    @pytest.mark.parametrize(("opened", "closed"), [(b"[", b"]"), (b'{"a":', b"}")])
    def test_nesting_that_has_no_end(self, name: bytes, opened: bytes, closed: bytes) -> None:
        def nested(depth: int) -> bytes:
            return b'{"%s":' % name + opened * depth + b"1" + closed * depth + b"}"

        assert out(nested(64)) == (b"{}" if name == b"x" else nested(64))
        assert refusal(nested(65)) == "the answer is nested deeper than 64 levels"
        assert refusal(opened * 20000) != ""


class TestBounds:
    def test_a_unit_fits_with_the_name_before_it(self) -> None:
        def kept(size: int) -> bytes:
            return b'{"id":"%s"}' % (b"a" * (size - len(b'"id":""')))

        assert stream([kept(100)], cap=100) == stream(bytewise(kept(100)), cap=100)
        assert refusal(kept(101), cap=100) == "id is larger than 100 bytes"

    @pytest.mark.parametrize(
        ("document", "place"),
        [
            (b'{"any":[%s]}' % (b"1," * 99 + b"1"), "any"),
            (b'{"any":{"a":"%s"}}' % (b"\\n" * 99), "any"),
            (b'{"rows":[{"n":%s}]}' % (b"1" * 120), "rows[].n"),
            (b'{"rows":[{},%s{}]}' % (b" " * 120), "rows[]"),
            (b'{"id":1%s,"any":2}' % (b" " * 120), "id"),
            (b'{"id":1,%s"any":2}' % (b" " * 120), "id"),
            (b'{"id"%s:1}' % (b" " * 120), "id"),
            (b'{"id":%s1}' % (b" " * 120), "id"),
            (b" " * 120 + b"{}", "the answer"),
            (b'{"%s":1}' % (b"x" * 120), "the answer"),
            (b'{"rows":[{"%s":1}]}' % (b"x" * 120), "rows[]"),
            (b'{"x":%s}' % (b"1" * 120), "*"),
            (b'{"rows":[{"x":[%s]}]}' % (b"1" * 120), "rows[].*"),
        ],
    )
    def test_what_has_to_be_held_has_a_bound(self, document: bytes, place: str) -> None:
        assert refusal(document, cap=100) == f"{place} is larger than 100 bytes"

    @pytest.mark.parametrize(
        "value",
        [
            b'"' + b"a" * 999 + b'"',
            b'"' + b"\\n\xc3\xa9" * 299 + b'"',
            b"[" + b"1," * 999 + b"1]",
            b"[" + b" " * 999 + b"]",
            b'{"a":1' + b"".join(b',"k%d":[%d]' % (n, n) for n in range(999)) + b"}",
            b'{"' + b"a" * 999 + b'":1}',
            b"[" + b"[[]]," * 999 + b"{}]",
        ],
    )
    def test_what_does_not_pass_may_have_any_size(self, value: bytes) -> None:
        document = b'{"x":%s,"id":1,"usage":%s,"logprobs":%s}' % (value, value, value)
        for pieces in ([document], bytewise(document)):
            run = Rewrite({}, MODEL)
            values = ValueStream(TREE, run, 300)
            after = b""
            for piece in pieces:
                after += values.feed(piece)
                assert values.held <= 300
            assert after + values.finish() == b'{"id":1,"logprobs":null}'
            assert run.dropped == {"*": 1, "usage": 1, "logprobs": 1}

    @pytest.mark.parametrize("around", [(b"", b" " * 999), (b" " * 50, b"\n" * 999)])
    def test_space_around_the_document_is_not_held(self, around: tuple[bytes, bytes]) -> None:
        document = b"{}".join(around)
        assert stream([document], cap=100) == (document, {})
        assert stream(bytewise(document), cap=100) == (document, {})

    def test_an_object_has_no_end_of_keys(self) -> None:
        document = b"{" + b",".join(b'"x%d":0' % n for n in range(99)) + b"}"
        assert refusal(document, cap=999) == "the keys of the answer are over 999 bytes"
        assert stream([document], cap=9999) == (b"{}", {"*": 99})

    @pytest.mark.parametrize(
        "document",
        [
            b'{"any":[%s]}' % (b"0.125," * 9999 + b"1"),
            b'{"any":"%s"}' % (b"a" * 59999),
            b'{"any":"%s"}' % (b"\\n" * 29999),
            b'{"any":[["%s"]]}' % (b"a" * 59999),
            b'{"any":{"a":[0.%s]}}' % (b"1" * 59999),
            b'{"id":%s}' % (b"1" * 300 + b" " * 59999),
            b'{"id":0.%s}' % (b"1" * 59999),
            b'{"x":0.%s}' % (b"1" * 59999),
            b'{"x":"%s"}' % (b"a" * 59999),
            b'{"x":[%s]}' % (b"0.125," * 9999 + b"1"),
        ],
    )
    def test_no_byte_is_read_again_because_another_piece_came(self, document: bytes) -> None:
        began = time.process_time()
        stream(bytewise(document))
        # A quarter of a second; with a scan from the start for each byte it would be minutes.
        assert time.process_time() - began < 5


@pytest.mark.slow
def test_a_document_of_64_mb_is_rewritten_in_a_few_mb_of_memory() -> None:
    done = subprocess.run(
        [sys.executable, "-c", LARGE], check=True, capture_output=True, text=True, timeout=120
    )
    size, growth = map(int, done.stdout.split())
    assert size > 64 << 20
    assert growth < 16 << 20


LARGE = """
import resource
from extproc.dialects import OpenAIEmbeddings
from extproc.dialects.shape import Rewrite
from extproc.dialects.value_stream import ValueStream
from extproc.mutators import Quantize
from extproc.fidelity import Fidelity

def peak():
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024

values = ValueStream(
    OpenAIEmbeddings().answer(),
    Rewrite(Fidelity("t", {"embedding": [Quantize(bits=8)]}).edits(), "m"),
    1 << 20,
)
vector = b",".join(b"0.0%05d" % (n * 7919 % 99991) for n in range(1, 1537))
item = b'{"object":"embedding","index":0,"embedding":[' + vector + b'],"hidden":[' + vector + b']},'
values.feed(b'{"object":"list","data":[')
before, size, pending = peak(), 0, b""
while size < 65 << 20:
    pending += item
    while len(pending) >= 1 << 16:
        values.feed(pending[: 1 << 16])
        size, pending = size + (1 << 16), pending[1 << 16 :]
values.feed(pending + b"null]}")
values.finish()
print(size, peak() - before)
"""


def test_what_may_leave_is_there_after_an_error_and_nothing_behind_it() -> None:
    stream = ValueStream(Items(Keep()), Rewrite({}, MODEL), 100)
    assert stream.feed(b"[1,") == b"[1"
    with pytest.raises(UpstreamError):
        stream.feed(b"2 ,3, [4], 5]")
    assert stream.passed() == b",2 ,3"
    assert stream.passed() == b""
    assert not stream.ended
    with pytest.raises(UpstreamError):
        stream.feed(b"]")
    assert stream.passed() == b""


def test_a_document_has_ended_where_only_space_may_follow() -> None:
    for body in (b"[]", b'{"id":1}', b"null ", b"[[1],[]]\n"):
        stream = ValueStream(
            Anything() if body[:1] != b"{" else Fields({}), Rewrite({}, MODEL), 100
        )
        for at in range(len(body.rstrip())):
            assert not stream.ended
            stream.feed(body[at : at + 1])
        stream.feed(b" ")
        assert stream.ended


VECTORS = Fields(
    {
        "id": Keep(),
        "data": Gathered(Items(Fields({"index": Keep(), "v": VECTOR}), each=True)),
        "rows": Gate("text", Gathered(Rows(VECTOR, depth=2, each=True))),
    }
)
COMPARED: Edits = {**OPEN, **tier({"embedding": [Similarity(digits=1)]})}


def test_a_value_of_many_shapes_is_streamed_in_its_own() -> None:
    shapes = Either(Fields({"id": Keep()}), Items(Opaque("text")), Opaque("label"))
    node, edits = Fields({"it": shapes}), tier({"text": []})
    assert out(b'{"it":{"id":1,"x":2}}', edits, node) == b'{"it":{"id":1}}'
    assert out(b'{"it":["a"]}', edits, node) == b'{"it":["a"]}'
    assert out(b'{"it":"a"}', edits, node) == b"{}"


class TestGathered:
    @pytest.mark.parametrize(
        ("document", "left"),
        [
            (b'{"data":[]}', b'{"data":[]}'),
            (b'{"id":1, "data" : null ,"rows": null }', b'{"id":1, "data" : null ,"rows": null }'),
            (b'{"x":1,"data":[{"v":[3],"x":2}]}', b'{"data":[{"v":[1.0]}]}'),
            (
                b'{"data":[{"index":0,"v":[3, 0]}, {"index":1,"v":"AACAPwAAgD8="}],"id":2}',
                b'{"data":[{"index":0,"v":[1.0,0.7]},{"index":1,"v":"MzMzPwAAgD8="}],"id":2}',
            ),
            (b'{"rows":[3, 4]}', b'{"rows":[1.0]}'),
            (b'{"rows":[[3],[4]],"id":1}', b'{"rows":[[1.0,1.0],[1.0,1.0]],"id":1}'),
            (
                b'{"rows":[[[3, 4]]] ,"data":[{"v":[1]}]}',
                b'{"rows":[[[1.0]]] ,"data":[{"v":[1.0]}]}',
            ),
        ],
    )
    def test_vectors_are_compared_where_they_end(self, document: bytes, left: bytes) -> None:
        assert out(document, COMPARED, VECTORS) == left
        found = tree(VECTORS, document, COMPARED)
        assert found is not None
        assert found[0] == orjson.loads(left)

    @pytest.mark.parametrize(
        "document",
        [
            b'{"data":[{"v":null},{"v":[1]}]}',
            b'{"data":[{"v":[1]},{"v":[1,2]}]}',
            b'{"data":[{"index":1,"v":[1]}]}',
            b'{"rows":[[[1],[2]],[[3]]]}',
            b'{"data":[{"v":[1]}',
        ],
    )
    def test_what_cannot_be_compared_does_not_pass(self, document: bytes) -> None:
        assert refusal(document, COMPARED, VECTORS)
        values = ValueStream(VECTORS, Rewrite(COMPARED, MODEL), CAP)
        with pytest.raises(UpstreamError):
            values.feed(document + b" " * (CAP + 1))
        assert b"[" not in values.passed()

    def test_no_vector_leaves_before_all_are_there(self) -> None:
        values = ValueStream(VECTORS, Rewrite(COMPARED, MODEL), CAP)
        assert values.feed(b'{"id":1,"data":[{"v":[1,2]},{"v":') == b'{"id":1,"data":'
        assert values.held >= 2 * 4
        assert values.feed(b"[3,4]}") == b""
        assert values.feed(b"]}") == b'[{"v":[1.0,1.0]},{"v":[1.0,1.0]}]}'
        assert values.held == 0

    def test_what_waits_for_the_others_is_bounded(self) -> None:
        one = b'{"v":[%s]},' % b",".join([b"1"] * 200)
        pieces = [b'{"data":[', *[one] * 100]
        assert "together larger than 65536 bytes" in error(pieces, VECTORS, COMPARED)
        small = [b'{"data":[', *[b'{"v":[1],"index":null},'] * 9000]
        assert "together larger than 65536 bytes" in error(small, VECTORS, COMPARED)

    def test_more_vectors_than_inputs_are_not_kept(self) -> None:
        values = ValueStream(VECTORS, Rewrite(COMPARED, MODEL, inputs=2), CAP)
        values.feed(b'{"data":[{"v":[1]},{"v":[1]},')
        with pytest.raises(UpstreamError, match="one embedding for each input"):
            values.feed(b'{"v":[1]},')

    def test_a_tier_that_edits_each_walks_it_as_ever(self) -> None:
        document = b'{ "data":[ {"v":[0.5] , "x":1}, {"v":null}] }'
        assert out(document, OPEN, VECTORS) == b'{ "data":[ {"v":[0.5]}, {"v":null}] }'


def test_a_long_tensor_is_rewritten_in_turns() -> None:
    node = KServeV2(outputs={"p": "probabilities"}).answer()
    tensor = {"name": "p", "datatype": "FP32", "shape": [12_000, 4], "data": [0.25] * 48_000}
    document = orjson.dumps({"model_name": MODEL, "outputs": [tensor]})
    edits = tier({"probabilities": [Round(digits=1)]})
    values = ValueStream(node, Rewrite(edits, MODEL), 1 << 20)
    turns, after = list[None](), b""

    def rewritten() -> Iterator[None]:
        nonlocal after
        after = yield from values.turns(document)

    turns += rewritten()
    after += values.finish()
    assert len(turns) > 3
    assert (orjson.loads(after), Counter[str]()) == tree(node, document, edits)
