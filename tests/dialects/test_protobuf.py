"""The reader and writer of messages, against protobuf's own."""

from collections import Counter
from typing import Any

import hypothesis.strategies as st
import numpy as np
import pytest
from hypothesis import given

from extproc.dialects import protobuf
from extproc.dialects.protobuf import (
    MOST_FIELDS,
    Field,
    Form,
    Schema,
    count,
    decode,
    encode,
    integers,
    numbers,
    packed,
    varint,
    written,
)
from extproc.errors import Malformed
from tests.protos import message

INNER: Schema = {2: Field("value", Form.FIXED32, repeated=True)}
SCHEMA: Schema = {
    1: Field("number", Form.VARINT),
    2: Field("name", Form.STRING),
    3: Field("octets", Form.BYTES),
    4: Field("float", Form.FIXED32),
    5: Field("double", Form.FIXED64),
    6: Field("inner", INNER),
    7: Field("sizes", Form.VARINT, repeated=True),
    8: Field("strings", Form.STRING, repeated=True),
    9: Field("inners", INNER, repeated=True),
    10: Field("doubles", Form.FIXED64, repeated=True),
}
CONTENTS: Schema = {
    1: Field("bool_contents", Form.VARINT, repeated=True),
    2: Field("int_contents", Form.VARINT, repeated=True),
    3: Field("int64_contents", Form.VARINT, repeated=True),
    4: Field("uint_contents", Form.VARINT, repeated=True),
    5: Field("uint64_contents", Form.VARINT, repeated=True),
    6: Field("fp32_contents", Form.FIXED32, repeated=True),
    7: Field("fp64_contents", Form.FIXED64, repeated=True),
    8: Field("bytes_contents", Form.BYTES, repeated=True),
}
REQUEST: Schema = {
    1: Field("model_name", Form.STRING),
    3: Field("id", Form.STRING),
    5: Field(
        "inputs",
        {1: Field("name", Form.STRING), 3: Field("shape", Form.VARINT, repeated=True)},
        repeated=True,
    ),
    7: Field("raw_input_contents", Form.BYTES, repeated=True),
}


def nothing_dropped(place: str) -> None:
    raise AssertionError(place)


def read(octets: bytes, schema: Schema = SCHEMA) -> tuple[Any, Counter[str]]:
    dropped: Counter[str] = Counter()
    found = decode(octets, schema, lambda place: dropped.update([place]))
    return found, dropped


class TestOracle:
    @given(
        st.lists(st.booleans(), max_size=3),
        st.lists(st.integers(-(2**31), 2**31 - 1), max_size=3),
        st.lists(st.integers(-(2**63), 2**63 - 1), max_size=3),
        st.lists(st.integers(0, 2**64 - 1), max_size=3),
        st.lists(st.floats(width=32), max_size=3),
        st.lists(st.floats(), max_size=3),
        st.lists(st.binary(max_size=200), max_size=3),
    )
    def test_what_protobuf_writes_is_read_and_written_the_same(
        self,
        bools: Any,
        ints: Any,
        longs: Any,
        unsigned: Any,
        floats: Any,
        doubles: Any,
        strings: Any,
    ) -> None:
        theirs = message("inference.InferTensorContents")(
            bool_contents=bools,
            int_contents=ints,
            int64_contents=longs,
            uint64_contents=unsigned,
            fp32_contents=floats,
            fp64_contents=doubles,
            bytes_contents=strings,
        )
        octets = theirs.SerializeToString()
        found = decode(octets, CONTENTS, nothing_dropped)
        assert encode(found, CONTENTS) == octets
        assert integers(found.get("int64_contents", b""), 3) == longs
        assert numbers(found.get("uint64_contents", b"")).tolist() == unsigned
        assert count(Form.VARINT, found.get("int_contents", b"")) == len(ints)
        assert count(Form.FIXED32, found.get("fp32_contents", b"")) == len(floats)
        assert [bytes(item) for item in found.get("bytes_contents", [])] == strings

    @given(st.text(max_size=300), st.lists(st.binary(max_size=200), max_size=3))
    def test_what_is_written_protobuf_reads(self, name: str, raws: list[bytes]) -> None:
        inputs = [{"name": name, "shape": written(2) + written(300)}]
        ours: dict[str, Any] = {"model_name": name, "inputs": inputs, "raw_input_contents": raws}
        theirs = message("inference.ModelInferRequest").FromString(encode(ours, REQUEST))
        assert theirs.model_name == theirs.inputs[0].name == name
        assert theirs.inputs[0].shape == [2, 300]
        assert list(theirs.raw_input_contents) == raws

    def test_what_the_schema_does_not_name_is_dropped_and_counted(self) -> None:
        theirs = message("inference.ModelInferRequest")(model_name="m", model_version="s3cret")
        theirs.parameters["s3cret"].int64_param = 31337
        theirs.inputs.add(name="x", datatype="s3cret", shape=[1])
        theirs.inputs.add(name="y", datatype="s3cret").contents.fp32_contents.append(31337)
        theirs.outputs.add(name="s3cret")
        found, dropped = read(theirs.SerializeToString(), REQUEST)
        assert dropped == {"*": 3, "inputs[].*": 3}
        kept = encode(found, REQUEST)
        assert b"s3cret" not in kept
        read_again = message("inference.ModelInferRequest").FromString(kept)
        assert [item.name for item in read_again.inputs] == ["x", "y"]


class TestForms:
    @given(
        st.fixed_dictionaries(
            {},
            optional={
                "number": st.integers(0, 2**64 - 1),
                "name": st.text(max_size=4),
                "octets": st.binary(max_size=4),
                "float": st.binary(min_size=4, max_size=4),
                "double": st.binary(min_size=8, max_size=8),
                "inner": st.fixed_dictionaries({"value": st.just(b"abcdefgh")}),
                "sizes": st.just(b"\x05\x80\x01"),
                "strings": st.lists(st.text(max_size=3), min_size=1, max_size=3),
                "inners": st.lists(st.just({}), min_size=1, max_size=3),
                "doubles": st.just(b"12345678"),
            },
        )
    )
    def test_every_form_comes_back(self, value: Any) -> None:
        assert decode(encode(value, SCHEMA), SCHEMA, nothing_dropped) == value

    def test_numbers_may_stand_apart_or_in_pieces(self) -> None:
        apart = b"\x38\x05" + b"\x3a\x03\x80\x01\x07" + b"\x38\x81\x01"
        found, _ = read(apart)
        assert integers(found["sizes"], 9) == [5, 128, 7, 129]
        floats = b"\x51" + b"12345678" + b"\x52\x08" + b"abcdefgh"
        assert read(floats)[0] == {"doubles": b"12345678abcdefgh"}

    def test_a_tensor_is_not_copied_before_it_is_written(self) -> None:
        octets = b"\x1a\x04abcd"
        assert read(octets)[0]["octets"].obj is octets

    def test_unknown_fields_of_every_wire_type_go(self) -> None:
        unknown = b"\xa0\x06\x01" + b"\xa1\x0612345678" + b"\xa2\x06\x02hi" + b"\xa5\x061234"
        found, dropped = read(unknown + b"\x08\x07")
        assert (found, dropped) == ({"number": 7}, {"*": 4})

    def test_a_negative_number_is_written_in_ten_octets(self) -> None:
        assert integers(written(-1), 1) == [-1]
        assert len(written(-1)) == 10


class TestMalformed:
    @pytest.mark.parametrize(
        ("octets", "why"),
        [
            (b"\x08", "cut short"),
            (b"\x08\x80", "cut short"),
            (b"\x80", "cut short"),
            (b"\x08" + b"\xff" * 10 + b"\x01", "too long"),
            (b"\x12\x05abc", "cut short"),
            (b"\x25abc", "cut short"),
            (b"\x29abc", "cut short"),
            (b"\x0b\x0c", "unknown wire type"),  # a group
            (b"\x0e", "unknown wire type"),
            (b"\x0a\x01a", "another wire type"),
            (b"\x10\x01", "another wire type"),
            (b"\x1d1234", "another wire type"),
            (b"\x35abcd", "another wire type"),
            (b"\x3d1234", "another wire type"),
            (b"\x40\x01", "another wire type"),
            (b"\x08\x01\x08\x01", "number stands twice"),
            (b"\x32\x00\x32\x00", "inner stands twice"),
            (b"\x12\x01\xff", "name is not UTF-8"),
            (b"\x4a\x02\x0a\x05", "cut short"),
            (b"\x22\x00" * 2, "another wire type"),
        ],
    )
    def test_what_no_parser_should_take_is_refused(self, octets: bytes, why: str) -> None:
        with pytest.raises(Malformed, match=why):
            read(octets)

    def test_fields_are_bounded_wherever_they_stand(self) -> None:
        few = b"\x4a\x00" * MOST_FIELDS
        assert len(read(few)[0]["inners"]) == MOST_FIELDS
        inside = b"\x32" + written(len(few)) + few
        for octets in (few + b"\x08\x01", inside, b"\xa0\x06\x01" * (MOST_FIELDS + 1)):
            with pytest.raises(Malformed, match="more than"):
                read(octets)

    @pytest.mark.parametrize("octets", [b"\x80", b"\x01\x80", b"\x80" * 10 + b"\x01"])
    def test_packed_numbers_have_an_end(self, octets: bytes) -> None:
        for reader in (lambda o: count(Form.VARINT, o), numbers, lambda o: integers(o, 9)):
            with pytest.raises(Malformed, match=r"number is cut short|too long"):
                reader(octets)

    def test_packed_numbers_are_whole(self) -> None:
        for form, size in ((Form.FIXED32, 4), (Form.FIXED64, 8)):
            assert count(form, b"x" * 3 * size) == 3
            with pytest.raises(Malformed, match="cut short"):
                count(form, b"x" * (3 * size + 1))

    def test_sizes_are_few(self) -> None:
        assert integers(b"\x01\x02", 2) == [1, 2]
        with pytest.raises(Malformed, match="more than 2 numbers"):
            integers(b"\x01\x02\x03", 2)

    @given(st.binary(max_size=60))
    def test_any_octets_are_a_message_or_malformed(self, octets: bytes) -> None:
        try:
            found, _ = read(octets)
        except Malformed:
            return
        again = encode(found, SCHEMA)
        assert encode(decode(again, SCHEMA, nothing_dropped), SCHEMA) == again


@given(st.lists(st.integers(0, 2**16 - 1)))
def test_halves_are_packed_as_protobuf_packs_them(values: list[int]) -> None:
    octets = packed(np.array(values, np.uint16))
    assert octets == b"".join(map(written, values))
    assert numbers(octets).tolist() == values


@given(st.integers(0, 2**64 - 1))
def test_a_number_is_read_as_it_was_written(value: int) -> None:
    assert varint(written(value), 0) == (value, len(written(value)))


def test_a_varint_has_no_more_than_64_bits() -> None:
    assert varint(b"\xff" * 9 + b"\x7f", 0)[0] == 2**64 - 1
    assert protobuf.signed(2**64 - 1) == -1
