from extproc.redteam.report.catalogue import Catalogue
from extproc.redteam.report.frontier import curves, frontier, frontier_with
from extproc.redteam.report.model import gather
from extproc.redteam.row import Row
from tests.redteam.report.made_up import ATTACKS, RUN, row


def led(rows: list[Row], data: str = "") -> list[tuple[int, str]]:
    model = gather(rows, RUN, Catalogue.of(ATTACKS.values()))
    place = (model, "digits", "none", "agreement.task")
    leads = frontier_with(*place, data) if data else frontier(*place)
    return [(lead.budget, lead.cell.key.attack) for lead in leads]


def test_the_best_copy_leads_until_a_better_one_comes() -> None:
    rows = [
        row(attack="copycat", value=0.8, budget=100),
        row(attack="knockoff", value=0.7, budget=300),
        row(attack="knockoff", value=0.9, budget=1_000),
    ]
    assert led(rows) == [(100, "copycat"), (300, "copycat"), (1_000, "knockoff")]
    assert led(rows, "inputs like the model's own") == [(300, "knockoff"), (1_000, "knockoff")]


def test_the_line_ends_where_its_leader_was_not_run_further() -> None:
    rows = [
        row(attack="copycat", value=0.8, budget=100),
        row(attack="knockoff", value=0.7, budget=300),
    ]
    assert led(rows) == [(100, "copycat")]


def test_controls_copy_nothing() -> None:
    assert led([row(attack="utility", value=1)]) == []


def test_what_was_measured_of_no_budget_leads_nowhere() -> None:
    assert led([row(value=1, budget=0), row(value=0.5, budget=100)]) == [(100, "knockoff")]


def test_a_seed_holds_its_leaders_copy_until_a_better_one_comes() -> None:
    rows = [
        *(row(attack="copycat", value=0.8, budget=budget, queries=90) for budget in (100, 1_000)),
        row(value=0.7, budget=300, queries=290),
    ]
    model = gather(rows, RUN, Catalogue.of(ATTACKS.values()))
    curve = curves(frontier(model, "digits", "none", "agreement.task"))[1]
    assert [(point.budget, point.value, point.served) for point in curve] == [
        (100, 0.8, 90),
        (300, 0.8, 90),
        (1_000, 0.8, 90),
    ]
