"""Durations, sizes and references to secrets as people write them."""

from typing import Annotated, Final

from msgspec import Meta

DURATION: Final = r"^[1-9][0-9]{0,5}(ms|s|m|h|d)\Z"
Duration = Annotated[
    str,
    Meta(
        pattern=DURATION,
        description="a duration such as 250ms, 1s, 5m, 1h or 1d",
    ),
]
Size = Annotated[
    Annotated[int, Meta(ge=1, le=1 << 50)]
    | Annotated[str, Meta(pattern=r"^[1-9][0-9]{0,5}(B|KiB|MiB|GiB)\Z")],
    Meta(description="a size such as 256KiB or 1MiB, or a number of bytes"),
]
SecretReference = Annotated[
    str,
    Meta(
        pattern=r"^(file:.+|env:[A-Za-z_][A-Za-z0-9_]*)\Z",
        description="file:PATH or env:NAME, where the secret is; it does not belong here",
    ),
]

_SECONDS: Final = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0, "d": 86_400.0}
_BYTES: Final = {"B": 1, "KiB": 1 << 10, "MiB": 1 << 20, "GiB": 1 << 30}


def seconds(duration: str) -> float:
    """Seconds of a Duration."""
    number = duration.rstrip("dhms")
    return int(number) * _SECONDS[duration[len(number) :]]


def octets(size: int | str) -> int:
    """Bytes of a Size."""
    if isinstance(size, int):
        return size
    number = size.rstrip("BGKMi")
    return int(number) * _BYTES[size[len(number) :]]
