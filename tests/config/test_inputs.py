"""What a route may ask of its requests, and what could never hold."""

from pathlib import Path
from typing import Any

import pytest

from extproc.errors import ClientError, ConfigError
from extproc.policy import PolicyTable
from extproc.validation import Contract, Domain, Size, TensorDomain
from tests.config.example import changed, compiled

EMBEDDINGS, INFER = "dialect: openai_embeddings", "probs: probabilities}}"
STATUS = "dialect: status"


def asking(rules: str, where: str = EMBEDDINGS) -> str:
    tail = f", input: {rules}" if where != INFER else f"\n    input: {rules}"
    return changed((where, where + tail))


def contract(table: PolicyTable, route: int = 0) -> Contract:
    found = table.routes[route].contract
    assert found is not None
    return found


def schema(folder: Path, text: str) -> str:
    (folder / "schema.json").write_text(text)
    return asking("{schema: 'file:schema.json'}")


def test_a_route_that_asks_nothing_has_no_contract(tmp_path: Path) -> None:
    assert all(route.contract is None for route in compiled(tmp_path).routes)


def test_every_bound_comes_to_the_contract(tmp_path: Path) -> None:
    text = asking("{body: 1KiB, headers: 2KiB, depth: 3, array: 4, string: 5, batch: 6, count: 7}")
    assert contract(compiled(tmp_path, text)) == Contract(1024, 2048, 6, Size(3, 4, 5, 7))


def test_fields_and_tensors_have_domains(tmp_path: Path) -> None:
    text = asking("{fields: {input: {max_length: 9, characters: line, scripts: [latin]}}}")
    fields = {"input": Domain(max_length=9, characters="line", scripts=("latin",))}
    assert contract(compiled(tmp_path, text)) == Contract(256 << 10, fields=fields)
    text = asking("{tensors: {x: {datatype: FP32, shape: [-1, 64], min: 0, max: 1.5}}}", INFER)
    tensors = {"x": TensorDomain(datatype="FP32", shape=(-1, 64), min=0, max=1.5)}
    assert contract(compiled(tmp_path, text), 1).tensors == tensors


def test_a_body_that_is_looked_into_is_bounded_unless_told_otherwise(tmp_path: Path) -> None:
    assert contract(compiled(tmp_path, schema(tmp_path, "{}"))).body == 256 << 10
    assert contract(compiled(tmp_path, asking("{depth: 3}"))).body == 256 << 10
    assert contract(compiled(tmp_path, asking("{batch: 3}"))).body == 1 << 50
    text = asking("{body: 1MiB, fields: {input: {max_length: 9}}}")
    assert contract(compiled(tmp_path, text)).body == 1 << 20


def test_a_schema_is_compiled_once_and_belongs_to_the_policys_version(tmp_path: Path) -> None:
    first = compiled(tmp_path, schema(tmp_path, '{"required": ["input"]}'))
    contract(first).check_document({"input": 1})
    with pytest.raises(ClientError):
        contract(first).check_document({})
    other = compiled(tmp_path, schema(tmp_path, '{"required": ["model"]}'))
    assert first.version != other.version
    assert first.version == compiled(tmp_path, schema(tmp_path, '{"required": ["input"]}')).version


@pytest.mark.parametrize(
    ("text", "wrong"),
    [
        ("{", "no JSON: "),
        ("[1]", "no JSON Schema that can be used: "),
        ('{"type": "zork"}', "no JSON Schema that can be used: "),
        ('{"$ref": "https://models.example/s.json"}', "Retrieval is disabled"),
        ('{"$ref": "file:///etc/passwd"}', "Retrieval is disabled"),
        ('{"pattern": "(?=a)b"}', "no JSON Schema that can be used: "),
        ('{"pattern": "(a{1000}){1000}"}', "no JSON Schema that can be used: "),
        ('{"format": "zork"}', "Unknown format"),
        (" " * ((1 << 20) + 1), "larger than 1048576 bytes"),
    ],
    ids=range(9),
)
def test_a_schema_that_cannot_be_used_is_an_error(tmp_path: Path, text: str, wrong: str) -> None:
    with pytest.raises(ConfigError) as raised:
        compiled(tmp_path, schema(tmp_path, text))
    assert "policy.yaml:7: routes[0].input.schema: " in str(raised.value)
    assert wrong in str(raised.value)
    assert "\n" not in str(raised.value)


def test_a_schema_that_is_not_there_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"none.json cannot be read \(No such file"):
        compiled(tmp_path, asking("{schema: 'file:none.json'}"))


GRPC = "/inference.GRPCInferenceService/ModelInfer, dialect: kserve_v2_grpc"
TENSORFLOW = (
    "/tensorflow.serving.PredictionService/{0}, dialect: {{kind: tensorflow_grpc, call: {0}}}"
)


@pytest.mark.parametrize(
    ("path", "rules", "told"),
    [
        (
            "/v1/embeddings, dialect: openai_embeddings",
            "{fields: {inputs: {min: 0}}}",
            "fields.inputs: requests have no field 'inputs'; did you mean 'input'?",
        ),
        (
            "/v1/embeddings, dialect: openai_embeddings",
            "{fields: {input: {}}}",
            "fields.input: says nothing; name a range, values, a length or characters",
        ),
        (
            "/v1/embeddings, dialect: openai_embeddings",
            "{fields: {input: {min: 3, max: 2}}}",
            "fields.input.min: more than max, so that nothing is left; lower it",
        ),
        (
            "/v1/embeddings, dialect: openai_embeddings",
            "{fields: {input: {min_length: 3, max_length: 2}}}",
            "fields.input.min_length: more than max_length, so that nothing is left; lower it",
        ),
        (
            "/v1/embeddings, dialect: openai_embeddings",
            "{tensors: {x: {}}}",
            (
                "tensors: the requests of this dialect hold no named tensors; "
                "remove it, or write fields"
            ),
        ),
        (GRPC, "{count: 3}", "count: the requests of this dialect are no JSON objects; remove it"),
        (GRPC, "{depth: 3}", "depth: the requests of this dialect are no JSON objects; remove it"),
        (
            GRPC,
            "{fields: {inputs: {min: 0}}}",
            "fields: the requests of this dialect are no JSON objects; remove it",
        ),
        (
            TENSORFLOW.format("Classify"),
            "{tensors: {x: {}}}",
            (
                "tensors: the requests of this dialect hold no named tensors; "
                "remove it, or write fields"
            ),
        ),
        (
            GRPC,
            "{tensors: {x: {min: 3, max: 2}}}",
            "tensors.x.min: more than max, so that nothing is left; lower it",
        ),
    ],
)
def test_what_could_never_hold_is_an_error(
    tmp_path: Path, path: str, rules: str, told: str
) -> None:
    route = f"path: {path}, input: {rules}"
    text = changed(("path: /v1/embeddings, dialect: openai_embeddings", route))
    with pytest.raises(ConfigError) as raised:
        compiled(tmp_path, text)
    assert str(raised.value).endswith(f"policy.yaml:7: routes[0].input.{told}")


@pytest.mark.parametrize("path", [GRPC, TENSORFLOW.format("Predict")])
def test_calls_with_named_tensors_may_have_rules_for_them(tmp_path: Path, path: str) -> None:
    route = f"path: {path}, input: {{batch: 4, tensors: {{x: {{}}}}}}"
    text = changed(("path: /v1/embeddings, dialect: openai_embeddings", route))
    assert contract(compiled(tmp_path, text)).tensors == {"x": TensorDomain()}


def test_a_field_that_the_route_allows_may_have_a_rule(tmp_path: Path) -> None:
    dialect = "dialect: {kind: openai_embeddings, allow_request: [age]}"
    text = changed((EMBEDDINGS, f"{dialect}, input: {{fields: {{age: {{max: 130}}}}}}"))
    assert contract(compiled(tmp_path, text)).fields == {"age": Domain(max=130)}


@pytest.mark.parametrize(
    "rules",
    [
        "{depth: 0}",
        "{fields: {input: {length: 3}}}",
        "{fields: {'a[0]': {min: 1}}}",
        "{fields: {input: {scripts: [klingon]}}}",
        "{tensors: {x: {shape: [-2]}}}",
    ],
)
def test_malformed_rules_are_errors(tmp_path: Path, rules: str) -> None:
    with pytest.raises(ConfigError, match=r"policy\.yaml:7: routes\[0\]\.input\."):
        compiled(tmp_path, asking(rules))


def test_declared_dialects_have_the_fields_that_they_declare(tmp_path: Path) -> None:
    generic: Any = "{kind: generic, request: {rows: pass}, answer: {p: score}}"
    text = changed((EMBEDDINGS, f"dialect: {generic}, input: {{fields: {{rows: {{max: 1}}}}}}"))
    assert contract(compiled(tmp_path, text)).fields == {"rows": Domain(max=1)}
