"""Which kinds a dialect can answer: held against all that is known of each API."""

from dataclasses import dataclass
from functools import partial
from typing import Any, get_args

import pytest

from extproc.config.routes import DIALECTS
from extproc.dialects import (
    AnthropicMessages,
    CohereClassify,
    Dialect,
    Generic,
    HfPipeline,
    KServeV2,
    MLflow,
    OpenAIChat,
    OpenAIEmbeddings,
    OpenAIModerations,
    OpenAIResponses,
    Rerank,
    Status,
    TensorFlowGrpc,
    TritonGenerate,
    VertexEmbeddings,
    VllmPooling,
)
from extproc.dialects.kinds import (
    _in_code,
    _named,
    _remembered,
    has_one_input,
    has_own_shape,
    has_totals,
    is_a_class,
    is_a_token,
    is_chosen,
    kept_of,
    kinds_of,
    outputs_of,
    told_of_tokens,
    unread_of,
)
from extproc.prediction import KINDS, Kind
from tests.corpus.exchanges import Recorded
from tests.laws.serving import ANSWERS, OPEN, every_answer, every_exchange, policy, serve
from tests.laws.test_usage import TELLING


@every_answer
def test_kinds_that_are_not_found_change_no_answer(exchange: Recorded) -> None:
    found = {kind: OPEN[kind] for kind in kinds_of(exchange.route.dialect)}
    assert serve(exchange, found).wire == serve(exchange).wire


@every_exchange
def test_only_dialects_of_one_input_are_said_to_have_one(exchange: Recorded) -> None:
    if has_one_input(exchange.route.dialect):
        terms = policy(exchange, OPEN).terms
        asked = exchange.route.dialect.read(exchange.request, exchange.parameters, terms)
        assert asked.query.inputs == 1


def test_nothing_is_found_where_there_is_nothing() -> None:
    assert kinds_of(Status()) == ()
    assert kinds_of(OpenAIEmbeddings()) == ("embedding", "usage", "usage_detail", "identity")
    assert "embedding" not in kinds_of(OpenAIChat())
    assert "probabilities" not in kinds_of(AnthropicMessages())


@pytest.mark.parametrize(
    ("dialect", "kinds"),
    [
        (KServeV2(outputs={"p": "probabilities"}), {"probabilities", "tensor", "identity"}),
        (KServeV2(), {"tensor", "identity"}),
        (MLflow(output="probabilities"), {"probabilities"}),
        (TensorFlowGrpc(call="Regress"), {"score", "identity"}),
        (TensorFlowGrpc(call="Classify"), {"probabilities", "label", "identity"}),
        (TensorFlowGrpc(outputs={"v": "embedding"}), {"embedding", "tensor", "identity"}),
        (HfPipeline(task="feature_extraction"), {"tensor"}),
        (HfPipeline(task="feature_extraction", holds="embedding"), {"embedding"}),
        (HfPipeline(), {"probabilities", "label"}),
        (Generic(answer={"results[].label": "label", "id": "keep"}), {"label"}),
    ],
)
def test_what_a_route_declares_is_found(dialect: Dialect, kinds: set[Kind]) -> None:
    found = {*kinds_of(dialect)}
    assert kinds <= found
    assert found <= kinds | {"tensor"}


def test_outputs_are_counted_where_they_are_declared() -> None:
    two = KServeV2(outputs={"a": "probabilities", "b": "probabilities", "c": "label"})
    assert [outputs_of(two, kind) for kind in ("probabilities", "label", "score")] == [2, 1, 1]
    assert outputs_of(Generic(answer={"a.b": "score", "c": "score"}), "score") == 2
    assert outputs_of(OpenAIChat(), "text") == 1


def test_several_predictions_of_one_input_are_known() -> None:
    assert is_a_token(OpenAIChat(), "logprobs")
    assert is_a_token(VllmPooling(holds="embedding"), "embedding")
    assert not is_a_token(OpenAIEmbeddings(), "embedding")
    assert has_totals(TritonGenerate())
    assert not has_totals(OpenAIChat())
    assert is_a_class(OpenAIModerations(), "score")
    assert is_a_class(CohereClassify(), "label")
    assert not is_a_class(CohereClassify(), "probabilities")
    assert not is_a_class(KServeV2(), "label")


def test_where_results_stand_in_the_order_of_their_scores_is_known() -> None:
    """Of those whose order is that of the inputs, or of the categories, it is not said."""
    found = {each.tag for each in ANSWERS.values() if is_chosen(each.route.dialect, "score")}
    assert {"rerank", "tei_rerank", "openai_vector_search", "openai_responses"} <= found
    assert not found & {"tei_similarity", "vllm_score", "openai_moderations", "kserve_v2"}
    assert not is_chosen(Rerank(), "text")


def test_where_names_or_components_are_chosen_is_known() -> None:
    """Of a tensor every class has its place, and of a dense vector every component."""
    by_tag = {each.tag: each.route.dialect for each in ANSWERS.values()}
    named = {tag for tag, dialect in by_tag.items() if is_chosen(dialect, "probabilities")}
    assert {"torchserve", "tei_predict"} <= named
    assert not is_chosen(KServeV2(outputs={"p": "probabilities"}), "probabilities")
    sparse = {tag for tag, dialect in by_tag.items() if is_chosen(dialect, "embedding")}
    assert sparse == {"tei_embed_sparse"}


def test_fields_that_a_route_lets_through_are_counted() -> None:
    chat = OpenAIChat(allow_request=("vendor", "other"), allow_response=("vendor",))
    assert (unread_of(chat), kept_of(chat)) == (2, 1)
    assert (unread_of(OpenAIChat()), kept_of(OpenAIChat())) == (0, 0)
    assert (unread_of(Status()), kept_of(Status())) == (0, 0)
    generic = Generic(
        model="model",
        inputs="texts",
        request={"model": "pass", "texts": "pass", "options": "pass", "debug": "drop"},
        answer={"id": "keep", "score": "score"},
    )
    assert (unread_of(generic), kept_of(generic)) == (1, 1)


def test_every_dialect_can_be_asked() -> None:
    for dialect in get_args(Dialect):
        made = dialect()
        assert {*kinds_of(made)} <= {*KINDS}


@dataclass
class Held:
    inner: Any


class Slotted:
    __slots__ = "one"  # noqa: PLC0205 - a name alone is a slot, too

    def __init__(self, one: Any) -> None:
        self.one = one


def test_a_kind_is_found_however_it_is_held() -> None:
    parts = [
        Held("text"),
        Slotted({"a": "label"}),
        partial(print, "score", end="timing"),
        b"tensor",
        "no kind",
    ]
    assert {*_named(parts, ())} == {"text", "label", "score", "timing"}
    circle = Held(None)
    circle.inner = [circle, "usage"]
    assert [*_named(circle, ())] == ["usage"]


def test_dialects_whose_answers_tell_tokens_are_found() -> None:
    telling = {tag for tag, kind in DIALECTS.items() if any(told_of_tokens(kind()))}
    assert telling == TELLING | {"cohere_classify"}  # whose corpus has no such answer
    assert told_of_tokens(OpenAIChat()) == (True, True)
    assert told_of_tokens(VertexEmbeddings()) == (True, False)
    assert told_of_tokens(Status()) == (False, False)


def test_models_that_answer_in_their_own_shape_are_known() -> None:
    assert has_own_shape(KServeV2())
    assert has_own_shape(MLflow())
    assert has_own_shape(TensorFlowGrpc())
    assert not has_own_shape(TensorFlowGrpc(call="Regress"))
    assert not has_own_shape(OpenAIChat())


def test_the_kinds_of_a_dialect_are_found_once_where_it_can_be_told_from_others() -> None:
    """To find those of a large tree takes tens of milliseconds."""
    found = kinds_of(OpenAIChat(count_usage=True))
    assert kinds_of(OpenAIChat(count_usage=True)) is found
    before = _remembered.cache_info().currsize
    assert "score" in kinds_of(KServeV2(outputs={"a": "score"}))
    assert _remembered.cache_info().currsize == before


def test_what_no_field_names_is_known_of_each_dialect() -> None:
    """Whatever has been asked before: the answers of ``kinds_of`` are kept."""
    assert _in_code(OpenAIEmbeddings()) == ("embedding",)
    assert _in_code(OpenAIResponses()) == ("logprobs",)
    assert "label" in _in_code(HfPipeline(task="classification"))
    assert _in_code(OpenAIChat()) == ()
