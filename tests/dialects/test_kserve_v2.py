"""KServe v2: a tensor is what its route says, or it is nobody's."""

import json
from typing import Any

import hypothesis.strategies as st
import orjson
import pytest
from hypothesis import given

from extproc.dialects import KServeV2
from extproc.dialects.gate import Terms
from extproc.dialects.tensor import DeclaredKind
from extproc.draw import Source
from extproc.errors import ClientError, UpstreamError
from extproc.mutators import Drop, LabelOnly, Mutator, Quantize, Round, TopK, Truncate
from extproc.prediction import (
    KINDS,
    Embedding,
    Kind,
    Logprobs,
    Prediction,
    Probabilities,
    Query,
    Score,
    Token,
)
from extproc.refusal import UNKNOWN_MODEL
from tests.corpus import answers, body
from tests.dialects.tiers import MODEL, OPEN, Edits, is_untouched, leaves, served, tier

OUTPUTS: dict[str, DeclaredKind] = {
    "probs": "probabilities",
    "price": "score",
    "vector": "embedding",
    "class": "label",
    "label": "label",
}
KSERVE = KServeV2(outputs=OUTPUTS)
ANSWER = KSERVE.answer()
INPUT: dict[str, Any] = {"name": "x", "shape": [2, 4], "datatype": "FP32", "data": [0.5] * 8}
NUMBERS = ["FP16", "FP32", "FP64", "BF16"]
INTEGERS = ["INT8", "INT16", "INT32", "INT64", "UINT8", "UINT16", "UINT32", "UINT64"]


def tensor(
    name: str, data: Any, shape: list[int] | None = None, datatype: str = "FP32"
) -> dict[str, Any]:
    shape = [len(data)] if shape is None else shape
    return {"name": name, "datatype": datatype, "shape": shape, "data": data}


def holding(*outputs: Any) -> bytes:
    return json.dumps({"model_name": MODEL, "outputs": outputs}).encode()


def shown(output: dict[str, Any], edits: Edits) -> Any:
    """The one output as served, None where it was dropped."""
    answer, dropped = served(ANSWER, holding(output), edits)
    assert bool(dropped) is (answer["outputs"] == [])
    return answer["outputs"][0] if answer["outputs"] else None


def edited(output: dict[str, Any], kind: Kind, *mutators: Mutator) -> Any:
    return shown(output, tier({kind: mutators}))


EVERYTHING: dict[str, Any] = {
    "model_name": "digits",
    "model_version": "3",
    "id": "42",
    "parameters": {"sequence_id": 7, "logits": [1.5]},
    "outputs": [
        {**tensor("probs", [0.75, 0.25]), "parameters": {"scale": 0.5}},
        {**tensor("price", [0.5]), "raw": [0.5]},
        tensor("vector", [0.5, -0.5]),
        tensor("class", ["seven"], datatype="BYTES"),
        tensor("logits", [1.5, -1.5]),
        tensor("hidden", [0.25], datatype="FP16"),
    ],
    "raw_output_contents": ["AAAA"],
}
ROLES: dict[str, Kind] = {
    "probs": "probabilities",
    "price": "score",
    "vector": "embedding",
    "class": "label",
    "logits": "tensor",
    "hidden": "tensor",
}


class TestRequest:
    def test_a_request_without_outputs_goes_on_byte_for_byte(self) -> None:
        original = orjson.dumps({"id": "1", "inputs": [INPUT]}, option=orjson.OPT_INDENT_2)
        asked = KSERVE.read(original, {"model": "digits"}, Terms(()))
        assert asked.body is original
        assert asked.query == Query("digits", inputs=2)

    def test_a_model_named_in_the_body_does_not_go_on_beside_the_paths(self) -> None:
        """KServe's own client writes it there too; a server could take it for the model asked."""
        asked = orjson.dumps({"model_name": "other", "model_version": "9", "inputs": [INPUT]})
        found = KSERVE.read(asked, {"model": "digits"}, Terms(()))
        assert orjson.loads(found.body) == {"inputs": [INPUT]}
        assert found.query.model == "digits"
        assert found.changed == {"model_name": 1, "model_version": 1}

    def test_outputs_are_asked_for_by_name_and_only_where_they_may_be_answered(self) -> None:
        """``classification`` would hide scores in strings."""
        original = body("kserve_v2/request.json")
        asked = KSERVE.read(original, {"model": "digits"}, Terms({"probabilities", "label"}))
        assert orjson.loads(asked.body) == orjson.loads(original) | {
            "outputs": [{"name": "probs", "parameters": {"binary_data": True}}, {"name": "label"}]
        }
        assert asked.changed == {"outputs": 1}

    def test_outputs_that_may_all_be_answered_go_on_byte_for_byte(self) -> None:
        outputs = [{"name": "probs", "parameters": {"binary_data": False}}, {"name": "label"}]
        original = orjson.dumps({"inputs": [INPUT], "outputs": outputs})
        asked = KSERVE.read(original, {}, Terms(KINDS))
        assert (asked.body, asked.changed) == (original, {})

    @pytest.mark.parametrize("parameters", [None, [], {"binary_data": 1}, {"binary": True}])
    def test_a_parameter_of_an_output_that_is_not_known_goes(self, parameters: Any) -> None:
        outputs = [{"name": "probs", "parameters": parameters}]
        asked = KSERVE.read(orjson.dumps({"inputs": [INPUT], "outputs": outputs}), {}, Terms(KINDS))
        assert orjson.loads(asked.body)["outputs"] == [{"name": "probs"}]

    def test_raw_tensors_may_be_asked_for(self) -> None:
        original = orjson.dumps({"inputs": [INPUT], "parameters": {"binary_data_output": True}})
        assert KSERVE.read(original, {}, Terms(())).body == original
        with pytest.raises(ClientError, match="binary_data_output"):
            KSERVE.read(original.replace(b"true", b"1"), {}, Terms(()))

    @pytest.mark.parametrize("name", ["sequence_id", "priority", "timeout"])
    def test_what_reaches_beyond_the_request_is_refused(self, name: str) -> None:
        asked = orjson.dumps({"inputs": [INPUT], "parameters": {name: 7}})
        with pytest.raises(ClientError, match=name):
            KSERVE.read(asked, {}, Terms(KINDS))

    def test_what_is_asked_about_is_each_row(self) -> None:
        asked = KSERVE.read(orjson.dumps({"inputs": [INPUT]}), {}, Terms(()))
        assert len(asked.inputs) == 2
        assert asked.inputs[0] == asked.inputs[1]

    def test_an_output_nobody_declared_is_a_tensor(self) -> None:
        asked = orjson.dumps({"inputs": [INPUT], "outputs": [{"name": "logits"}]})
        sent = orjson.loads(KSERVE.read(asked, {}, Terms({"tensor"})).body)
        assert sent["outputs"] == [{"name": "logits"}]
        with pytest.raises(ClientError, match="None of the requested outputs"):
            KSERVE.read(asked, {}, Terms(set(KINDS) - {"tensor"}))

    @pytest.mark.parametrize(
        "outputs",
        [
            [],
            {},
            "probs",
            ["probs"],
            [None],
            [{}],
            [{"name": 7}],
            [{"name": ["probs"]}],
            [{"Name": "probs"}],
            False,
            0,
        ],
    )
    def test_outputs_that_name_nothing_are_refused(self, outputs: Any) -> None:
        with pytest.raises(ClientError, match="output"):
            KSERVE.read(orjson.dumps({"inputs": [INPUT], "outputs": outputs}), {}, Terms(KINDS))

    def test_no_outputs_may_be_null(self) -> None:
        original = orjson.dumps({"inputs": [INPUT], "outputs": None})
        assert KSERVE.read(original, {}, Terms(())).body is original

    @pytest.mark.parametrize("unknown", ["Parameters", "Outputs", "raw_input_contents", "logits"])
    def test_an_unknown_argument_is_refused(self, unknown: str) -> None:
        asked = orjson.dumps({"inputs": [INPUT], unknown: {"binary_data_output": True}})
        with pytest.raises(ClientError, match=unknown):
            KSERVE.read(asked, {}, Terms(KINDS))

    @pytest.mark.parametrize("unknown", ["contents", "Data"])
    def test_an_unknown_field_of_an_input_is_refused(self, unknown: str) -> None:
        asked = orjson.dumps({"inputs": [INPUT, {**INPUT, unknown: [1]}]})
        with pytest.raises(ClientError, match=rf"Unrecognized .*'inputs\[\]\.{unknown}'"):
            KSERVE.read(asked, {}, Terms(KINDS))

    @pytest.mark.parametrize("unknown", ["region", "byte_size", "offset"])
    @pytest.mark.parametrize("kserve", [KSERVE, KServeV2(unknown="strip")])
    def test_shared_memory_is_refused_whatever_happens_to_unknown_fields(
        self, unknown: str, kserve: KServeV2
    ) -> None:
        shared = {**INPUT, "parameters": {f"shared_memory_{unknown}": 16}}
        with pytest.raises(ClientError, match=f"shared_memory_{unknown}"):
            kserve.read(orjson.dumps({"inputs": [shared]}), {}, Terms(KINDS))

    def test_a_long_field_name_is_cut_short(self) -> None:
        with pytest.raises(ClientError) as caught:
            KSERVE.read(orjson.dumps({"inputs": [{**INPUT, "x" * 999: 1}]}), {}, Terms(KINDS))
        assert len(str(caught.value)) < 120

    @pytest.mark.parametrize(
        ("shapes", "count"),
        [([[2, 4]], 2), ([[64]], 64), ([[1], [64, 4]], 64), ([[64, 4], [1]], 64), ([[0, 4]], 0)],
    )
    def test_a_batch_is_counted_by_the_largest_of_its_inputs(
        self, shapes: list[list[int]], count: int
    ) -> None:
        inputs = [{**INPUT, "shape": shape} for shape in shapes]
        assert KSERVE.read(orjson.dumps({"inputs": inputs}), {}, Terms(())).query == Query(
            "", count
        )

    @pytest.mark.parametrize(
        "inputs",
        [
            None,
            [],
            {},
            "x",
            [7],
            [{}],
            [{"shape": []}],
            [{"shape": 2}],
            [{"shape": ["2"]}],
            [{"shape": [-1]}],
            [{"shape": [True]}],
            [{"shape": [2.0]}],
            [{"shape": [[2]]}],
            [INPUT, {"name": "y"}],
        ],
    )
    def test_inputs_that_cannot_be_counted_are_refused(self, inputs: Any) -> None:
        with pytest.raises(ClientError, match="'inputs"):
            KSERVE.read(orjson.dumps({"inputs": inputs}), {}, Terms(()))


class TestAnswer:
    @given(st.sets(st.sampled_from(KINDS)))
    def test_a_tier_passes_the_structure_and_the_tensors_of_its_kinds(
        self, granted: set[Kind]
    ) -> None:
        answer, dropped = served(ANSWER, orjson.dumps(EVERYTHING), dict.fromkeys(granted))
        outputs = answer.pop("outputs")
        assert [output["name"] for output in outputs] == [
            name for name, kind in ROLES.items() if kind in granted
        ]
        assert {path for output in outputs for path in leaves(output)} <= {
            "name",
            "datatype",
            "shape[]",
            "data[]",
        }
        identity = {"model_version": "3"} if "identity" in granted else {}
        assert answer.pop("model_name") == ("digits" if identity else MODEL)
        assert answer == {"id": "42", **identity}
        assert dropped["*"] == 2
        assert dropped["outputs[].*"] == len({"probabilities", "score"} & granted)
        assert dropped["outputs[](tensor)"] == (0 if "tensor" in granted else 2)

    @pytest.mark.parametrize("document", answers("kserve_v2"))
    def test_an_answer_of_known_fields_is_untouched(self, document: bytes) -> None:
        known, _ = served(ANSWER, document, OPEN)
        assert is_untouched(ANSWER, orjson.dumps(known), OPEN)
        edits = tier({"probabilities": [TopK(k=9)], "embedding": [Truncate(dimensions=9)]})
        assert is_untouched(ANSWER, orjson.dumps(known), OPEN | edits)

    def test_null_stays_null(self) -> None:
        for document in ({"outputs": None, "id": None, "model_version": None}, {"error": None}):
            assert is_untouched(ANSWER, orjson.dumps(document), {})

    def test_a_field_passes_where_the_policy_names_it(self) -> None:
        tree = KServeV2(outputs=OUTPUTS, allow_response=("parameters",)).answer()
        answer, _ = served(tree, orjson.dumps(EVERYTHING), {})
        assert answer["parameters"] == EVERYTHING["parameters"]

    @pytest.mark.parametrize("path", ["outputs", "outputs.parameters", "model_version"])
    def test_a_policy_cannot_open_an_output_by_name(self, path: str) -> None:
        with pytest.raises(KeyError):
            KServeV2(allow_response=(path,)).answer()

    def test_an_answer_that_reports_an_error_does_not_pass(self) -> None:
        with pytest.raises(UpstreamError, match="reports an error"):
            served(ANSWER, b'{"error":"gpu-07 is out of memory"}', OPEN)


class TestEdits:
    def test_every_row_of_probabilities_is_edited(self) -> None:
        batch = tensor("probs", [0.75, 0.2, 0.05, 0.1, 0.2, 0.7], [2, 3])
        assert edited(batch, "probabilities", TopK(k=1)) == {
            **batch,
            "data": [0.75, 0, 0, 0, 0, 0.7],
        }
        assert edited(batch, "probabilities", LabelOnly())["data"] == [1, 0, 0, 0, 0, 1]

    def test_nested_data_stays_nested(self) -> None:
        batch = tensor("probs", [[[0.75, 0.25], [0.4, 0.6]]], [1, 2, 2])
        assert edited(batch, "probabilities", LabelOnly())["data"] == [[[1, 0], [0, 1]]]

    def test_every_number_of_a_score_is_rounded_for_itself(self) -> None:
        batch = tensor("price", [[1249.517, -0.125], [3.25, 1e30]], [2, 2])
        assert edited(batch, "score", Round(digits=1))["data"] == [[1249.5, -0.1], [3.2, 1e30]]

    def test_a_shorter_vector_has_a_smaller_shape(self) -> None:
        flat = tensor("vector", [0.6, 0.0, 0.8, 3.0, 4.0, 0.0], [2, 3])
        served_flat = edited(flat, "embedding", Truncate(dimensions=2))
        assert served_flat == {**flat, "shape": [2, 2], "data": [1, 0, 3, 4]}
        nested = tensor("vector", [[0.6, 0.0, 0.8], [3.0, 4.0, 0.0]], [2, 3])
        served_nested = edited(nested, "embedding", Truncate(dimensions=2))
        assert served_nested == {**nested, "shape": [2, 2], "data": [[1, 0], [3, 4]]}

    def test_the_order_of_fields_stays(self) -> None:
        output = dict(reversed(tensor("vector", [3.0, 4.0]).items()))
        assert list(edited(output, "embedding", Quantize(bits=1))) == list(output)

    def test_a_tensor_of_which_a_mutator_withholds_a_row_is_taken_out(self) -> None:
        def certain(_source: Source | None, prediction: Prediction) -> Prediction | None:
            assert isinstance(prediction, Probabilities)
            return prediction if prediction.values.max() > 0.5 else None

        batch = tensor("probs", [0.75, 0.25, 0.5, 0.5], [2, 2])
        assert shown(batch, {"probabilities": certain}) is None
        assert edited(batch, "probabilities", Drop()) is None

    def test_a_scalar_has_one_number(self) -> None:
        assert edited(tensor("price", [0.77], []), "score", Round(digits=1))["data"] == [0.8]
        one = tensor("vector", [0.5], [])
        assert edited(one, "embedding", Truncate(dimensions=1)) == one

    @pytest.mark.parametrize("shape", [[0], [0, 4], [2, 0]])
    @pytest.mark.parametrize("name", ["probs", "price", "vector", "class", "logits"])
    def test_an_empty_tensor_is_untouched(self, name: str, shape: list[int]) -> None:
        datatype = "INT64" if name == "class" else "FP32"
        document = holding(tensor(name, [], shape, datatype))
        assert is_untouched(ANSWER, document, OPEN)
        kinds: dict[Kind, list[Mutator]] = {
            "probabilities": [LabelOnly()],
            "score": [Round(digits=0)],
            "embedding": [Quantize(bits=1)],
        }
        assert is_untouched(ANSWER, document, OPEN | tier(kinds))

    def test_whole_numbers_are_numbers(self) -> None:
        assert is_untouched(ANSWER, holding(tensor("probs", [0, 1, 0])), OPEN)

    def test_a_mutator_that_answers_with_another_kind_is_our_own_fault(self) -> None:
        def confused(_source: Source | None, prediction: Prediction) -> Prediction:
            assert isinstance(prediction, Score)
            return Logprobs(Token("a", -1.0), ())

        with pytest.raises(TypeError, match="changed the kind"):
            shown(tensor("price", [0.5]), {"score": confused})

    @given(
        st.lists(st.lists(st.floats(-1e3, 1e3), min_size=3, max_size=3), min_size=1, max_size=4),
        st.booleans(),
    )
    def test_a_row_is_served_as_if_it_were_alone(
        self, rows: list[list[float]], nested: bool
    ) -> None:
        data = rows if nested else [number for row in rows for number in row]
        batch = edited(tensor("vector", data, [len(rows), 3]), "embedding", Quantize(bits=4))
        alone = [
            edited(tensor("vector", row, [3]), "embedding", Quantize(bits=4))["data"]
            for row in rows
        ]
        assert batch["data"] == (alone if nested else [n for row in alone for n in row])

    def test_kinds_are_told_apart(self) -> None:
        seen: list[Prediction] = []

        def watch(_source: Source | None, prediction: Prediction) -> Prediction:
            seen.append(prediction)
            return prediction

        document = holding(
            tensor("probs", [0.5, 0.5]), tensor("price", [2.0, 3.0]), tensor("vector", [1.0, 2.0])
        )
        kinds: tuple[Kind, ...] = ("probabilities", "score", "embedding")
        assert is_untouched(ANSWER, document, OPEN | dict.fromkeys(kinds, watch))
        assert [type(p) for p in seen] == [Probabilities, Score, Score, Embedding]


class TestLabels:
    @pytest.mark.parametrize("datatype", INTEGERS)
    def test_indices_pass(self, datatype: str) -> None:
        assert is_untouched(ANSWER, holding(tensor("class", [3, 0], datatype=datatype)), OPEN)

    @pytest.mark.parametrize(
        "names", [["seven"], ["iso:1234:2020"], ["3"], [""], ["v1.2"], ["a:1:b"]]
    )
    def test_names_pass(self, names: list[str]) -> None:
        assert is_untouched(ANSWER, holding(tensor("class", names, datatype="BYTES")), OPEN)

    def test_flags_pass(self) -> None:
        assert is_untouched(ANSWER, holding(tensor("class", [True, False], None, "BOOL")), OPEN)

    @pytest.mark.parametrize(
        "label",
        [
            "0.932100:281:tabby",
            "0.9:281",
            "1:0",
            "-3.25:7:cat",
            "+1.5:7",
            "1e-05:281:tabby",
            "9.9E+03:2",
            ".5:2",
        ],
    )
    @pytest.mark.parametrize("nested", [True, False])
    def test_scores_hidden_in_labels_make_the_answer_unreadable(
        self, label: str, *, nested: bool
    ) -> None:
        data: Any = [["tabby", label]] if nested else ["tabby", label]
        with pytest.raises(UpstreamError, match="hides scores") as caught:
            shown(tensor("class", data, [1, 2], "BYTES"), OPEN)
        assert label not in str(caught.value)

    @pytest.mark.parametrize("datatype", NUMBERS)
    def test_numbers_with_fractions_are_no_labels(self, datatype: str) -> None:
        with pytest.raises(UpstreamError, match="declared label"):
            shown(tensor("class", [3, 0], datatype=datatype), OPEN)

    def test_the_servers_own_hidden_scores_do_not_pass(self) -> None:
        with pytest.raises(UpstreamError):
            served(ANSWER, body("kserve_v2/hidden_scores.json"), OPEN)


class TestAdversary:
    """A model server that answers whatever it likes."""

    @pytest.mark.parametrize("name", ["probs", "price", "vector", "class", "logits"])
    @pytest.mark.parametrize(
        ("data", "datatype"),
        [
            *[([wrong], "FP32") for wrong in ("0.5", True, None, {"a": 0.5}, {})],
            *[([wrong], "INT64") for wrong in ("7", True, None, 0.5, {"a": 0.5}, 2**64)],
            *[([wrong], "BYTES") for wrong in (7, 0.5, True, None, {"a": 0.5})],
            *[([wrong], "BOOL") for wrong in (7, 0.5, "true", None, {"a": 0.5})],
            ([0.5, [0.5]], "FP32"),
            ([[0.5], 0.5], "FP32"),
            ([[[0.5]], [0.5]], "FP32"),
            ([["a", {"score": 0.5}]], "BYTES"),
            ([7], "INT128"),
            ([7], "int64"),
            ([7], ""),
            ([0.5], "FP32 0.93"),
            ([0.5], "TYPE_FP32"),
        ],
    )
    def test_data_that_is_not_what_its_datatype_says_does_not_pass(
        self, name: str, data: Any, datatype: str
    ) -> None:
        for shape in ([1], [2]):
            with pytest.raises(UpstreamError, match="what its datatype says"):
                served(ANSWER, holding(tensor(name, data, shape, datatype)), OPEN)

    @pytest.mark.parametrize("name", ["probs", "price", "vector", "logits"])
    @pytest.mark.parametrize("shape", [[3], [2, 2], [], [0], [1, 1], [2**63, 2**63], [4, 0]])
    def test_data_that_does_not_fill_its_shape_does_not_pass(
        self, name: str, shape: list[int]
    ) -> None:
        with pytest.raises(UpstreamError, match="does not fill its shape"):
            shown(tensor(name, [0.5, 0.25], shape), OPEN)

    @pytest.mark.parametrize(
        "field", [{"shape": [-1, -2]}, {"shape": [2.0]}, {"shape": ["2"]}, {"shape": [True]}]
    )
    def test_a_shape_is_of_sizes(self, field: dict[str, Any]) -> None:
        with pytest.raises(UpstreamError, match="is not a tensor"):
            shown(tensor("logits", [0.5, 0.25]) | field, OPEN)

    @pytest.mark.parametrize(
        "wrong", [{"name": 7}, {"name": None}, {"shape": 2}, {"datatype": None}, {"data": "AAAA"}]
    )
    def test_a_tensor_has_four_fields_of_their_types(self, wrong: dict[str, Any]) -> None:
        with pytest.raises(UpstreamError, match="is not a tensor"):
            shown(tensor("logits", [0.5, 0.25]) | wrong, OPEN)

    @pytest.mark.parametrize("missing", ["name", "shape", "datatype", "data"])
    def test_none_of_the_four_may_be_absent(self, missing: str) -> None:
        rest = {name: item for name, item in tensor("logits", [0.5]).items() if name != missing}
        for edits in (OPEN, {}):
            with pytest.raises(UpstreamError, match="is not a tensor"):
                shown(rest, edits)

    def test_a_binary_tensor_does_not_pass(self) -> None:
        with pytest.raises(UpstreamError):
            served(ANSWER, body("kserve_v2/binary.json"), OPEN)

    @pytest.mark.parametrize("output", [None, 7, "probs", [], [[0.5]], {}])
    def test_an_output_is_a_tensor(self, output: Any) -> None:
        with pytest.raises(UpstreamError):
            served(ANSWER, holding(output), OPEN)

    @pytest.mark.parametrize(
        "logits",
        [[-1.5, 3.25], [0.7, 0.7], [1.1, 0.0], [-0.1, 0.5], [2e30, 0.0], [-1e-6, 1.0]],
    )
    def test_logits_that_are_declared_probabilities_do_not_pass(self, logits: list[float]) -> None:
        for edits in (OPEN, tier({"probabilities": [TopK(k=1)]})):
            with pytest.raises(UpstreamError, match="declared probabilities"):
                shown(tensor("probs", logits), edits)

    @pytest.mark.parametrize("datatype", ["INT64", "BOOL", "BYTES"])
    @pytest.mark.parametrize("name", ["probs", "price", "vector"])
    def test_numbers_are_of_a_floating_type(self, name: str, datatype: str) -> None:
        item = {"INT64": 1, "BOOL": True, "BYTES": "0.5"}[datatype]
        with pytest.raises(UpstreamError, match=datatype):
            shown(tensor(name, [item], datatype=datatype), OPEN)

    @pytest.mark.parametrize("depth", [3, 900])
    @pytest.mark.parametrize("name", ["vector", "logits"])
    def test_data_is_nested_no_deeper_than_its_shape(self, name: str, depth: int) -> None:
        deep = orjson.loads(b"[" * depth + b"0.5" + b"]" * depth)
        with pytest.raises(UpstreamError, match=r"is not a tensor|its datatype"):
            shown(tensor(name, deep, [1] * (depth - 1)), OPEN)

    def test_a_shape_has_a_bound(self) -> None:
        deep = orjson.loads(b"[" * 32 + b"3.0" + b"]" * 32)
        assert edited(tensor("vector", deep, [1] * 32), "embedding", Quantize(bits=1))
        with pytest.raises(UpstreamError, match="is not a tensor"):
            shown(tensor("vector", [deep], [1] * 33), OPEN)

    def test_an_empty_tensor_may_have_any_sizes(self) -> None:
        empty = tensor("vector", [], [0, 2**64 - 1])
        assert edited(empty, "embedding", Truncate(dimensions=1)) == empty

    @pytest.mark.parametrize(
        "document", [b"[]", b'{"outputs":{}}', b'{"id":[0.5]}', b'{"model_name":{"a":0.5}}']
    )
    def test_another_shape_is_unreadable(self, document: bytes) -> None:
        with pytest.raises(UpstreamError):
            served(ANSWER, document, OPEN)


def test_an_error_is_worded_as_kserve_words_it() -> None:
    assert orjson.loads(KSERVE.error(UNKNOWN_MODEL)) == {"error": UNKNOWN_MODEL.message}


def test_it_answers_with_documents_and_with_raw_tensors() -> None:
    assert KServeV2().answers().keys() == {"application/json", "application/octet-stream"}


def test_only_their_places_name_the_classes_of_declared_probabilities() -> None:
    assert KSERVE.positional()
    assert not KServeV2().positional()


def test_the_input_tensors_are_told_by_name() -> None:
    sent = {"name": "x", "shape": [2], "datatype": "FP32", "data": [0.5, 0.25]}
    asked = KServeV2().read(orjson.dumps({"inputs": [sent]}), {"model": "m"}, Terms(()))
    assert asked.tensors is not None
    (tensor,) = asked.tensors
    assert (tensor.name, tensor.datatype, tensor.elements().tolist()) == ("x", "FP32", [0.5, 0.25])
