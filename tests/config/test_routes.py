from pathlib import Path
from typing import get_args

import pytest

from extproc.config.expectation import one_of
from extproc.config.routes import DIALECTS
from extproc.dialects import (
    Dialect,
    KServeV2,
    KServeV2Grpc,
    OpenAIChat,
    OpenAIEmbeddings,
    Status,
    TensorFlowGrpc,
    TritonGenerate,
)
from extproc.errors import ConfigError
from tests.config.example import changed, compiled

EMBEDDINGS = "dialect: openai_embeddings"
INFER = '"/v2/models/{model}/infer"'
ASKED = "name an unknown field of the request's own object"
REMEDY = "name an unknown field by its path, such as choices.message.annotations"


def test_every_dialect_has_its_name() -> None:
    named = {
        "openai_chat": OpenAIChat,
        "openai_embeddings": OpenAIEmbeddings,
        "kserve_v2": KServeV2,
        "kserve_v2_grpc": KServeV2Grpc,
        "triton_generate": TritonGenerate,
        "tensorflow_grpc": TensorFlowGrpc,
        "status": Status,
    }
    assert named.items() <= DIALECTS.items()
    assert set(DIALECTS.values()) == set(get_args(Dialect))
    assert DIALECTS["openai_chat"] is OpenAIChat
    assert DIALECTS["status"] is Status
    assert len(DIALECTS) == len(get_args(Dialect))


def test_routes_keep_the_files_order(tmp_path: Path) -> None:
    assert [route.name for route in compiled(tmp_path).routes] == [
        "POST /v1/embeddings",
        "POST /v2/models/{model}/infer",
        "GET /v2/health/ready",
    ]


def test_a_dialect_is_a_name_or_its_configuration(tmp_path: Path) -> None:
    named = compiled(tmp_path).routes
    assert named[0].dialect == OpenAIEmbeddings()
    assert named[1].dialect == KServeV2(outputs={"probs": "probabilities"})
    assert (
        compiled(tmp_path, changed(("dialect: status", "dialect: {kind: status}"))).routes == named
    )
    allowed = "{kind: openai_embeddings, allow_request: [truncate], allow_response: [data.extra]}"
    text = changed((EMBEDDINGS, f"dialect: {allowed}"))
    assert compiled(tmp_path, text).routes[0].dialect == OpenAIEmbeddings(
        allow_request=("truncate",), allow_response=("data.extra",)
    )


@pytest.mark.parametrize(
    ("old", "new", "place", "message"),
    [
        (
            EMBEDDINGS,
            "dialect: openai_embedding",
            "7: routes[0].dialect",
            "unknown dialect 'openai_embedding'; did you mean 'openai_embeddings'?",
        ),
        (
            EMBEDDINGS,
            "dialect: zz",
            "7: routes[0].dialect",
            (f"unknown dialect 'zz'; write {one_of(DIALECTS)}"),
        ),
        (
            EMBEDDINGS,
            f"{EMBEDDINGS}, method: GET",
            "7: routes[0].method",
            "this dialect has no answer to GET; write method: POST",
        ),
        (
            ", method: GET",
            "",
            "10: routes[2].method",
            "this dialect has no answer to POST; write method: GET",
        ),
        (
            INFER,
            "/v2/models/digits/infer",
            "8: routes[1].path",
            "nothing says which model is asked; name the segment: /v2/models/{model}/infer",
        ),
        *(
            (
                EMBEDDINGS,
                f"dialect: {dialect}",
                "7: routes[0].path",
                "nothing says which model is asked; name the segment: /v2/models/{model}/infer",
            )
            for dialect in ("gemini_generate", "gemini_embed", "vertex_embeddings")
        ),
        (
            EMBEDDINGS,
            "dialect: triton_generate",
            "7: routes[0].path",
            "nothing says which model is asked; name the segment: /v2/models/{model}/infer",
        ),
        (
            EMBEDDINGS,
            "dialect: kserve_v2_grpc",
            "7: routes[0].path",
            (
                "this dialect reads no such call; "
                "write path: /inference.GRPCInferenceService/ModelInfer"
            ),
        ),
        (
            EMBEDDINGS,
            "dialect: {kind: tensorflow_grpc, call: Classify}",
            "7: routes[0].path",
            (
                "this dialect reads no such call; "
                "write path: /tensorflow.serving.PredictionService/Classify"
            ),
        ),
        (
            INFER,
            '"/v2/{model}/{model}"',
            "8: routes[1].path",
            "a parameter stands in it twice; rename one of them",
        ),
        (
            EMBEDDINGS,
            "dialect: {kind: openai_embeddings, allow_response: [extra, data.embedding]}",
            "7: routes[0].dialect.allow_response[1]",
            f"'embedding' is known already, or not in a known object; {REMEDY}",
        ),
        (
            EMBEDDINGS,
            "dialect: {kind: openai_embeddings, allow_response: [data.meta.more]}",
            "7: routes[0].dialect.allow_response[0]",
            f"'meta' is known already, or not in a known object; {REMEDY}",
        ),
        (
            EMBEDDINGS,
            "dialect: {kind: openai_embeddings, allow_response: [object.x]}",
            "7: routes[0].dialect.allow_response[0]",
            f"'x' is known already, or not in a known object; {REMEDY}",
        ),
        (
            EMBEDDINGS,
            "dialect: {kind: openai_embeddings, allow_response: [extra, extra]}",
            "7: routes[0].dialect.allow_response[1]",
            f"'extra' is known already, or not in a known object; {REMEDY}",
        ),
        (
            EMBEDDINGS,
            "dialect: {kind: openai_embeddings, allow_request: [truncate, dimensions]}",
            "7: routes[0].dialect.allow_request[1]",
            f"'dimensions' is known already, or looks like a field that is; {ASKED}",
        ),
        (
            EMBEDDINGS,
            "dialect: {kind: openai_embeddings, allow_request: [encodingFormat]}",
            "7: routes[0].dialect.allow_request[0]",
            f"'encodingFormat' is known already, or looks like a field that is; {ASKED}",
        ),
        (
            EMBEDDINGS,
            "dialect: {kind: openai_embeddings, allow_request: [input.extra]}",
            "7: routes[0].dialect.allow_request[0]",
            f"'input.extra' is known already, or looks like a field that is; {ASKED}",
        ),
        (
            EMBEDDINGS,
            "dialect: {kind: openai_embeddings, allow_request: [zz_top, ZzTop]}",
            "7: routes[0].dialect.allow_request[1]",
            ("'ZzTop' looks like 'zz_top'; remove one: a model server may take it for both"),
        ),
        (
            EMBEDDINGS,
            "dialect: {kind: openai_embeddings, allow_request: [名, 名]}",
            "7: routes[0].dialect.allow_request[1]",
            "'名' looks like '名'; remove one: a model server may take it for both",
        ),
        (
            EMBEDDINGS,
            "dialect: {kind: openai_embeddings, unknown: pass}",
            "7: routes[0].dialect.unknown",
            "unknown name 'pass'; write one of refuse, strip",
        ),
        (
            "dialect: status}",
            f"dialect: status}}\n  - {{path: {INFER}, dialect: {{kind: kserve_v2}}}}",
            "11: routes[3].path",
            (
                "never reached: POST /v2/models/{model}/infer on line 8 comes first; "
                "remove one, or move this one up"
            ),
        ),
        (
            EMBEDDINGS,
            (
                f'{EMBEDDINGS}}}\n  - {{path: "/v1/{{a}}", {EMBEDDINGS}}}\n'
                f"  - {{path: /v1/embed, {EMBEDDINGS}"
            ),
            "9: routes[2].path",
            "never reached: POST /v1/{a} on line 8 comes first; remove one, or move this one up",
        ),
    ],
)
def test_a_route_that_cannot_work_is_refused(
    tmp_path: Path, old: str, new: str, place: str, message: str
) -> None:
    with pytest.raises(ConfigError) as caught:
        compiled(tmp_path, changed((old, new)))
    assert str(caught.value) == f"{tmp_path}/policy.yaml:{place}: {message}"


@pytest.mark.parametrize(
    "path",
    [
        "v1/embeddings",
        "/",
        "/v1/",
        "//v1",
        "/v1/../v2",
        "/v1/.",
        "/v1/x?y=1",
        "/v1/x#y",
        "/v1/%2e",
        "/v1/x y",
        "/v1/ä",
        "/v1/{Model}",
        "/v1/{1}",
        "/v1/{}",
        "/v1/x{model}",
        "/v1/{model",
        "/v1/*",
        "/v1/{model}:",
        "/v1/{model}:1",
        "/v1/{model}:{verb}",
        "/v1/{model}:a:b",
        "/v1/{model}.x",
        "/v1/x:{verb}",
        "/v1/x\\ny",
    ],
)
def test_a_path_is_literal_segments_and_whole_parameters(tmp_path: Path, path: str) -> None:
    with pytest.raises(ConfigError, match=r":7: routes\[0\]\.path: "):
        compiled(tmp_path, changed(("path: /v1/embeddings", f'path: "{path}"')))


def test_a_call_of_grpc_is_routed_by_its_path(tmp_path: Path) -> None:
    service = "/tensorflow.serving.PredictionService"
    more = "  - {path: /inference.GRPCInferenceService/ModelInfer, dialect: kserve_v2_grpc}\n"
    for call in ("Predict", "Regress"):
        dialect = f"{{kind: tensorflow_grpc, call: {call}}}"
        more += f"  - {{path: {service}/{call}, dialect: {dialect}}}\n"
    table = compiled(tmp_path, changed(("fidelities:", f"{more}fidelities:")))
    assert [route.dialect for route in table.routes[3:]] == [
        KServeV2Grpc(),
        TensorFlowGrpc("Predict"),
        TensorFlowGrpc("Regress"),
    ]


def test_a_version_of_a_model_is_routed_beside_it(tmp_path: Path) -> None:
    more = '  - {path: "/v2/models/{model}/versions/{version}/infer", dialect: kserve_v2}\n'
    more += '  - {path: "/v2/models/{model}/generate_stream", dialect: triton_generate}\n'
    table = compiled(tmp_path, changed(("fidelities:", f"{more}fidelities:")))
    assert table.routes[3].match("/v2/models/digits/versions/3/infer") == {
        "model": "digits",
        "version": "3",
    }
    assert table.routes[4].dialect == TritonGenerate()


def test_routes_may_overlap_where_each_is_reached(tmp_path: Path) -> None:
    more = f'  - {{path: "/v1/{{any}}", {EMBEDDINGS}}}\n  - {{path: "/{{a}}/x", {EMBEDDINGS}}}\n'
    more += '  - {path: "/v1/{any}", method: GET, dialect: status}\n'
    text = changed(("fidelities:", f"{more}fidelities:"))
    assert [route.path for route in compiled(tmp_path, text).routes[3:]] == [
        "/v1/{any}",
        "/{a}/x",
        "/v1/{any}",
    ]


@pytest.mark.parametrize(
    ("first", "second", "reached"),
    [
        ("{m}:predict", "{name}:predict", False),
        ("{m}:predict", "digits:predict", False),
        ("{m}", "{m}:predict", False),
        ("{m}:predict", "{m}:explain", True),
        ("{m}:predict", "{m}", True),
        ("{m}:predict", "a:b:predict", True),
        ("{m}:predict", ":predict", True),
        ("{m}:predict", "predict", True),
        ("digits:predict", "{m}:predict", True),
    ],
)
def test_a_verb_is_reached_where_no_earlier_route_takes_its_paths(
    tmp_path: Path, first: str, second: str, *, reached: bool
) -> None:
    more = "".join(
        f'  - {{path: "/v9/{path}", dialect: openai_chat}}\n' for path in (first, second)
    )
    text = changed(("fidelities:", f"{more}fidelities:"))
    if reached:
        assert [route.path for route in compiled(tmp_path, text).routes[3:]] == [
            f"/v9/{first}",
            f"/v9/{second}",
        ]
        return
    with pytest.raises(ConfigError, match=r"never reached: POST /v9/"):
        compiled(tmp_path, text)


GENERIC = "dialect: {kind: generic, request: {texts: pass}"


@pytest.mark.parametrize(
    ("dialect", "place", "message"),
    [
        (
            "dialect: generic",
            ".answer",
            (
                "nothing of an answer would pass; "
                'name what may pass, such as "predictions[].score": score'
            ),
        ),
        (
            f'{GENERIC}, answer: {{"a[0]": score}}}}',
            ".answer.a[0]",
            "not a path; write one such as predictions[].score or result.*",
        ),
        (
            f"{GENERIC}, inputs: more, answer: {{a: text}}}}",
            ".inputs",
            "no request may hold this field; name it in request, too",
        ),
        (
            "dialect: {kind: generic, request: {texts: {}}, answer: {a: text}}",
            ".request.texts",
            "not one rule; give one of force, only, needs, or least and most",
        ),
    ],
)
def test_what_a_policy_cannot_declare_is_told_by_its_place(
    tmp_path: Path, dialect: str, place: str, message: str
) -> None:
    with pytest.raises(ConfigError) as caught:
        compiled(tmp_path, changed((EMBEDDINGS, dialect)))
    expected = f"{tmp_path}/policy.yaml:7: routes[0].dialect{place}: {message}"
    assert str(caught.value) == expected


def test_a_declared_api_may_take_its_model_from_the_path(tmp_path: Path) -> None:
    dialect = f"{GENERIC}, model: name, inputs: texts, answer: {{a: text}}}}"
    text = changed(("path: /v1/embeddings, " + EMBEDDINGS, f'path: "/v1/{{name}}", {dialect}'))
    assert compiled(tmp_path, text).routes[0].path == "/v1/{name}"


@pytest.mark.parametrize("dialect", ["tensorflow_rest", "torchserve", "vertex_predict"])
def test_a_model_that_only_the_path_can_name_is_in_it(tmp_path: Path, dialect: str) -> None:
    with pytest.raises(ConfigError, match="nothing says which model is asked"):
        compiled(tmp_path, changed((EMBEDDINGS, f"dialect: {dialect}")))


CREDENTIALS = "credentials: {{weak: {{kind: api_key}}, strong: {{kind: api_key, strength: {0}}}}}\n"


def risky(more: str = "", strength: int = 2) -> str:
    """Granted to both tenants."""
    granted = 'high_risk: ["POST /v1/embeddings"]'
    return changed(
        ("routes:\n", f"{CREDENTIALS.format(strength)}routes:\n"),
        (EMBEDDINGS, f"{EMBEDDINGS}, risk: high{more}"),
        ("fidelity: full}", f"fidelity: full, {granted}}}"),
        ("    fidelity: standard\n", f"    fidelity: standard\n    {granted}\n"),
    )


@pytest.mark.parametrize(
    ("more", "strength"),
    [
        ("", 2),
        (", credentials: {strength: 3}", 3),
        (", credentials: {strength: 0}", 0),
        (", credentials: {any_of: [strong]}", 2),
    ],
)
def test_a_route_of_high_risk_asks_for_something_strong(
    tmp_path: Path, more: str, strength: int
) -> None:
    routes = compiled(tmp_path, risky(more, strength=4)).routes
    assert [route.requirement.strength for route in routes] == [strength, 0, 0]


@pytest.mark.parametrize(("more", "strength"), [("", 1), (", credentials: {any_of: [weak]}", 2)])
def test_a_route_of_high_risk_that_nobody_could_take_is_an_error(
    tmp_path: Path, more: str, strength: int
) -> None:
    with pytest.raises(ConfigError) as raised:
        compiled(tmp_path, risky(more, strength))
    assert str(raised.value).endswith(
        "routes[0].risk: asks for a credential of strength 2, and the strongest has 1; "
        "name a stronger one, or write credentials: {strength: 1} here"
    )


def test_a_route_of_high_risk_still_names_a_credential_that_there_is(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="there is no credential 'keyz'"):
        compiled(tmp_path, risky(", credentials: {any_of: [keyz]}"))
