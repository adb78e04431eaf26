"""How long the sidecar itself took over something, without what it waited for Envoy."""

import time
from collections.abc import Iterator
from contextlib import contextmanager


class Stopwatch:
    seconds = 0.0

    @contextmanager
    def running(self) -> Iterator[None]:
        """Count the time inside."""
        began = time.perf_counter()
        try:
            yield
        finally:
            self.seconds += time.perf_counter() - began
