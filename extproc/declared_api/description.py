"""What a file says of an API: how it is asked, and where answers lie."""

from collections.abc import Mapping, Sequence
from typing import Annotated, Literal

import msgspec

Count = Annotated[int, msgspec.Meta(ge=1)]
Url = Annotated[str, msgspec.Meta(pattern=r"^https?://[^/?#]+(/[^?#]*)?\Z")]


class Strict(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Unknown fields are refused."""


class Ask(Strict, frozen=True):
    """A request; ``{{inputs}}``, ``{{input}}``, ``{{flat}}`` and ``{{count}}`` in the body are
    filled in as JSON, ``{{key}}`` in a header field is the API key (without one, it is sent as a
    bearer token).
    """

    path: Annotated[str, msgspec.Meta(pattern="^/")]
    body: str
    method: Literal["POST", "PUT", "PATCH"] = "POST"
    headers: Mapping[str, str] = msgspec.field(
        default_factory=lambda: {"content-type": "application/json"}
    )
    batch: Count = 1
    """Inputs of one request, at most."""


class Answer(Strict, frozen=True):
    """Places in the answer, as `json_place` reads them."""

    scores: str = ""
    label: str = ""
    labels: Sequence[str | int] = ()
    """What the API calls the classes, in the order of the scores; without it, numbers from 0."""
    vectors: str = ""
