"""What the dialects of JSON APIs have in common."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

import msgspec

from extproc.dialects.allowing import allowing
from extproc.dialects.answers import Answers, Document
from extproc.dialects.gate import Object, Terms, Unknown
from extproc.dialects.request import Admitted, admit
from extproc.dialects.shape import Node

JSON = "application/json"
UNTYPED = ""
"""Of a request whose client names no media type, where the server takes it for JSON."""


@dataclass(frozen=True, slots=True)
class Mistake:
    """A setting of a dialect that cannot work, though its type is right."""

    place: tuple[str, ...]
    """In the dialect's settings."""
    wrong: str
    remedy: str


class JsonDialect(msgspec.Struct, frozen=True, tag_field="kind", forbid_unknown_fields=True):
    """An API whose requests are JSON objects; a subclass says what stands in them."""

    allow_request: tuple[str, ...] = ()
    """Further request fields that go on to the model server."""
    allow_response: tuple[str, ...] = ()
    """Further answer fields that pass, by dotted path: ``choices.message.annotations``."""
    unknown: Unknown = "refuse"
    """What happens to request fields that are neither known nor allowed."""

    MEDIA_TYPES: ClassVar[frozenset[str]] = frozenset({JSON})
    """Of the requests it reads."""
    HEADERS: ClassVar[tuple[str, ...]] = ()
    """Request header fields that ``read`` needs; it finds them beside the path's parameters."""
    QUERY: ClassVar[Mapping[str, frozenset[str]]] = {}
    """Query parameters that a request may have, and their values; ``read`` finds ``alt`` as
    ``?alt``, which can be no name of a path's parameter or header field."""
    METHODS: ClassVar[tuple[str, ...]] = ("POST",)
    ERRORS: ClassVar[str] = JSON
    """See wording.py."""
    MALFORMED: ClassVar[int] = 400
    """See wording.py."""

    def tree(self) -> Node:
        """What the API documents of an answer."""
        raise NotImplementedError

    def answer(self) -> Node:
        """The tree of an answer, with what the policy allows besides.

        Raise KeyError as ``allowing`` does.
        """
        tree = self.tree()
        for path in self.allow_response:
            tree = allowing(tree, path.split("."))
        return tree

    def answers(self) -> Answers:
        return {JSON: Document(self.answer())}

    def positional(self) -> bool:
        """Whether it may answer probabilities of which only their places tell the classes, so that
        there is none for one more.
        """
        return False

    def admit(self, body: bytes, gate: Object, terms: Terms) -> Admitted:
        terms = msgspec.structs.replace(terms, unknown=self.unknown)
        return admit(body, gate, terms, self.allow_request)


Parameters = Mapping[str, str]
"""What a path template's names stand for, and the header fields and query parameters that the
dialect reads."""
