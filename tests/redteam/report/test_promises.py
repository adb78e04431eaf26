"""A promise is broken where every seed proves more than is declared, and only there."""

from collections.abc import Iterator

import msgspec
import pytest

from extproc.redteam.attacks.membership import ATTACK, VOTES
from extproc.redteam.goals import Goals
from extproc.redteam.report.as_json import render
from extproc.redteam.report.catalogue import Catalogue
from extproc.redteam.report.chapters.training import section
from extproc.redteam.report.document import Table
from extproc.redteam.report.header import Privacy
from extproc.redteam.report.model import Model, gather
from extproc.redteam.report.promises import ATTACKS, promised
from extproc.redteam.report.verdicts import decide
from extproc.redteam.row import Row
from tests.redteam.report.made_up import RUN, row

NONE = Goals(goals=(), not_stopped=())


def _rows(
    *right: int, made: int = 100, policy: str = "none", attack: str = ATTACK.name
) -> Iterator[Row]:
    for seed, count in enumerate(right, 1):
        for measure, value in (("right", count), ("made", made), ("records", 200)):
            yield row(
                f"guesses.{measure}",
                float(value),
                attack=attack,
                victim="digits",
                policy=policy,
                seed=seed,
                budget=0,
            )


def _model(rows: Iterator[Row], epsilon: float | None = None) -> Model:
    stated = {} if epsilon is None else {"digits": Privacy(epsilon=epsilon, delta=1e-5)}
    run = msgspec.structs.replace(RUN, training_privacy=stated)
    return gather(rows, run, Catalogue.of([ATTACK]))


def test_it_is_of_the_attack_that_there_is() -> None:
    assert (ATTACK.name, VOTES.name) == ATTACKS
    names = {measure.name for measure in ATTACK.measures}
    assert {"guesses.right", "guesses.made", "guesses.records"} <= names


def test_more_than_is_declared_is_a_promise_broken_and_fails_the_run() -> None:
    verdicts = decide(NONE, _model(_rows(95, 96), epsilon=1.0))
    [broken] = verdicts.broken
    assert 2 < broken.proven < 3
    assert not verdicts.passed
    assert broken.sentence == (
        "digits under none: training is declared to have epsilon 1, and answers prove "
        f"{broken.proven:.2f} at least"
    )


@pytest.mark.parametrize(
    ("right", "epsilon"),
    [
        pytest.param((95, 96), 3.0, id="less than declared"),
        pytest.param((95, 52), 1.0, id="one lucky seed"),
        pytest.param((50, 50), 0.1, id="coins"),
        pytest.param((100, 100), None, id="nothing declared"),
    ],
)
def test_anything_else_is_not(right: tuple[int, ...], epsilon: float | None) -> None:
    verdicts = decide(NONE, _model(_rows(*right), epsilon))
    assert len(verdicts.promises) == 1
    assert verdicts.broken == []
    assert verdicts.passed


def test_a_run_that_guessed_nothing_has_no_chapter() -> None:
    model = _model(iter([row("accuracy", 0.9)]))
    assert list(promised(model)) == []
    assert section(decide(NONE, model)) is None


def test_programs_get_what_is_declared_and_what_is_proven() -> None:
    model = _model(_rows(95, 96), epsilon=1.0)
    report = msgspec.json.decode(render(model, decide(NONE, model)))
    [found] = report["training_privacy"]
    assert found["declared"] == {"epsilon": 1.0, "delta": 1e-5}
    assert (found["victim"], found["broken"]) == ("digits", True)
    assert found["proven"] > 2


def test_private_answers_are_held_to_what_their_policy_promises() -> None:
    rows = [*_rows(95, 96, attack=VOTES.name), *_rows(95, 96, policy="coarse", attack=VOTES.name)]
    promise = {"coarse": Privacy(epsilon=2.0, delta=1e-5)}
    run = msgspec.structs.replace(RUN, private_answers=promise)
    bare, private = promised(gather(rows, run, Catalogue.of([ATTACK, VOTES])))
    assert (bare.declared, bare.broken) == (None, False)
    assert (private.declared, private.broken) == (promise["coarse"], True)
    assert "under coarse: answers are promised to have epsilon 2, and" in private.sentence


def test_readers_get_both_in_a_line() -> None:
    model = _model(iter([*_rows(95, 96), *_rows(51, 52, policy="coarse")]), epsilon=1.0)
    found = section(decide(NONE, model))
    assert found is not None
    table = found.blocks[1]
    assert isinstance(table, Table)
    told = [[entry.text[0].text for entry in record.entries] for record in table.records]
    assert told[0][:4] == ["digits", "none", "epsilon 1, delta 1e-05", "96 of 100"]
    assert [line[-1] for line in told] == ["broken", "not shown to be broken"]
