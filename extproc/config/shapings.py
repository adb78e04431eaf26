"""Shaping: that every route can do what a policy asks of the time and length of its answers.

Rule (design law 12): what could not act on an answer of a route is an error, never silently less.
"""

from collections.abc import Mapping, Sequence

from extproc.config.document import Document, Place
from extproc.config.settings import (
    LengthSettings,
    PolicySettings,
    Settings,
    StreamSettings,
    TimingSettings,
)
from extproc.constant_rate import filler
from extproc.dialects.answers import Answer, Answers, streamed
from extproc.padding import Buckets, fillable
from extproc.rollout import Rollout
from extproc.route import Route
from extproc.shaping import LONGEST, SHORTEST, UNSHAPED, Grid, Rate, Shaping
from extproc.units import seconds


def compile_shapings(
    document: Document, settings: Settings, routes: Sequence[Route]
) -> dict[str, Shaping]:
    """By policy; under "", of strangers.  Raise ConfigError where a route cannot do it."""
    shaped = {
        name: _of_policy(document, ("policies", name), settings, policy, routes)
        for name, policy in settings.policies.items()
    }
    grid = _grid(document, (), settings, settings.timing)
    buckets = _buckets(document, (), settings.length, ())
    return {"": Shaping(grid, buckets), **shaped}


def shaped(answers: Answers, shaping: Shaping) -> Answers:
    """Those that can be had in this shape; where lengths are hidden, no answer of octets is."""
    if shaping.buckets is None:
        return answers
    return {media_type: answer for media_type, answer in answers.items() if fillable(answer)}


def of_tenants(
    settings: Settings, shapings: Mapping[str, Shaping], rollout: Rollout
) -> dict[str, Shaping]:
    """By tenant; under "", of strangers.  What is on trial waits for nothing."""
    owned = {name: shapings[tenant.policy] for name, tenant in settings.tenants.items()}
    every = {"": shapings[""], **owned}
    return {
        name: UNSHAPED if rollout.on_trial(name) else shaping for name, shaping in every.items()
    }


def _of_policy(
    document: Document,
    place: Place,
    settings: Settings,
    policy: PolicySettings,
    routes: Sequence[Route],
) -> Shaping:
    """On trial nothing is changed, so nothing waits."""
    grid = _grid(
        document, place if policy.timing else (), settings, policy.timing or settings.timing
    )
    length = policy.length or settings.length
    buckets = _buckets(document, place if policy.length else (), length, routes)
    rate = _rate(document, place, settings, policy.stream, routes)
    return UNSHAPED if policy.mode == "shadow" else Shaping(grid, buckets, rate)


def _grid(
    document: Document, place: Place, settings: Settings, timing: TimingSettings | None
) -> Grid | None:
    if timing is None:
        return None
    return Grid(_bounded(document, (*place, "timing", "grid"), settings, timing.grid))


def _rate(
    document: Document,
    place: Place,
    settings: Settings,
    stream: StreamSettings | None,
    routes: Sequence[Route],
) -> Rate | None:
    if stream is None:
        return None
    place = (*place, "stream")
    for route, media_type, answer in _answers(routes):
        if streamed(answer) and filler(answer) is None:
            raise _impossible(document, place, route, media_type)
    return Rate(_bounded(document, (*place, "tick"), settings, stream.tick), stream.size)


def _buckets(
    document: Document, place: Place, length: LengthSettings | None, routes: Sequence[Route]
) -> Buckets | None:
    if length is None:
        return None
    for route in routes:
        answers = route.dialect.answers()
        if answers and not any(map(fillable, answers.values())):
            raise _impossible(document, (*place, "length"), route, next(iter(answers)))
    return Buckets(0 if isinstance(length.buckets, str) else length.buckets)


def _answers(routes: Sequence[Route]) -> list[tuple[Route, str, Answer]]:
    return [
        (route, media_type, answer)
        for route in routes
        for media_type, answer in route.dialect.answers().items()
    ]


def _impossible(document: Document, place: Place, route: Route, media_type: str) -> Exception:
    wrong = f"{route.name} answers {media_type}, in which clients ignore no byte"
    return document.fault(place, wrong, "remove it, or remove the route")


def _bounded(document: Document, place: Place, settings: Settings, duration: str) -> float:
    """Seconds of a wait; a sidecar that drains must be able to see the longest out."""
    wait = seconds(duration)
    if not SHORTEST <= wait <= LONGEST:
        remedy = f"write one from {SHORTEST * 1000:.0f}ms to {LONGEST:.0f}s"
        raise document.fault(place, "too short or too long a wait", remedy)
    if seconds(settings.drain) < wait:
        wrong = f"longer than drain, which is {settings.drain}"
        raise document.fault(place, wrong, "shorten it, or raise drain")
    return wait
