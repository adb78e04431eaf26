"""KServe v2 with raw tensors behind the JSON."""

from typing import Any

import numpy as np
import orjson
import pytest

from extproc.dialects import KServeV2
from extproc.dialects.answers import Body, Whole, at_once
from extproc.dialects.gate import Terms
from extproc.dialects.kserve_v2 import BINARY, LENGTH
from extproc.dialects.shape import Rewrite
from extproc.errors import ClientError, UpstreamError
from extproc.mutators import LabelOnly, Round, Truncate
from extproc.prediction import KINDS, Prediction
from tests.dialects.tiers import MODEL, OPEN, Edits, tier

KSERVE = KServeV2(
    outputs={"probs": "probabilities", "price": "score", "vector": "embedding", "class": "label"}
)
OCTETS = {"content-type": BINARY}
F4 = np.array([0.5, 0.25], "<f4").tobytes()


def packed(fields: dict[str, Any], *tensors: bytes) -> tuple[bytes, dict[str, str]]:
    """A body, and the header field that belongs to it."""
    head = orjson.dumps(fields)
    return head + b"".join(tensors), {LENGTH: str(len(head))}


def raw(
    name: str, octets: bytes, shape: list[int], datatype: str = "FP32", **more: Any
) -> dict[str, Any]:
    size = {"parameters": {"binary_data_size": len(octets)}}
    return {"name": name, "shape": shape, "datatype": datatype, **size, **more}


def strings(*items: bytes) -> bytes:
    return b"".join(len(item).to_bytes(4, "little") + item for item in items)


class TestRequest:
    def test_the_length_of_the_json_is_written_anew(self) -> None:
        outputs = [{"name": "probs", "parameters": {"binary_data": True, "classification": 3}}]
        body, length = packed({"inputs": [raw("x", F4, [2, 1])], "outputs": outputs}, F4)
        asked = KSERVE.read(body, OCTETS | length | {"model": "m"}, Terms(KINDS))
        size = int(asked.set_headers[LENGTH])
        head, tail = orjson.loads(asked.body[:size]), asked.body[size:]
        assert head["outputs"] == [{"name": "probs", "parameters": {"binary_data": True}}]
        assert tail == F4
        assert size < int(length[LENGTH])
        assert asked.query.inputs == 2

    def test_what_needs_no_change_goes_on_byte_for_byte(self) -> None:
        words = strings(b"a", b"")
        body, length = packed(
            {"inputs": [raw("x", F4, [2]), raw("y", words, [2], "BYTES")]}, F4, words
        )
        asked = KSERVE.read(body, OCTETS | length, Terms(KINDS))
        assert (asked.body, asked.set_headers) == (body, length)
        assert len(asked.inputs) == 2
        assert [name for name, _ in asked.inputs[0]] == ["x", "y"]

    def test_json_and_raw_tensors_may_stand_together(self) -> None:
        listed = {"name": "y", "shape": [2], "datatype": "INT64", "data": [1, 2]}
        body, length = packed({"inputs": [listed, raw("x", F4, [2])]}, F4)
        assert KSERVE.read(body, OCTETS | length, Terms(KINDS)).body == body

    def test_json_alone_may_say_its_length(self) -> None:
        listed = {"name": "y", "shape": [2], "datatype": "INT64", "data": [1, 2]}
        body, length = packed({"inputs": [listed]})
        asked = KSERVE.read(body, {"content-type": "application/json", **length}, Terms(()))
        assert (asked.body, asked.set_headers) == (body, length)

    def test_a_body_that_is_all_tensor_is_refused(self) -> None:
        """Triton takes it for the one input of a model, unread."""
        body, _ = packed({"inputs": [raw("x", F4, [2])]}, F4)
        for types in (BINARY, f"{BINARY}; charset=utf-8", BINARY.upper()):
            with pytest.raises(ClientError, match=f"needs {LENGTH}"):
                KSERVE.read(body, {"content-type": types}, Terms(KINDS))

    @pytest.mark.parametrize("length", ["", "x", "-1", "1e3", "99999", "٣", "5, 5", "9" * 5000])
    def test_a_length_is_a_number_within_the_body(self, length: str) -> None:
        body, _ = packed({"inputs": [raw("x", F4, [2])]}, F4)
        with pytest.raises(ClientError, match="not the length"):
            KSERVE.read(body, OCTETS | {LENGTH: length}, Terms(KINDS))

    @pytest.mark.parametrize(
        ("tensor", "tail", "why"),
        [
            (raw("x", F4, [2]), F4 + b"x", "octets of no input"),
            (raw("x", F4, [2]), F4[:-1], "not that of its octets"),
            (raw("x", F4, [2], data=[0.5, 0.25]), F4, "not that of its octets"),
            (raw("x", F4, [3]), F4, "does not fill its shape"),
            (raw("x", F4, [2], "FP64"), F4, "does not fill its shape"),
            (raw("x", F4 + b"x", [2]), F4 + b"x", "does not fill its shape"),
            (raw("x", F4, [2], "FP128"), F4, "unknown datatype"),
            (raw("x", F4, [2], "BYTES"), F4, "cut short"),
            (raw("x", F4, [2]) | {"parameters": {"binary_data_size": "8"}}, F4, "octets"),
            (raw("x", F4, [2]) | {"parameters": {"binary_data_size": -8}}, F4, "octets"),
            (raw("x", F4, [2]) | {"parameters": {"binary_data_size": True}}, F4, "octets"),
            (raw("x", F4, [2]) | {"parameters": None}, F4, "octets of no input"),
        ],
    )
    def test_every_octet_belongs_to_an_input(
        self, tensor: dict[str, Any], tail: bytes, why: str
    ) -> None:
        body, length = packed({"inputs": [tensor]}, tail)
        with pytest.raises(ClientError, match=why):
            KSERVE.read(body, OCTETS | length, Terms(KINDS))


def shown(
    answer: tuple[bytes, dict[str, str]], edits: Edits
) -> tuple[dict[str, Any], list[bytes], Rewrite]:
    """The JSON, the raw tensors behind it, and what was dropped."""
    body, headers = answer
    reading = KSERVE.answers()[BINARY]
    assert isinstance(reading, Body)
    run = Rewrite(edits, MODEL)
    whole = reading.reading.rewrite(body, headers, run)
    whole = whole if isinstance(whole, Whole) else at_once(whole)
    size = int(whole.set_headers[LENGTH])
    head, tail = orjson.loads(whole.body[:size]), whole.body[size:]
    tensors = []
    for output in head["outputs"]:
        if "parameters" in output:
            here = output["parameters"]["binary_data_size"]
            tensors.append(tail[:here])
            tail = tail[here:]
    assert tail == b""
    return head, tensors, run


SECRETS = strings(b"s3cret")


class TestAnswer:
    def test_each_tensor_is_reduced_and_both_lengths_are_true(self) -> None:
        answer = packed(
            {
                "model_name": "m-s3cret",
                "model_version": "s3cret",
                "id": "42",
                "parameters": {"s3cret": 31337},
                "outputs": [
                    raw("hidden", SECRETS, [1], "BYTES"),
                    raw("probs", F4, [1, 2], s3cret=1),
                    {"name": "price", "shape": [1], "datatype": "FP64", "data": [1.25]},
                    raw("vector", F4, [1, 2]),
                    raw("class", strings(b"cat"), [1], "BYTES"),
                ],
            },
            *(SECRETS, F4, F4, strings(b"cat")),
        )
        kinds: Any = {
            "probabilities": [LabelOnly()],
            "score": [Round(digits=1)],
            "embedding": [Truncate(dimensions=1)],
            "label": [],
        }
        head, tensors, run = shown(answer, tier(kinds))
        assert "s3cret" not in str(head)
        assert [output["name"] for output in head["outputs"]] == [
            *("probs", "price", "vector", "class")
        ]
        assert head["outputs"][0] == raw("probs", F4, [1, 2])
        assert head["outputs"][1]["data"] == [1.2]
        assert head["outputs"][2]["shape"] == [1, 1]
        assert np.frombuffer(tensors[0], "<f4").tolist() == [1, 0]
        assert tensors[1:] == [np.array([0.5], "<f4").tobytes(), strings(b"cat")]
        assert run.dropped == {
            "model_name": 1,
            "model_version": 1,
            "*": 1,
            "outputs[](tensor)": 1,
            "outputs[].*": 1,
        }

    @pytest.mark.parametrize("datatype", ["FP16", "BF16", "FP32", "FP64"])
    def test_every_floating_type_is_read_and_written(self, datatype: str) -> None:
        values = np.array([0.75, 0.25])
        if datatype == "BF16":
            octets = (values.astype("<f4").view("<u4") >> 16).astype("<u2").tobytes()
        else:
            octets = values.astype(f"<f{int(datatype[2:]) // 8}").tobytes()
        answer = packed({"outputs": [raw("probs", octets, [2], datatype)]}, octets)
        _, tensors, _ = shown(answer, OPEN)
        assert tensors == [octets]
        _, tensors, _ = shown(answer, tier({"probabilities": [LabelOnly()]}))
        one = {"BF16": b"\x80\x3f", "FP16": b"\x00\x3c"}.get(datatype)
        assert tensors[0].startswith(one or np.float64(1).astype(f"<f{len(octets) // 2}").tobytes())

    def test_what_a_mutator_withholds_is_taken_out_with_its_octets(self) -> None:
        def certain(_source: object, prediction: Prediction) -> None:
            return None

        answer = packed(
            {"outputs": [raw("probs", F4, [2]), raw("class", F4, [2], "INT32")]}, F4, F4
        )
        head, tensors, run = shown(answer, {"probabilities": certain, "label": None})
        assert [output["name"] for output in head["outputs"]] == ["class"]
        assert tensors == [F4]
        assert run.dropped == {"outputs[](probabilities)": 1}

    def test_a_repeated_key_does_not_pass(self) -> None:
        head = b'{"outputs":[],"id":"s3cret","id":"x"}'
        reading = KSERVE.answers()[BINARY]
        assert isinstance(reading, Body)
        steps: Any = reading.reading.rewrite(head, {LENGTH: str(len(head))}, Rewrite(OPEN, MODEL))
        assert at_once(steps).body == b'{"outputs":[],"id":"x"}'

    def test_what_is_nested_too_deeply_does_not_pass(self) -> None:
        deep = b'{"outputs":[],"x":' + b"[" * 900 + b"]" * 900 + b"}"
        reading = KServeV2(allow_response=("x",)).answers()[BINARY]
        assert isinstance(reading, Body)
        steps: Any = reading.reading.rewrite(deep, {LENGTH: str(len(deep))}, Rewrite(OPEN, MODEL))
        with pytest.raises(UpstreamError, match="too deeply"):
            at_once(steps)

    @pytest.mark.parametrize(
        ("answer", "why"),
        [
            ((b'{"outputs":[]}', {}), "not the length"),
            ((b'{"outputs":[]}', {LENGTH: "99"}), "not the length"),
            ((b'{"outputs":[]}', {LENGTH: "-1"}), "not the length"),
            ((b'{"outputs":[]}', {LENGTH: "5"}), "not valid JSON"),
            (packed({"outputs": []}, b"s3cret"), "octets of no tensor"),
            (packed({}, b"s3cret"), "octets of no tensor"),
            (packed({"outputs": [raw("probs", F4, [2])]}, F4 + b"x"), "octets of no tensor"),
            (packed({"outputs": [raw("probs", F4, [2])]}, F4[:-1]), "not the size"),
            (packed({"outputs": [raw("probs", F4, [3])]}, F4), "does not fill its shape"),
            (packed({"outputs": [raw("logits", F4, [3])]}, F4), "does not fill its shape"),
            (packed({"outputs": [raw("probs", F4, [2], "FP128")]}, F4), "unknown datatype"),
            (packed({"outputs": [raw("probs", F4, [2], "INT32")]}, F4), "holds INT32"),
            (packed({"outputs": [raw("class", F4, [2])]}, F4), "numbers with fractions"),
            (packed({"outputs": [raw("probs", F4, [2], data=[0.5, 0.5])]}, F4), "not a tensor"),
            (packed({"outputs": [raw("probs", F4, [2], data=None)]}, F4), "not a tensor"),
            (packed({"outputs": [{"name": "probs", "parameters": {}}]}), "not a tensor"),
            (packed({"error": "s3cret"}), "reports an error"),
        ],
    )
    def test_an_answer_that_is_not_what_it_says_does_not_pass(
        self, answer: tuple[bytes, dict[str, str]], why: str
    ) -> None:
        with pytest.raises(UpstreamError, match=why):
            shown(answer, OPEN)

    def test_numbers_that_are_none_are_no_probabilities(self) -> None:
        for values in ([np.nan, 0.5], [0.5, np.nan], [np.inf, 0], [-np.inf, np.inf], [np.nan]):
            octets = np.array(values, "<f4").tobytes()
            answer = packed({"outputs": [raw("probs", octets, [len(values)])]}, octets)
            with pytest.raises(UpstreamError, match="declared probabilities"):
                shown(answer, OPEN)

    def test_scores_hidden_in_raw_labels_make_the_answer_unreadable(self) -> None:
        octets = strings(b"tabby", b"0.93:281:tabby")
        answer = packed({"outputs": [raw("class", octets, [2], "BYTES")]}, octets)
        with pytest.raises(UpstreamError, match="hides scores"):
            shown(answer, OPEN)

    def test_raw_tensors_of_a_document_without_them_are_no_tensors(self) -> None:
        """In an answer of JSON alone nothing stands behind it."""
        tree, run = KSERVE.answer(), Rewrite(OPEN, MODEL)
        with pytest.raises(UpstreamError, match="is not a tensor"):
            tree.rewrite({"outputs": [raw("probs", F4, [2])]}, run, "")
