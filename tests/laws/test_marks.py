"""The laws of marks, on every exchange of the corpus: nothing tells where one is."""

from collections.abc import Iterator
from typing import Any

import orjson
import pytest

from extproc.dialects.kinds import kinds_of
from extproc.dialects.label_places import labels_apart
from extproc.mutators import LabelOnly, Mark
from tests.corpus.exchanges import Recorded
from tests.laws.serving import ANSWERS, OPEN, Kinds, every_answer, serve

ALWAYS = Mark(rate=1.0)
"""Each answer whose input is known is marked."""
NEVER = Mark(rate=0.0)
RANKED: Kinds = {"probabilities": (), "label": ()}
TOP: Kinds = {"probabilities": (LabelOnly(),), "label": ()}
MARKED: Kinds = {"probabilities": (ALWAYS, LabelOnly()), "label": ()}
UNMARKED = {
    "tei_predict_batch": 1,  # of its two answers one has a single class
    "tei_predict/answer.json": 1,  # an answer to one, where two were asked
    "tei_predict/answer_batch.json": 1,  # in one of its two both classes are as likely
}
"""How many answers of an exchange cannot be marked."""
REWRITTEN = {"cohere_classify"}
"""Dialects that write a number anew wherever a mutator might have changed it."""
ABLE = {
    name: each
    for name, each in ANSWERS.items()
    if "probabilities" in kinds_of(each.route.dialect) and each.tag != "openai_decisions"
}
"""All but one of which the API tells how likely the one of two is, which is another number then."""
CLASSIFIERS = {
    name: each
    for name, each in ANSWERS.items()
    if each.media_type == "application/json"
    and not labels_apart(each.route.dialect)
    and serve(each, RANKED).body != serve(each, {"probabilities": ()}).body
    and serve(each, RANKED).released
}


def leaves(value: Any, place: tuple[Any, ...] = ()) -> Iterator[tuple[tuple[Any, ...], str]]:
    match value:
        case dict():
            for name, item in value.items():
                yield from leaves(item, (*place, name))
        case list():
            for number, item in enumerate(value):
                yield from leaves(item, (*place, number))
        case str():
            yield place, value
        case _:
            return


def compact(exchange: Recorded, body: bytes) -> bytes:
    """Without layout; numbers of a document as they are written here."""
    if exchange.media_type == "application/json" and body:
        return orjson.dumps(orjson.loads(body))
    return b"".join(body.split())


def names(exchange: Recorded, kinds: Kinds) -> set[tuple[tuple[Any, ...], str]]:
    """The texts of an answer at a tier that are there because it names ``label``, by place."""
    served = serve(exchange, kinds)
    assert served.released
    others: Kinds = {"probabilities": kinds["probabilities"]}
    return {*leaves(orjson.loads(served.body))} - {
        *leaves(orjson.loads(serve(exchange, others).body))
    }


@pytest.mark.parametrize("exchange", CLASSIFIERS.values(), ids=CLASSIFIERS)
def test_a_marked_answer_does_not_name_the_true_class(exchange: Recorded) -> None:
    """Planted: a dialect that keeps the label of a changed row in its place fails here."""
    truths, told = names(exchange, TOP), names(exchange, MARKED)
    assert truths
    assert told
    assert len(truths & told) == UNMARKED.get(exchange.name, 0)


def test_the_corpus_holds_classifiers_of_several_sorts() -> None:
    assert {each.tag for each in CLASSIFIERS.values()} >= {"hf_pipeline", "tei_predict"}


@every_answer
def test_where_no_cell_is_marked_nothing_but_the_layout_is_another(exchange: Recorded) -> None:
    """Classes may be in another order, as they are wherever a tier changes numbers."""
    if exchange.tag in REWRITTEN:
        return
    unmarked = {**OPEN, "probabilities": (NEVER,)}
    one, other = (compact(exchange, serve(exchange, kinds).body) for kinds in (unmarked, OPEN))
    assert sorted(one) == sorted(other)


@pytest.mark.parametrize("exchange", ABLE.values(), ids=ABLE)
def test_no_layout_and_no_order_shows_a_mark(exchange: Recorded) -> None:
    """Planted: what is not changed passes as the model server wrote it, with its line breaks, with
    classes that are impossible, and in an order of its own: what is marked does not.
    """
    marked, unmarked = (serve(exchange, {"probabilities": (each,)}) for each in (ALWAYS, NEVER))
    assert sorted(marked.body) == sorted(unmarked.body)


def test_marks_show_in_every_api_that_answers_classes() -> None:
    """Where it is known which input an answer is about."""
    always = {**OPEN, "probabilities": (ALWAYS,)}
    able = [each for each in ANSWERS.values() if "probabilities" in kinds_of(each.route.dialect)]
    shown = {each.tag for each in able if serve(each, always).wire != serve(each, OPEN).wire}
    assert shown == {each.tag for each in able}
