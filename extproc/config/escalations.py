"""The ladders of escalations, compiled: for every policy and route, the steps and how each is told.

Rule (design law 12): a step that could not act, or that no caller would ever come to, is an error;
and one is told as a limit of the policy's own whose exhaustion would do the same, where there is
one, so that answers are those of whoever has used that up.
"""

import math
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from typing import Any, Final

from extproc.config.detection_settings import StepSettings
from extproc.config.document import Document, Place
from extproc.config.entitlements import Grant
from extproc.config.exhaustion import compile_exhausted
from extproc.config.exhaustion_settings import OnTerms
from extproc.config.expectation import instead, one_of
from extproc.config.settings import PolicySettings, Settings
from extproc.config.texts import marks_texts
from extproc.escalation import NO_STEPS, STEP, Ladder, Step
from extproc.limits import SECOND, Calendar, Concurrency, Limit, Rate, Scope, Sliding
from extproc.limits.exhaustion import DENY, Action, Challenge, Deny, Lower, Throttle
from extproc.mutators import MarkPositions
from extproc.units import seconds

ACTIONS: Final = ("throttle", "fidelity", "challenge", "deny")
_PERIODS: Final = {"hour": 3600.0, "day": 86_400.0, "month": 31 * 86_400.0}
"""Seconds, at most."""
_ADD: Final = "add detection: {reference: FILE}, where FILE is made by: extproc calibrate"


def compile_ladders(
    document: Document,
    settings: Settings,
    grants: Mapping[str, Mapping[str, Grant]],
    counted: Mapping[str, Mapping[str, Mapping[str, Any]]],
) -> dict[str, dict[str, Ladder]]:
    """By policy and route.  Raise ConfigError where a step could not act.

    ``counted`` holds the limits of each, by policy and route: ``limits`` and ``reserved``.
    """
    _refuse_undetected(document, settings)
    lost = _lost(document, settings)
    compiled = {}
    for name, policy in settings.policies.items():
        actions = [*_actions(document, name, policy, settings.fidelities)]
        _refuse_idle(document, settings, name, actions, grants[name])
        compiled[name] = {
            route: _ladder(settings, name, actions, lost, [*of["limits"], *of["reserved"]])
            for route, of in counted[name].items()
        }
    return compiled


def tiers(ladder: Ladder) -> set[str]:
    """The names of those that it lowers answers to."""
    steps = [*ladder.steps, *([ladder.lost] if ladder.lost is not None else [])]
    actions = [step.limit.exhausted for step in steps]
    return {action.fidelity for action in actions if isinstance(action, Lower)}


def prices(ladder: Ladder) -> bool:
    """Whether it asks for work, of which the price is what an answer tells."""
    return any(isinstance(step.limit.exhausted, Challenge) for step in ladder.steps)


def _refuse_undetected(document: Document, settings: Settings) -> None:
    if settings.detection is not None:
        return
    for name, policy in settings.policies.items():
        for field in ("escalation", "escalations_per_hour", "traffic"):
            place = ("policies", name, field)
            if _written(document, place) and (policy.escalation or field != "escalation"):
                raise document.fault(place, "nobody looks at how callers ask", _ADD)
    for name, tenant in settings.tenants.items():
        marks = settings.ownership is not None or _moves_vectors(settings) or marks_texts(settings)
        if tenant.exempt and not marks:
            wrong = "nobody looks at how callers ask"
            raise document.fault(("tenants", name, "exempt"), wrong, "remove it")


def _moves_vectors(settings: Settings) -> bool:
    chains = (each.get("embedding", ()) for each in settings.fidelities.values())
    return any(isinstance(mutator, MarkPositions) for chain in chains for mutator in chain)


def _written(document: Document, place: Place) -> bool:
    """Whether the policy file says it, or a base file of steps: they have to be able to act."""
    written = place in document.lines
    return written and (place[-1] == "escalation" or document.origin(place).layer == "policy")


def _lost(document: Document, settings: Settings) -> Lower | None:
    if settings.detection is None or settings.detection.on_loss is None:
        return None
    tier, place = settings.detection.on_loss.fidelity, ("detection", "on_loss", "fidelity")
    if tier not in settings.fidelities:
        wrong = "no such tier under fidelities"
        raise document.fault(place, wrong, instead(tier, settings.fidelities))
    return Lower(tier)


def _actions(
    document: Document, name: str, policy: PolicySettings, known: Collection[str]
) -> Iterator[Action]:
    """What each step does."""
    place, order = ("policies", name, "escalation"), [*known]
    own = order.index(policy.fidelity) if policy.fidelity in order else -1
    capped = ("policies", name, "escalations_per_hour")
    if _written(document, capped) and not policy.escalation:
        raise document.fault(capped, "the policy has no steps of escalation", "remove it")
    above, ended = 0.0, False
    for index, step in enumerate(policy.escalation):
        here = (*place, index)
        if step.above <= above:
            wrong = f"not above {above:g}, from which on the step before holds"
            raise document.fault((*here, "above"), wrong, "put the milder step first")
        if ended:
            raise document.fault(here, "never reached: the step before denies", "remove it")
        action = _action(document, here, step, index, order)
        if isinstance(action, Lower):
            own = _lower_than(document, (*here, "fidelity"), action, order, own)
        above, ended = step.above, isinstance(action, Deny)
        yield action


def _lower_than(
    document: Document, place: Place, action: Lower, order: Sequence[str], own: int
) -> int:
    """Whoever is suspected more is not answered better."""
    found = order.index(action.fidelity)
    if found <= own:
        wrong = f"not below {order[own]}, the tier before it"
        below = order[own + 1 :]
        remedy = f"write {one_of(below)}" if below else "add a lower tier to fidelities"
        raise document.fault(place, wrong, remedy)
    return found


def _action(
    document: Document, place: Place, step: StepSettings, index: int, known: Collection[str]
) -> Action:
    named = [name for name in ACTIONS if getattr(step, name)]
    if len(named) != 1:
        wrong = f"does {' and '.join(named)}" if named else "says not what it does"
        raise document.fault(place, wrong, f"write {one_of(ACTIONS)}")
    if step.deny:
        return DENY
    terms = OnTerms(fidelity=step.fidelity, challenge=step.challenge, throttle=step.throttle)
    return compile_exhausted(document, place, terms, f"{STEP}{index}", known)


def _refuse_idle(
    document: Document,
    settings: Settings,
    name: str,
    actions: Sequence[Action],
    granted: Mapping[str, Grant],
) -> None:
    """A tier that none of the policy's answers is above lowers nothing."""
    order = [*settings.fidelities]
    own = {tier.fidelity for grant in granted.values() for tier in grant.tiers}
    best = min((order.index(each) for each in own if each in order), default=0)
    for index, action in enumerate(actions):
        if isinstance(action, Lower) and order.index(action.fidelity) <= best:
            place = ("policies", name, "escalation", index, "fidelity")
            wrong = "lowers nothing: no answer of the policy is at a tier above it"
            raise document.fault(place, wrong, "write a lower tier, or remove it")


def _ladder(
    settings: Settings,
    name: str,
    actions: Sequence[Action],
    lost: Lower | None,
    limits: Sequence[Limit],
) -> Ladder:
    detection, policy = settings.detection, settings.policies[name]
    if detection is None:
        return NO_STEPS
    per: tuple[Scope, ...] = ("tenant",) if detection.per == "tenant" else ("tenant", "principal")
    steps = [
        _step(step.above, seconds(step.time), action, index, per, limits)
        for index, (step, action) in enumerate(zip(policy.escalation, actions, strict=True))
    ]
    return Ladder(
        tuple(steps),
        policy.escalations_per_hour if steps else 0,
        detection.mode == "shadow",
        name if steps else "",
        None if lost is None else _step(0.0, math.inf, lost, len(steps), per, limits),
    )


def _step(
    above: float,
    lasting: float,
    action: Action,
    index: int,
    per: tuple[Scope, ...],
    limits: Sequence[Limit],
) -> Step:
    name = _name(action)
    limit = Limit(Concurrency(_called(name, index), 1), "requests", per, exhausted=action)
    face = _face(action, limits)
    early = name == "throttle" or (name == "deny" and (face is None or face.early))
    return Step(above, lasting, limit, name, face, early)


def _name(action: Action) -> str:
    match action:
        case Throttle():
            return "throttle"
        case Lower():
            return "fidelity"
        case Challenge():
            return "challenge"
        case _:
            return "deny"


def _called(name: str, index: int) -> str:
    """The name of a rule that no limit of a policy can have."""
    return f"{STEP}{index}:{name}"


def _face(action: Action, limits: Iterable[Limit]) -> Limit | None:
    """Of the limits whose exhaustion would do the same to every request, the one of which that
    would last longest.
    """
    alike = [limit for limit in limits if _is_like(action, limit) and _longest(limit) > 0]
    if isinstance(action, Throttle):
        alike = [limit for limit in alike if limit.early] or alike
    return max(alike, key=_longest, default=None)


def _is_like(action: Action, limit: Limit) -> bool:
    if limit.models or limit.kinds or not limit.own:
        return False
    if isinstance(action, Lower):
        return limit.exhausted == action
    if isinstance(action, Challenge):
        return isinstance(limit.exhausted, Challenge)
    return limit.exhausted == DENY


def _longest(limit: Limit) -> float:
    """How many seconds one can have nothing left; 0 of what has no such bound, or none that a
    caller could wait for.
    """
    match limit.rule:
        case Rate(window=window, max=most):
            return window / most / SECOND
        case Sliding(window=window):
            return window / SECOND
        case Calendar(periods=periods):
            return _PERIODS.get(periods.period, 0.0)
        case _:
            return 0.0
