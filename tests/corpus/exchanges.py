"""Whole exchanges, one a file of ``sweep/``: what is asked, and an answer that leaks all it can.

``{"path", "dialect", "headers", "request", "content_type", "answer_headers", "answer"}``, and where
needed ``"method"`` and ``"route"`` (the path's template).  A dialect is its name or its
configuration, as in a policy file.  A body is a JSON value, ``{"text": ...}`` as it is written, or
``{"base64": ...}``.  The content type is the answer's, and the request's too where the dialect
reads such requests; header fields may say otherwise.  What must not reach a caller of the tier
TEXT_AND_LABEL holds ``s3cret``, in octets too, or the digits 31337; what such a caller gets holds
none of them.
"""

import base64
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final, cast

import msgspec
import orjson

from extproc.config.routes import DIALECTS
from extproc.dialects import Dialect
from extproc.dialects.answers import Document, Events
from extproc.route import Route

SECRETS: Final = (b"s3cret", b"31337", b"115,51,99,114,101,116")
"""The last is the first as an array of its octets."""
_HERE: Final = Path(__file__).parent / "sweep"
_MODEL: Final = re.compile(r"(?<=/)(models|predictions|explanations|endpoints)/[^/:]+")


@dataclass(frozen=True, slots=True)
class Recorded:
    """One request and the answer of its model server."""

    name: str
    route: Route
    configuration: Any
    """The dialect as a policy file writes it."""
    path: str
    headers: Mapping[str, str]
    """Of the request, its content type among them."""
    request: bytes
    content_type: str
    """Of the answer."""
    answer_headers: Mapping[str, str]
    answer: bytes

    @property
    def tag(self) -> str:
        """The dialect's name."""
        return str(type(self.route.dialect).__struct_config__.tag)

    @property
    def media_type(self) -> str:
        return self.content_type.partition(";")[0].strip().lower()

    @property
    def parameters(self) -> dict[str, str]:
        """What ``read`` finds beside the body."""
        path, _, _ = self.path.partition("?")
        found = self.route.match(path)
        assert found is not None, f"{self.path} is not {self.route.path}"
        dialect = self.route.dialect
        return found | {
            name: self.headers[name] for name in dialect.HEADERS if name in self.headers
        }


def recorded() -> list[Recorded]:
    """Every exchange there is."""
    return [_read(file) for file in sorted(_HERE.glob("*.json"))]


def further(exchanges: Iterable[Recorded]) -> Iterator[Recorded]:
    """The other answers of each dialect's corpus, as if given to its first request that fits."""
    bases: dict[tuple[str, type], Recorded] = {}
    for one in exchanges:
        kind = type(one.route.dialect.answers()[one.media_type])
        bases.setdefault((one.tag, kind), one)
    for (tag, kind), base in bases.items():
        for file in sorted((_HERE.parent / tag).glob("*.json*")):
            name = f"{tag}/{file.name}"
            if kind is Document and file.name.startswith("answer"):
                yield replace(base, name=name, answer=file.read_bytes(), answer_headers={})
            if kind is Events and file.suffix == ".jsonl":
                events = [b"data: " + line + b"\n\n" for line in file.read_bytes().splitlines()]
                yield replace(base, name=name, answer=b"".join(events), answer_headers={})


def _read(file: Path) -> Recorded:
    about = orjson.loads(file.read_bytes())
    dialect = dialect_of(about["dialect"])
    path, _, _ = about["path"].partition("?")
    template = about.get("route", _MODEL.sub(r"\1/{model}", path))
    headers, fields = _lower(about.get("headers", {})), _lower(about.get("answer_headers", {}))
    content_type = about.get("content_type", "application/json")
    fits = content_type.partition(";")[0].lower() in dialect.MEDIA_TYPES
    headers.setdefault("content-type", content_type if fits else "application/json")
    return Recorded(
        name=file.stem,
        route=Route(about.get("method", dialect.METHODS[0]), template, dialect),
        configuration=about["dialect"],
        path=about["path"],
        headers=headers,
        request=_body(about.get("request", {"text": ""})),
        content_type=fields.pop("content-type", content_type),
        answer_headers=fields,
        answer=_body(about["answer"]),
    )


def _lower(fields: Mapping[str, str]) -> dict[str, str]:
    return {name.lower(): value for name, value in fields.items()}


def dialect_of(configuration: Any) -> Dialect:
    """Of its name, or of what a policy file says about it."""
    if isinstance(configuration, str):
        return DIALECTS[configuration]()
    # mypy cannot see that a union is a form of type
    return cast("Dialect", msgspec.convert(configuration, cast("Any", Dialect)))


def _body(value: Any) -> bytes:
    match value:
        case {"text": str(text), **rest} if not rest:
            return text.encode()
        case {"base64": str(text), **rest} if not rest:
            return base64.b64decode(text, validate=True)
        case _:
            return orjson.dumps(value)
