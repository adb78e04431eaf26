from pathlib import Path
from typing import get_args

import pytest

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
REMEDY = "name an unknown field by its path, such as choices.message.annotations"


def test_every_dialect_has_its_name() -> None:
    assert {
        "openai_chat": OpenAIChat,
        "openai_embeddings": OpenAIEmbeddings,
        "kserve_v2": KServeV2,
        "kserve_v2_grpc": KServeV2Grpc,
        "triton_generate": TritonGenerate,
        "tensorflow_grpc": TensorFlowGrpc,
        "status": Status,
    } == DIALECTS
    assert set(DIALECTS.values()) == set(get_args(Dialect))


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
            "dialect: cohere",
            "7: routes[0].dialect",
            (
                "unknown dialect 'cohere'; "
                "write one of openai_chat, openai_embeddings, kserve_v2, kserve_v2_grpc, "
                "triton_generate, tensorflow_grpc, status"
            ),
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
