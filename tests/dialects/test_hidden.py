"""What is hidden of a model's classes, summed up: where it stands, and where it has no place."""

from typing import Any

import numpy as np
import orjson
import pytest

from extproc.dialects import (
    CohereClassify,
    Generic,
    HfPipeline,
    TeiPredict,
    TensorFlowREST,
    TorchServe,
    VertexPredict,
)
from extproc.dialects.cell import cell
from extproc.dialects.confidences import PROBABILITIES, ScoredLabels
from extproc.dialects.hidden import OTHER, hidden
from extproc.dialects.ranking import MEMBERS, Columns, Pairs, Ranked
from extproc.dialects.shape import Keep, Rewrite
from extproc.errors import UpstreamError
from extproc.mutators import Mutator, Round, TopK
from extproc.prediction import Probabilities
from tests.corpus.exchanges import Recorded
from tests.dialects.tiers import MODEL, Edits, tier
from tests.laws.serving import CORPUS, every_exchange, serve

TOLD: Edits = tier({"probabilities": (TopK(k=2, other=True), Round(digits=2)), "label": ()})
ONE: Edits = tier({"probabilities": (TopK(k=1, other=True), Round(digits=2)), "label": ()})


def left(node: Any, value: Any, edits: Edits = TOLD) -> Any:
    after = node.rewrite(value, Rewrite(edits, MODEL), "")
    return orjson.loads(orjson.dumps(after, option=orjson.OPT_SERIALIZE_NUMPY))


CATS = {"tiger": 0.29, "tabby": 0.46, "lynx": 0.14, "puma": 0.08}
SHOWN = {"tabby": 0.46, "tiger": 0.29, OTHER: 0.22}


def listed(classes: dict[str, float]) -> list[Any]:
    return [{"label": name, "score": number} for name, number in classes.items()]


def paired(classes: dict[str, float]) -> list[Any]:
    return [[name, number] for name, number in classes.items()]


def columned(classes: dict[str, float]) -> dict[str, Any]:
    return {"classes": [*classes], "scores": [*classes.values()]}


RANKED = Ranked("score", ("label",), {"label": cell("label"), "id": Keep()})
COLUMNS = Columns("scores", ("classes",), {"classes": cell("label")})
SORTED = dict(sorted(CATS.items(), key=lambda pair: -pair[1]))
WAYS = [
    (MEMBERS, dict),
    (Pairs(), paired),
    (RANKED, listed),
    (COLUMNS, columned),
    (ScoredLabels(), listed),
]
every_way = pytest.mark.parametrize(("node", "written"), WAYS, ids=lambda way: str(way)[:20])


@every_way
def test_what_is_hidden_is_one_class_behind_the_others(node: Any, written: Any) -> None:
    assert [*written(SHOWN)] == [*left(node, written(SORTED))]
    assert left(node, written(SORTED)) == written(SHOWN)


@every_way
def test_it_stays_behind_them_however_much_it_is(node: Any, written: Any) -> None:
    after = left(node, written(SORTED), ONE)
    assert after == written({"tabby": 0.46, OTHER: 0.51})
    assert orjson.dumps(after) == orjson.dumps(written({"tabby": 0.46, OTHER: 0.51}))


@every_way
def test_where_nothing_is_hidden_nothing_is_added(node: Any, written: Any) -> None:
    assert left(node, written({"tabby": 0.6, "lynx": 0.4})) == written({"tabby": 0.6, "lynx": 0.4})
    tiny = {"tabby": 0.6, "lynx": 0.399, "puma": 0.001}
    assert left(node, written(tiny)) == written({"tabby": 0.6, "lynx": 0.4})


@every_way
@pytest.mark.parametrize("number", [0.5, 0.3, 0.001])
def test_a_model_with_a_class_of_that_name_has_no_answer(
    node: Any, written: Any, number: float
) -> None:
    """Shown, hidden, or with nothing hidden beside it: callers could not tell what it is."""
    classes = written({"tabby": 0.4, OTHER: number, "lynx": 0.01, "puma": 0.02})
    with pytest.raises(UpstreamError, match="a class called other"):
        left(node, classes)
    with pytest.raises(UpstreamError, match="a class called other"):
        left(node, written({"tabby": 0.4, OTHER: number}))
    shown = left(node, classes, tier({"probabilities": (TopK(k=1),), "label": ()}))
    assert OTHER not in str(shown) or number == 0.5


def test_of_an_item_only_what_names_and_counts_a_class_is_written() -> None:
    items = [{"id": 1, "score": score, "label": name} for name, score in SORTED.items()]
    assert left(RANKED, items)[-1] == {"score": 0.22, "label": OTHER}
    assert [*left(RANKED, items)[-1]] == ["score", "label"]


def test_classes_that_turn_out_to_have_no_names_are_refused() -> None:
    with pytest.raises(UpstreamError, match="no names of classes"):
        left(Columns("scores", ("classes",), {}), {"scores": [0.5, 0.3, 0.2]})
    assert left(Columns("scores", ("classes",), {}), {"scores": [0.5, 0.3]}) == {
        "scores": [0.5, 0.3]
    }


def test_cohere_tells_it_beside_the_labels_and_is_no_surer_for_it() -> None:
    answer = {
        "classifications": [
            {
                "prediction": "tabby",
                "predictions": ["tabby"],
                "confidence": 0.46,
                "confidences": [0.46],
                "labels": {name: {"confidence": number} for name, number in CATS.items()},
                "classification_type": "single-label",
            }
        ]
    }
    [one] = left(CohereClassify().answer(), answer, ONE)["classifications"]
    assert one["labels"] == {"tabby": {"confidence": 0.46}, OTHER: {"confidence": 0.51}}
    assert (one["confidence"], one["confidences"]) == (0.46, [0.46])


@pytest.mark.parametrize("node", [cell("probabilities"), PROBABILITIES])
def test_numbers_without_names_have_no_place_for_it(node: Any) -> None:
    """A policy that comes so far was not checked: nothing is served."""
    with pytest.raises(TypeError):
        left(node, [0.5, 0.3, 0.2])


def test_a_tier_that_does_not_tell_it_has_nothing_to_show() -> None:
    assert hidden(Probabilities(np.array([0.5])), [OTHER], "here") == 0.0


# Which routes can.


TELLING: dict[str, tuple[Mutator, ...]] = {"probabilities": (TopK(k=1, other=True),), "label": ()}


@every_exchange
def test_every_dialect_says_rightly_whether_it_has_a_place_for_it(exchange: Recorded) -> None:
    """One that says it has is served; of one that says it has not nothing else is wrong."""
    kinds: Any = TELLING
    try:
        served = serve(exchange, kinds)
    except TypeError:
        assert exchange.route.dialect.positional()
        return
    assert b"no names of classes" not in served.fault.encode()


def test_the_corpus_holds_both_sorts() -> None:
    sorts = {one.tag: one.route.dialect.positional() for one in CORPUS.values()}
    assert {sorts["torchserve"], sorts["cohere_classify"], sorts["tei_predict"]} == {False}
    assert {sorts["vllm_classify"], sorts["openai_decisions"], sorts["sagemaker"]} == {True}


@pytest.mark.parametrize(
    ("dialect", "positional"),
    [
        (TorchServe(), False),
        (TorchServe(output="probabilities"), True),
        (TorchServe(outputs={"p": "probabilities"}), True),
        (TensorFlowREST(), False),
        (TensorFlowREST(outputs={"p": "score"}), False),
        (VertexPredict(), False),
        (HfPipeline(), False),
        (TeiPredict(), False),
        (Generic(answer={"result.*": "probabilities"}), False),
        (Generic(answer={"p[].score": "probabilities", "p[].label": "label"}), False),
        (Generic(answer={"names[]": "label", "scores[]": "probabilities"}), False),
        (Generic(answer={"x[].result.*": "probabilities", "id": "keep"}), False),
        (Generic(answer={"x.*.result.*": "probabilities"}), False),
        (Generic(answer={"scores[]": "probabilities"}), True),
        (Generic(answer={"p[].score": "probabilities"}), True),
        (Generic(answer={"x[].scores[]": "probabilities"}), True),
        (Generic(answer={"x.*.scores[]": "probabilities"}), True),
        (Generic(answer={"x[].q[].score": "probabilities", "x[].label": "label"}), True),
        (
            Generic(
                answer={
                    "p[].score": "probabilities",
                    "p[].label": "label",
                    "p[].more[]": "probabilities",
                }
            ),
            True,
        ),
        (
            Generic(
                answer={
                    "o.names[]": "label",
                    "o.scores[]": "probabilities",
                    "o.in.more[]": "probabilities",
                }
            ),
            True,
        ),
    ],
)
def test_whether_there_is_a_place_depends_on_what_is_declared(
    dialect: Any, positional: bool
) -> None:
    assert dialect.positional() is positional
