"""Where things stand in a bootstrap document, whichever spelling of protobuf's JSON it uses.

Envoy takes a field as ``snake_case`` and as ``lowerCamelCase``.  Rule: a checker that knew one of
them could be passed by the other; documents are normalised before they are looked at.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final

from extproc.envoyconf.bootstrap import Document
from extproc.errors import ConfigError

_HUMP: Final = re.compile(r"(?<=[a-z0-9])([A-Z])")
_LOST_UNDERSCORES: Final = {"proxy100_continue": "proxy_100_continue"}
"""lowerCamelCase forgets the underscore before a digit; of the fields that are looked at, here."""
_FREE_KEYS: Final = frozenset(
    {"typed_per_filter_config", "typed_extension_protocol_options", "json_format", "static_layer"}
)
"""Fields that are maps or Structs: their keys are names, not fields."""


@dataclass(frozen=True, slots=True)
class Place:
    """A mapping of the document, and the path to it, as in ``static_resources.listeners[0]``.

    What is missing or of the wrong type reads as empty: Envoy refuses such a document anyway.
    """

    path: str
    value: dict[str, Any]

    @property
    def type(self) -> str:
        """The last part of ``@type``, as in ``ExtAuthz``; empty where there is none."""
        return str(self.value.get("@type", "")).rpartition(".")[2]

    def at(self, field: str) -> str:
        """The path of one of its fields."""
        return f"{self.path}.{field}" if self.path else field

    def message(self, *fields: str) -> "Place":
        """The mapping some fields further down."""
        place = self
        for field in fields:
            inner = place.value.get(field)
            place = Place(place.at(field), inner if isinstance(inner, dict) else {})
        return place

    def messages(self, field: str) -> list["Place"]:
        """The mappings of a list."""
        items = self.value.get(field)
        return [
            Place(f"{self.at(field)}[{index}]", item if isinstance(item, dict) else {})
            for index, item in enumerate(items if isinstance(items, list) else [])
        ]


@dataclass(frozen=True, slots=True)
class Manifest:
    """A document of Kubernetes'; its fields are in lowerCamelCase alone, and stay so."""

    document: Document

    @property
    def kind(self) -> str:
        return str(self.document.get("kind", ""))

    @property
    def metadata(self) -> Place:
        return self.part("metadata")

    @property
    def spec(self) -> Place:
        return self.part("spec")

    @property
    def name(self) -> str:
        return str(Place("", self.document).message("metadata").value.get("name", ""))

    @property
    def namespace(self) -> str:
        return str(self.metadata.value.get("namespace", ""))

    def part(self, field: str) -> Place:
        """A mapping of it, whose path begins with kind and name."""
        value = Place("", self.document).message(field).value
        return Place(f"{self.kind} {self.name}: {field}", value)


def normalised(document: Document, path: str = "") -> Place:
    """The document, which stands at this path, with every field in snake_case.

    Raise ConfigError where a field is there in both spellings.
    """
    return Place(path, _mapping(document, path, free=False))


def places(value: Any, path: str = "") -> Iterator[Place]:
    """Every mapping in a normalised value, outermost first."""
    if isinstance(value, Place):
        path, value = value.path, value.value
    if isinstance(value, dict):
        place = Place(path, value)
        yield place
        for field, inner in value.items():
            yield from places(inner, place.at(field))
    elif isinstance(value, list):
        for index, inner in enumerate(value):
            yield from places(inner, f"{path}[{index}]")


def _mapping(value: dict[Any, Any], path: str, *, free: bool) -> Document:
    result: Document = {}
    for key, inner in value.items():
        field = str(key) if free else _snake(str(key))
        where = f"{path}.{field}" if path else field
        if field in result:
            raise ConfigError(f"{where} is there twice, in both of its spellings")
        result[field] = _inside(inner, where, free=field in _FREE_KEYS and not free)
    return result


def _inside(value: Any, path: str, *, free: bool) -> Any:
    match value:
        case dict():
            return _mapping(value, path, free=free)
        case list():
            return [_inside(each, f"{path}[{i}]", free=False) for i, each in enumerate(value)]
        case _:
            return value


def _snake(field: str) -> str:
    snake = _HUMP.sub(r"_\1", field).lower()
    return _LOST_UNDERSCORES.get(snake, snake)
