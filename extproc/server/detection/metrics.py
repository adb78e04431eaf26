"""How detection fares, in metrics."""

from collections.abc import Callable

from prometheus_client import CollectorRegistry, Gauge

from extproc.server.detection.watcher import Watcher
from extproc.stores.redis.profiles import RedisProfiles


def show(watcher: Watcher, registry: CollectorRegistry) -> None:
    """Have a registry tell of it."""
    inbox, judge, profiles = watcher.inbox, watcher.judge, watcher.profiles
    allowances = judge.allowances
    for name, documentation, value in (
        ("waiting", "Exchanges that wait to be counted.", lambda: len(inbox)),
        ("unseen", "Exchanges of which only the volume was counted.", lambda: inbox.unseen),
        ("unread", "Exchanges whose inputs were not looked at.", lambda: inbox.unread),
        ("counted", "Exchanges that were counted.", lambda: watcher.counted),
        ("seconds", "Processor time that it has taken.", lambda: watcher.seconds),
        ("faults", "Errors in it.", lambda: watcher.faults + judge.faults),
        ("profiles", "Callers whose profile is kept.", lambda: len(profiles)),
        ("forgotten", "Profiles forgotten for want of a place.", lambda: profiles.forgotten),
        ("cases", "Callers that are suspected.", lambda: len(judge.cases)),
        ("standing", "Callers that stand on a step.", judge.cases.standing),
        ("held_back", "Times that a step was not taken: too many.", lambda: allowances.held_back),
    ):
        _set(registry, name, documentation, value)


def show_shared(shared: RedisProfiles, registry: CollectorRegistry) -> None:
    """Have a registry tell of what replicas share."""
    for name, documentation, value in (
        ("store_up", "1 while the store of profiles is connected to.", lambda: shared.up),
        ("store_trips", "Round trips to it.", lambda: shared.trips),
        ("store_failures", "Those that had no answer.", lambda: shared.failures),
        ("store_behind", "Callers of whom it is to be told.", lambda: shared.behind),
        ("store_refused", "What nobody can have counted.", lambda: shared.refused),
        ("store_losses", "Times that it had lost what it knew.", lambda: shared.losses),
    ):
        _set(registry, name, documentation, value)


def _set(
    registry: CollectorRegistry, name: str, documentation: str, value: Callable[[], float]
) -> None:
    Gauge(f"extproc_detection_{name}", documentation, registry=registry).set_function(value)
