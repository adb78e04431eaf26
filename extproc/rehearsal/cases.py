"""A file of policy tests, as types: a request in, and what must become of it."""

from pathlib import Path
from typing import Annotated, Any, Literal

import orjson
from msgspec import UNSET, Meta, Struct

from extproc.config.diagnosis import settings_of
from extproc.config.document import Document, Place
from extproc.config.source import read
from extproc.rehearsal.files import contents

Text = Annotated[str, Meta(min_length=1, max_length=256)]
Header = Annotated[
    str, Meta(pattern=r"^[a-z0-9!#$%&'*+.^_`|~-]+\Z", description="a header field, in lower case")
]
RequestPath = Annotated[str, Meta(pattern=r"^/\S*\Z", description="a path such as /v1/embeddings")]
Method = Annotated[str, Meta(pattern=r"^[A-Z]+\Z", description="a method such as POST")]


class Asking(Struct, frozen=True, forbid_unknown_fields=True):
    """A request."""

    path: RequestPath
    method: Method = "POST"
    tenant: str = ""
    """Who is assumed to ask; nobody that is known, where none is named."""
    credentials: tuple[str, ...] = ()
    """What it shows; all there are, where none is named."""
    strength: int | None = None
    """Of what it shows; the most there can be, where nothing is said."""
    headers: dict[Header, str] = {}
    body: Any = UNSET
    """JSON; text as it is."""
    file: str | None = None
    """Instead: a file with the body, from this file's folder."""


class Answering(Struct, frozen=True, forbid_unknown_fields=True):
    """What the model server answers."""

    status: Annotated[int, Meta(ge=200, le=599)] = 200
    headers: dict[Header, str] = {}
    body: Any = UNSET
    """JSON; text as it is."""
    events: Annotated[tuple[Any, ...], Meta(min_length=1)] | None = None
    """Instead: a stream of events, each JSON, or text as it is."""
    file: str | None = None
    """Instead: a file with the body, from this file's folder."""


class Expecting(Struct, frozen=True, forbid_unknown_fields=True):
    """What must become of it; of what is not named, anything may."""

    decision: Literal["allowed", "refused"] | None = None
    status: int | None = None
    """What the client gets."""
    reason: str | None = None
    """The true one, as the audit log calls it."""
    tenant: str | None = None
    policy: str | None = None
    tier: str | None = None
    request: Any = UNSET
    """What goes on to the model server: of a mapping what is named, of anything else all."""
    request_lacks: tuple[Text, ...] = ()
    """Names that stand nowhere in it."""
    response: Any = UNSET
    """What the client gets, in the same way; of a stream its events."""
    response_lacks: tuple[Text, ...] = ()


class Case(Struct, frozen=True, forbid_unknown_fields=True):
    name: Text
    request: Asking
    expect: Expecting
    response: Answering | None = None


class Cases(Struct, frozen=True, forbid_unknown_fields=True):
    """The whole file."""

    cases: Annotated[tuple[Case, ...], Meta(min_length=1, max_length=10_000)]
    policy: str = ""
    """The policy file, from this file's folder."""
    base: str = ""
    """Its base file."""


def read_cases(path: Path) -> tuple[Document, Cases]:
    """Raise ConfigError, with the line of what is wrong."""
    document = read(path)
    cases = settings_of(document, Cases)
    for index, case in enumerate(cases.cases):
        place: Place = ("cases", index)
        _check_body(document, (*place, "request"))
        _check_body(document, (*place, "response"))
        _check_expected(document, (*place, "expect"), case)
    return document, cases


def _check_body(document: Document, place: Place) -> None:
    said = [name for name in ("body", "events", "file") if (*place, name) in document.lines]
    if len(said) > 1:
        wrong = f"there is {said[0]} already"
        raise document.fault((*place, said[1]), wrong, "keep one of the two")


def _check_expected(document: Document, place: Place, case: Case) -> None:
    expected = case.expect
    if expected == Expecting():
        raise document.fault(place, "nothing is expected", "write decision: allowed or refused")
    answered = expected.response is not UNSET or expected.response_lacks
    if answered and case.response is None and expected.decision != "refused":
        wrong = "an answer is expected, and the model server gives none"
        raise document.fault(place, wrong, "add response to the case, or decision: refused here")


def body_of(document: Document, place: Place, part: Asking | Answering) -> bytes:
    """Raise ConfigError where its file cannot be read."""
    if part.file is not None:
        return contents(document, (*place, "file"), part.file)
    if isinstance(part, Answering) and part.events is not None:
        return b"".join(b"data: %s\n\n" % _plain(event) for event in part.events)
    return _plain(part.body) if part.body is not UNSET else b""


def _plain(body: Any) -> bytes:
    return body.encode() if isinstance(body, str) else orjson.dumps(body)
