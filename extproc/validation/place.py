"""Where in a request something stands, as a refusal names it."""

from typing import Final

_SHOWN: Final = 64


def shown(place: str) -> str:
    """A place in quotes, cut where the client's names are long."""
    return repr(place[:_SHOWN]) if place else "the request"


def at(place: str, name: str) -> str:
    return f"{place}.{name}" if place else name
