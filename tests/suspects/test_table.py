import io
import json
from datetime import UTC, datetime

from msgspec.structs import replace
from rich.console import Console

from extproc.accounts.suspects import Change, Overridden, Suspect
from extproc.suspects.table import show, show_one, to_json, told

NOON = datetime(2026, 6, 1, 12, tzinfo=UTC)
ACME = Suspect(
    subject="acme",
    tenant="acme",
    traffic="user",
    suspicion=0.9312,
    step="fidelity",
    until=NOON,
    shadow=False,
    word="",
    word_until=None,
    evidence={"novelty": 9.062, "cadence": 0.25},
    counts={"queries": 120, "first": int(NOON.timestamp())},
    cohorts=("block-7", "[b]"),
    history=(
        Change(NOON, "", "fidelity", 0.9, shadow=True),
        Change(NOON, "fidelity", "", 0.1, shadow=False),
    ),
)
QUIET = Suspect("b|key:1", "b", "", 0.0, "", None, False, "trusted", NOON, {}, {})


def shown(*suspects: Suspect) -> list[str]:
    console = Console(file=io.StringIO())
    show(suspects, console)
    return console.file.getvalue().splitlines()  # type: ignore[attr-defined, no-any-return]


def one(suspect: Suspect) -> list[str]:
    console = Console(file=io.StringIO())
    show_one(suspect, console)
    lines: str = console.file.getvalue()  # type: ignore[attr-defined]
    return [line.rstrip() for line in lines.splitlines()]


def test_a_list_has_a_line_for_each() -> None:
    lines = [line.split() for line in shown(ACME, QUIET)]
    assert lines[0] == [
        "subject",
        "suspicion",
        "step",
        "until",
        "strongest",
        "evidence",
        "operator",
    ]
    assert lines[1] == [
        *("acme", "0.93", "fidelity", "2026-06-01", "12:00Z", "novelty", "9.06", "nats"),
    ]
    assert lines[2] == ["b|key:1", "0.00", "trusted", "until", "2026-06-01", "12:00Z"]


def test_nobody_is_told_as_such() -> None:
    assert shown() == ["nobody is suspected"]


def test_one_is_told_with_all_that_is_known_of_it() -> None:
    assert one(ACME) == [
        "subject:   acme",
        "suspicion: 0.93, measured as user",
        "step:      fidelity until 2026-06-01 12:00Z",
        "cohorts:   block-7, [b]",
        "",
        "evidence  nats",
        "novelty   9.06",
        "cadence   0.25",
        "",
        "counted              count",
        "queries                120",
        "first    2026-06-01 12:00Z",
        "",
        "time               from      to                   suspicion",
        "2026-06-01 12:00Z  none      fidelity (on trial)       0.90",
        "2026-06-01 12:00Z  fidelity  none                      0.10",
    ]


def test_one_of_whom_little_is_known_is_told_so() -> None:
    assert one(QUIET) == [
        "subject:   b|key:1",
        "tenant:    b",
        "suspicion: 0.00",
        "step:      none",
        "operator:  trusted until 2026-06-01 12:00Z",
    ]


def test_a_word_that_holds_is_told_in_a_sentence_with_its_end() -> None:
    held = replace(ACME, word_until=NOON)
    assert told(Overridden("trust", held)) == (
        "acme is trusted: it stands on no step until 2026-06-01 12:00Z"
    )
    assert told(Overridden("freeze", replace(ACME, subject="b|key:1"))) == (
        "b|key:1 is frozen: every request of it is refused; "
        "end that with: extproc suspects forgive 'b|key:1'"
    )
    assert told(Overridden("forgive", ACME)) == (
        "acme is forgiven: it stands on no step, and is counted anew"
    )


def test_json_has_times_in_utc_and_numbers() -> None:
    found = json.loads(to_json([ACME]))[0]
    assert (found["suspicion"], found["until"]) == (0.9312, "2026-06-01T12:00:00Z")
    assert json.loads(to_json(Overridden("trust", ACME)))["word"] == "trust"
