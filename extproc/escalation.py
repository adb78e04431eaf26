"""What suspicion does: the ladder of escalations, and where a caller stands on it.

Rules.  Whoever stands on a step is met as if a limit of its own had nothing left (exhaustion.py),
so that nothing an attacker sees tells suspicion from exhaustion.  Whoever stands on one stands on
all below it too, each for its own time: more suspicion never makes an answer finer.  A step is left
by its end or by an operator's word, never because suspicion falls; and what a caller has stood on a
step for does not put it there again (hysteresis, after Schmitt, "A thermionic trigger", Journal of
Scientific Instruments, 1938).  Pure: time is a parameter, in seconds since 1970.
"""

from collections.abc import Callable
from typing import Final, Literal

from msgspec import Struct
from msgspec.structs import replace

from extproc.detectors.evidence import suspicion
from extproc.limits import Limit

Override = Literal["", "trusted", "frozen"]
STEP: Final = "escalation:"
"""What the names of the rules of steps begin with, and of no limit of a policy."""


class Step(Struct, frozen=True):
    """One escalation."""

    above: float
    """The suspicion from which on it applies."""
    seconds: float
    """For how long."""
    limit: Limit
    """One of which nothing is left: what becomes of requests is its ``exhausted``."""
    name: str
    """What it does: ``throttle``, ``fidelity``, ``challenge`` or ``deny``; for records."""
    face: Limit | None = None
    """The limit of the policy's own as which it is told; None where there is none like it."""
    early: bool = False
    """Whether it is met as soon as a request comes; else once that has been read."""


class Ladder(Struct, frozen=True):
    """The steps of one policy on one route, the mildest first."""

    steps: tuple[Step, ...] = ()
    hourly: int = 0
    """At most so many callers are put on a step in an hour: a poisoned detector does not lock
    everybody out.  0 for no bound."""
    shadow: bool = False
    """What would be done is counted, and is not done."""
    policy: str = ""
    """Whose callers those are that ``hourly`` bounds."""
    lost: Step | None = None
    """What meets those of whom nothing is known since what was known has been lost."""


class Case(Struct, frozen=True):
    """What is known of one caller that has been suspected; it is kept, merged and told."""

    suspicion: float = 0.0
    """By the evidence that it has not been answered for."""
    step: int = -1
    """Its place on the ladder; -1 where it stands on none."""
    since: float = 0.0
    """When it was put there, in seconds since 1970."""
    until: float = 0.0
    """When that ends, with all the steps below."""
    spent: float = 0.0
    """Evidence, in nats, that it has been answered for: only what comes on top counts anew."""
    override: Override = ""
    """What an operator has said; see ``current``."""
    reached: float = 0.0
    """Evidence, in nats, that put it where it stands."""
    lost: float = 0.0
    """Until when it is met as one of whom nothing is known, in seconds since 1970."""
    ends: float = 0.0
    """When what an operator has said ends, in seconds since 1970; 0 for never."""


NOBODY: Final = Case()
NO_STEPS: Final = Ladder()


Change = Literal[
    "",
    "climbed",
    "descended",  # to a step below, or off the ladder
    "held back",  # it would have been put on a step, if there were not too many already
]


class Judged(Struct, frozen=True):
    case: Case
    change: Change = ""


class Met(Struct, frozen=True):
    """A step on which a caller stands."""

    step: Step
    left: float
    """Seconds until its end."""


def judged(
    ladder: Ladder,
    case: Case,
    nats: float,
    threshold: float,
    now: float,
    may: Callable[[], bool] = lambda: True,
) -> Judged:
    """Where a caller stands now, of whom so much evidence is known; see detectors/evidence.py.

    ``may`` is asked before somebody is put on a step who stands on none; see allowances.py.  Call
    it again when a step ends.
    """
    nats, case = max(0.0, nats), current(case, now)
    after = _aged(ladder, case, now)
    change: Change = "descended" if after.step < case.step else ""
    # What decays is not owed: evidence that came since would count for less than it is.
    spent = nats if case.override == "trusted" else min(after.spent, nats)
    doubt = suspicion(nats - spent, threshold)
    after = replace(after, spent=spent, reached=min(after.reached, nats), suspicion=doubt)
    if case.override == "trusted":
        return Judged(_off(after), "descended" if case.step >= 0 else "")
    place = sum(step.above <= doubt for step in ladder.steps) - 1
    if place <= after.step:
        return Judged(after, change)
    if after.step < 0 and not may():
        return Judged(after, "held back")
    until = now + max(step.seconds for step in ladder.steps[: place + 1])
    climbed = replace(after, step=place, since=now, until=until, reached=nats)
    return Judged(climbed, "climbed")


def standing(ladder: Ladder, case: Case, now: float) -> tuple[Met, ...]:
    """The steps on which a caller stands, the mildest first; none where an operator trusts it."""
    if current(case, now).override == "trusted":
        return ()
    lost = ladder.lost if now < case.lost else None
    steps = [Met(lost, case.lost - now)] if lost is not None else []
    since = min(case.since, now)
    for step in ladder.steps[: case.step + 1]:
        left = since + step.seconds - now
        if left > 0:
            steps.append(Met(step, left))
    return tuple(steps)


def forgiven(case: Case, nats: float) -> Case:
    """Off the ladder, and all evidence that there is is answered for: an operator's word, which
    ends any other.
    """
    answered = replace(_off(case), suspicion=0.0, spent=max(0.0, nats), lost=0.0)
    return overridden(answered, "")


def overridden(case: Case, override: Override, ends: float = 0.0) -> Case:
    """With an operator's word, or without one again."""
    return replace(case, override=override, ends=ends if override else 0.0)


def current(case: Case, now: float) -> Case:
    """Without an operator's word that has ended."""
    return overridden(case, "") if 0 < case.ends <= now else case


def _aged(ladder: Ladder, case: Case, now: float) -> Case:
    """Without the steps that have ended.

    Where the clock was set back it was put there just now: nobody leaves earlier for that, nor
    stays longer than a step lasts.
    """
    if case.step < 0:
        return case
    since = min(case.since, now)
    ends = [since + step.seconds for step in ladder.steps[: case.step + 1]]
    places = [place for place, end in enumerate(ends) if now < end]
    if places and places[-1] == case.step:
        return replace(case, since=since, until=max(ends))
    answered = replace(case, spent=max(case.spent, case.reached))
    if not places:
        return _off(answered)
    return replace(answered, step=places[-1], since=since, until=max(ends))


def _off(case: Case) -> Case:
    return replace(case, step=-1, since=0.0, until=0.0, reached=0.0)
