"""A clock that moves when a test says so, and timers that go off on it."""

from collections.abc import Callable

from extproc.server.alarms import Alarms


class Timer:
    def __init__(self, timers: "Timers", at: float, callback: Callable[[], None]) -> None:
        self._timers, self.at, self.callback = timers, at, callback

    def cancel(self) -> None:
        self._timers.set.remove(self)


class Timers:
    """What alarms run on, instead of the loop's own."""

    def __init__(self) -> None:
        self.now = 1000.0
        self.set: list[Timer] = []
        """Those that have not gone off."""
        self.alarms = Alarms(lambda: self.now, self._arm)

    def advance(self, seconds: float) -> None:
        """Let time pass, and every timer go off that is due by then, or within a thousandth: the
        loop's own, too, are not to be relied on for less.
        """
        self.now += seconds
        while due := [timer for timer in self.set if timer.at < self.now + 0.0009]:
            self.set.remove(due[0])
            due[0].callback()

    def _arm(self, delay: float, callback: Callable[[], None]) -> Timer:
        timer = Timer(self, self.now + delay, callback)
        self.set.append(timer)
        return timer
