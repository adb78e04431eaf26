"""``extproc solve``: the work that a refusal asks for, done.

Rule: what a server asks of this machine is bounded here, whoever the server is.
"""

import sys
from pathlib import Path
from threading import Thread
from typing import TYPE_CHECKING, Annotated, Any

import typer

from extproc.errors import ConfigError

if TYPE_CHECKING:
    from altcha import Challenge

UNSOLVED = 1
"""Exit code where it asks more than ``--most``, or is over."""
LARGEST = 64 * 1024
"""Octets that are read of a challenge, or of the answer that it came in."""
EVERY = 1.0
"""Seconds between two lines of progress."""

ChallengeArgument = Annotated[
    str,
    typer.Argument(
        metavar="CHALLENGE",
        help="The header field x-extproc-challenge, or the body of the 429; - for standard input.",
    ),
]


def solve(
    challenge: ChallengeArgument = "-",
    file: Annotated[
        Path | None, typer.Option(help="A file that holds it instead.", show_default=False)
    ] = None,
    most: Annotated[
        float, typer.Option(help="Seconds of work to do at most, on average.", min=0.01, max=3600)
    ] = 30.0,
) -> int:
    """Solve a challenge and print the value of the header field x-extproc-solution.

    Exit codes: 0 solved; 1 more work than --most, or none found in time; 4 it is no challenge.
    Progress goes to standard error.
    """
    found = parsed(_text(challenge, file))
    expected = _seconds(found)
    if expected > most:
        return _unsolved(f"the challenge asks for {expected:.1f} s of work; raise --most")
    answer = _solved(found, expected)
    if answer is None:
        return _unsolved("no solution was found in time; ask for another challenge")
    print(answer)
    return 0


def parsed(text: str) -> "Challenge":
    """A challenge as in the header field, as in the body, or the body whole.

    Raise ConfigError unless it is one of the kind that extproc asks.
    """
    from altcha import Challenge

    from extproc.proof_of_work import read_challenge

    given = read_challenge(text.strip())
    if given is None:
        raise ConfigError(
            "CHALLENGE: is none; give the header field x-extproc-challenge, or the 429's body"
        )
    return Challenge.from_dict(given)


def _text(challenge: str, file: Path | None) -> str:
    try:
        if file is not None:
            with file.open("rb") as opened:
                return opened.read(LARGEST).decode()
        return sys.stdin.buffer.read(LARGEST).decode() if challenge == "-" else challenge
    except OSError as error:
        raise ConfigError(f"{file}: cannot be read; {error.strerror}") from error
    except UnicodeDecodeError as error:
        raise ConfigError(f"{file or 'standard input'}: is no text; give a challenge") from error


def _seconds(challenge: "Challenge") -> float:
    """What the work takes on average, on a modest machine."""
    from extproc.limits.exhaustion import PER_SECOND
    from extproc.proof_of_work import TRIES

    return challenge.parameters.cost * TRIES / PER_SECOND


def _solved(challenge: "Challenge", expected: float) -> str | None:
    from altcha import Payload, solve_challenge

    from extproc.proof_of_work import LIFETIME

    found: list[Any] = []

    def work() -> None:
        found.append(solve_challenge(challenge, timeout=LIFETIME))

    # Hashing lets other threads run, and one that is a daemon ends with the command.
    worker = Thread(target=work, daemon=True)
    worker.start()
    passed = 0.0
    while worker.is_alive():
        worker.join(EVERY)
        passed += EVERY
        if worker.is_alive():
            print(f"{passed:.0f} s of some {expected:.1f} s", file=sys.stderr)
    solution = found[0]
    return None if solution is None else Payload(challenge, solution).to_base64()


def _unsolved(why: str) -> int:
    print(f"extproc solve: {why}", file=sys.stderr)
    return UNSOLVED
