"""How far a run is."""

from io import StringIO

import pytest
from rich.console import Console

from extproc.redteam.plan import Planned
from extproc.redteam.progress import Estimate, Progress
from extproc.redteam.worker import Outcome

SMALL, LARGE = (
    Planned("one", "digits", "none", seed, (each,)) for seed, each in ((1, 700), (2, 9_700))
)
OTHER = Planned("two", "digits", "none", 1, (700,))


def test_what_is_left_is_told_from_what_the_same_attack_took() -> None:
    estimate = Estimate()
    estimate.learn(SMALL, 2.0)
    assert estimate.seconds([LARGE]) == pytest.approx(20.0)
    estimate.learn(OTHER, 6.0)
    assert estimate.seconds([LARGE]) == pytest.approx(20.0)
    unknown = Planned("three", "digits", "none", 1, (700,))
    assert estimate.seconds([unknown]) == pytest.approx(4.0), "as all of them took a question"


def test_before_anything_was_run_it_is_guessed() -> None:
    assert 0 < Estimate().seconds([LARGE]) < 60


def test_without_a_terminal_it_tells_the_end_and_what_failed() -> None:
    text = StringIO()
    with Progress(Console(file=text, width=200), 2) as progress:
        progress.begin([SMALL, LARGE], 3)
        progress.phase("looking")
        progress.done(SMALL, Outcome((), "ValueError at x.py:3: no", 130.0))
        progress.done(LARGE, Outcome((), "", 1.0))
    assert text.getvalue().splitlines() == [
        "3 of 5 trials are in the journal",
        "looking",
        "failed: one on digits under none, seed 1: ValueError at x.py:3: no",
        "5/5, 1 failed, 0 s left; last: one on digits under none, seed 2",
    ]


def test_on_a_terminal_it_is_one_line_with_the_time_left() -> None:
    text = StringIO()
    console = Console(file=text, width=200, force_terminal=True)
    with Progress(console, 2) as progress:
        progress.begin([SMALL, LARGE], 0)
        progress.phase("looking")
        progress.done(SMALL, Outcome((), "", 26.0))
    assert "1/2, 2 min 10 s left; last: one on digits under none, seed 1" in text.getvalue()
