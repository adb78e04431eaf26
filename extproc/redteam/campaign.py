"""One call of ``extproc redteam``: from what was asked for to files and an exit code."""

import asyncio
import signal
import sys
from typing import Final

import msgspec
from rich.console import Console

from extproc.redteam.aim import Aim, Asked, aim
from extproc.redteam.firing_range.process import ProcessDied
from extproc.redteam.goals import FILES, Goals, load, together
from extproc.redteam.heading import heading
from extproc.redteam.journal import Journal, fingerprint, open_journal
from extproc.redteam.policy_choice import Misuse
from extproc.redteam.preflight import Unattackable, warnings
from extproc.redteam.progress import Progress
from extproc.redteam.report.report import report
from extproc.redteam.run import Result, Run
from extproc.redteam.summary import summary
from extproc.redteam.workers import WIDTH

NOT_HELD: Final = 1
USAGE: Final = 2
UNATTACKABLE: Final = 3
WRONG_FILE: Final = 4
FAILED: Final = 5
INTERRUPTED: Final = 130
"""Exit codes; `command.redteam` says what each is for."""
UNCHANGING: Final = ("full",)
"""Shipped policies that are meant to change nothing."""


def run(asked: Asked) -> int:
    """Run it, write what it measured, print a table; returns the exit code."""
    try:
        return _run(asked)
    except (asyncio.CancelledError, KeyboardInterrupt):
        return _ended("interrupted: the same command goes on from here", INTERRUPTED)


def _run(asked: Asked) -> int:
    try:
        aimed = aim(asked)
        goals = _goals(asked, aimed)
        mark = fingerprint(aimed.trials, aimed.files)
        journal = open_journal(asked.directory / "journal.jsonl", mark, fresh=asked.fresh)
        result = _attack(aimed, journal)
    except Misuse as error:
        return _ended(error, USAGE)
    except (ProcessDied, Unattackable) as error:
        return _ended(error, UNATTACKABLE)
    except (ValueError, OSError) as error:
        return _ended(error, WRONG_FILE)
    return _report(asked, aimed, result, goals)


def _attack(aimed: Aim, journal: Journal) -> Result:
    """Whether it is Ctrl-C or SIGTERM that ends it: everything that runs is ended first."""
    with Progress(Console(stderr=True), WIDTH) as progress, asyncio.Runner() as runner:
        run = Run(aimed.trials, aimed.attacks, aimed.victims, aimed.ground, journal, progress)
        loop = runner.get_loop()
        task = loop.create_task(run.run())
        once = iter([task.cancel])

        def break_off() -> None:
            """Who is impatient and asks again does not break off how what runs is ended."""
            for cancel in once:
                cancel()

        for number in (signal.SIGINT, signal.SIGTERM):
            loop.add_signal_handler(number, break_off)
        return loop.run_until_complete(task)


def _goals(asked: Asked, aimed: Aim) -> Goals:
    """Those that the run is about.  Raise ValueError where a file of goals is none."""
    if asked.goals is not None:
        return load(asked.goals)
    apart = {aimed.attacks[trial.attack].apart for trial in aimed.trials}
    return together(load(FILES[each]) for each in sorted(apart))


def _report(asked: Asked, aimed: Aim, result: Result, goals: Goals) -> int:
    directory = asked.directory
    lines = b"".join(msgspec.json.encode(row) + b"\n" for row in result.rows)
    (directory / "rows.jsonl").write_bytes(lines)
    if not (asked.quick or asked.whole):
        Console().print(summary(result.rows))
    for warning in warnings(result.rows, UNCHANGING):
        print(f"note: {warning}", file=sys.stderr)
    run = heading(aimed, result, sys.argv[1:], whole=asked.whole)
    verdicts = report(result.rows, run, goals, directory)
    for judged in verdicts.judged:
        if judged.counts and not judged.passed:
            print(f"{judged.verdict}: {judged.goal.claim}", file=sys.stderr)
    for promise in verdicts.broken:
        print(f"broken promise: {promise.sentence}", file=sys.stderr)
    counted = sum(judged.counts for judged in verdicts.judged)
    passed = sum(judged.counts and judged.passed for judged in verdicts.judged)
    print(f"{passed} of {counted} goals hold: {directory / 'report.html'}, and report.md beside it")
    for name, why in result.failed.items():
        print(f"failed: {name}: {why}", file=sys.stderr)
    if result.failed:
        return FAILED
    return 0 if verdicts.passed else NOT_HELD


def _ended(why: object, code: int) -> int:
    print(f"extproc redteam: {why}", file=sys.stderr)
    return code
