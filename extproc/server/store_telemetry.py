"""How the store fares, in metrics: whether it is reached, what it forgot, what is owed to it."""

from collections.abc import Callable

from prometheus_client import CollectorRegistry, Gauge

from extproc.stores.opened import Opened


def watch(store: Opened, registry: CollectorRegistry) -> None:
    """Have a registry tell of a store; of one in memory, whom it has no counter left for."""
    together = "Charges that were counted together, for want of a counter."
    _set(registry, "counted_together", together, lambda: store.accounts.together)
    redis, local = store.redis, store.local
    if redis is not None:
        healing, calls = redis.healing, redis.calls
        for name, documentation, value in (
            ("up", "1 while every server of the store is connected to.", lambda: redis.up),
            ("round_trips", "Writes to the store.", lambda: redis.round_trips),
            ("failures", "Calls that had no answer, or were not made.", lambda: calls.failures),
            ("losses", "Times that it had lost what it knew.", lambda: healing.losses),
            ("restored", "Counters handed in again after that.", lambda: healing.restored),
            ("unsettled", "Settlements that were given up.", lambda: redis.lost),
        ):
            _set(registry, name, documentation, value)
    if local is not None:
        _set(registry, "local_takes", "Requests counted here alone.", lambda: local.takes)
        _set(registry, "local_owed", "Counters that wait to be charged.", lambda: len(local))
        _set(registry, "local_lost", "Counters that nobody can charge.", lambda: local.lost)


def _set(
    registry: CollectorRegistry, name: str, documentation: str, value: Callable[[], float]
) -> None:
    Gauge(f"extproc_store_{name}", documentation, registry=registry).set_function(value)
