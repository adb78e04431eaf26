from prometheus_client import CollectorRegistry

from extproc.server.detection.metrics import show
from tests.server.detection.rig import asked
from tests.server.detection.test_watcher import watching


async def test_what_waits_and_what_was_counted_is_shown() -> None:
    registry = CollectorRegistry()
    async with watching() as watcher:
        show(watcher, registry)

        def value(name: str) -> float | None:
            return registry.get_sample_value(f"extproc_detection_{name}")

        watcher.notice(asked(*range(30)))
        assert (value("waiting"), value("counted")) == (1, 0)
        await watcher.idle()
        assert (value("waiting"), value("counted"), value("profiles")) == (0, 1, 1)
        assert (value("cases"), value("standing"), value("faults")) == (1, 1, 0)
        assert value("seconds")
