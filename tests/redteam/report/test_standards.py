from dataclasses import replace

from extproc.redteam.attack import Family
from extproc.redteam.attacks.roster import ATTACKS
from extproc.redteam.report.catalogue import Catalogue
from extproc.redteam.report.document import Page
from extproc.redteam.report.evidence import Effect, compare, told_apart
from extproc.redteam.report.model import Model, gather
from extproc.redteam.report.requirements import AISVS, ATLAS
from extproc.redteam.report.standards import Shown, verdict
from tests.redteam.report import made_up


def test_nothing_is_shown_that_was_not_measured(model: Model) -> None:
    found = {each.id: verdict(model, each) for each in AISVS}
    assert found["C11.3.3"] is Shown.NOT_SHOWN
    assert found["C11.3.4"] is Shown.IN_PART
    assert found["C11.3.2"] is Shown.IN_PART


def test_every_requirement_has_its_section(second: Page) -> None:
    assert len(second.sections) == 9


def test_every_test_of_a_requirement_has_attacks_that_bear_on_it() -> None:
    copied = {
        Family.COPY: ("agreement.task", "agreement.uniform"),
        Family.VECTORS: ("cosine",),
    }
    rows = [
        made_up.row(measure, attack=attack.name, victim=attack.victims[0], policy=policy)
        for attack in ATTACKS.values()
        for policy in ("none", "coarse")
        for measure in (*copied.get(attack.family, ()), *(each.name for each in attack.measures))
    ]
    model = gather(rows, made_up.RUN, Catalogue.of(ATTACKS.values()))
    for requirement in (*AISVS, *ATLAS):
        for test in requirement.tests:
            found = compare(model, test.evidence)
            assert found, test.tried
            assert not test.evidence.words or {each.attack for each in found} == {
                "equation-solving",
                "label-boundary",
                "hop-skip-jump",
            }


def test_a_malformed_request_that_is_refused_is_no_suspicion() -> None:
    oracles = replace(made_up.ATTACKS["knockoff"], name="oracles", family=Family.CHANNEL)
    rows = [
        made_up.row("refused.share", 0.9, attack="oracles", policy="coarse", budget=0),
        made_up.row("served_before_refusal", 1.0, attack="oracles", policy="coarse", budget=0),
        made_up.row("refused.share", 0.0, policy="coarse", budget=0, queries=100),
        made_up.row("refused.share", 0.0, attack="utility", policy="coarse", queries=900),
    ]
    known = Catalogue.of([oracles, *made_up.ATTACKS.values()])
    model = gather(rows, made_up.RUN, known)
    assert [(each.acted_on, each.sooner) for each in told_apart(model)] == [(0, 0)]
    assert verdict(model, AISVS[0]) is Shown.NOT_SHOWN
    rows.append(made_up.row("served_before_refusal", 50.0, policy="coarse", budget=0))
    model = gather(rows, made_up.RUN, known)
    assert [(each.acted_on, each.sooner) for each in told_apart(model)] == [(1, 1)]
    rows.append(made_up.row("served_before_change", 50.0, attack="utility", policy="coarse"))
    model = gather(rows, made_up.RUN, known)
    assert [(each.acted_on, each.sooner) for each in told_apart(model)] == [(1, 0)]


def test_one_seed_alone_shows_nothing() -> None:
    known = Catalogue.of(made_up.ATTACKS.values())
    model = gather(made_up.rows(seeds=(1,)), made_up.RUN, known)
    assert {verdict(model, each) for each in ATLAS} == {Shown.NOT_SHOWN}
    compared = compare(model, AISVS[0].tests[0].evidence)
    effects = {effect for each in compared for effect in each.effects.values()}
    assert effects == {Effect.UNKNOWN}
