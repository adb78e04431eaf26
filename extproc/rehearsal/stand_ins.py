"""Secrets for whoever asks what a policy says, and need not have any.

Rule: no secret is proven by one of these; whoever uses them assumes who asks.
"""

from collections.abc import Iterator, Mapping
from typing import Final

SECRET: Final = "0" * 64


class StandIns(Mapping[str, str]):
    """Environment variables, in which one that is not set stands for some secret."""

    def __init__(self, environ: Mapping[str, str]) -> None:
        self._environ = environ
        self.used = False

    def __getitem__(self, name: str) -> str:
        if name in self._environ:
            return self._environ[name]
        self.used = True
        return SECRET

    def __contains__(self, name: object) -> bool:
        return isinstance(name, str)

    def __iter__(self) -> Iterator[str]:
        return iter(self._environ)

    def __len__(self) -> int:
        return len(self._environ)
