"""One report of made-up rows for all tests of the report: it takes seconds to draw."""

import pytest

from extproc.redteam.goals import Goal, Goals, NotStopped, Relative
from extproc.redteam.report import contents, standards
from extproc.redteam.report.catalogue import Catalogue
from extproc.redteam.report.document import Page
from extproc.redteam.report.model import Model, gather
from extproc.redteam.report.verdicts import Verdicts, decide
from tests.redteam.report import made_up

GOALS = Goals(
    goals=(
        Goal(
            id="low",
            claim="Low.",
            attack="copycat",
            victim="digits",
            policy="coarse",
            measure="agreement.uniform",
            at_most=0.9,
        ),
        Goal(
            id="dear",
            claim="Dear.",
            attack="knockoff",
            victim="forest",
            policy="coarse",
            measure="agreement.task",
            relative=Relative(level=0.9, times_at_least=4),
        ),
        Goal(
            id="wrong",
            claim="Wrong.",
            victim="digits",
            policy="sealed",
            measure="agreement.task",
            at_most=0.7,
        ),
        Goal(
            id="gone",
            claim="Gone.",
            victim="digits",
            policy="sealed",
            measure="hidden",
            at_most=0.7,
        ),
        Goal(
            id="bits",
            claim="Less.",
            attack="knockoff",
            victim="digits",
            policy="coarse",
            measure="agreement.task",
            relative=Relative(times_at_most=1),
        ),
    ),
    not_stopped=(
        NotStopped(
            id="own",
            statement="Own data.",
            attack="knockoff",
            victim="digits",
            policy="sealed",
            measure="agreement.task",
            budget=300,
        ),
    ),
)


@pytest.fixture(scope="session")
def model() -> Model:
    return gather(made_up.rows(), made_up.RUN, Catalogue.of(made_up.ATTACKS.values()))


@pytest.fixture(scope="session")
def verdicts(model: Model) -> Verdicts:
    return decide(GOALS, model)


@pytest.fixture(scope="session")
def page(model: Model, verdicts: Verdicts) -> Page:
    return contents.page(model, verdicts)


@pytest.fixture(scope="session")
def second(model: Model) -> Page:
    return standards.page(model)
