"""YAML to data.

Rule: one reading only.  What YAML lets a file say twice, or differently than it looks, is refused:
repeated keys, anchors, merge keys, tags.  Plain scalars are read as in JSON (``true``, ``3``,
``null``) and are text otherwise: ``off``, ``010`` and ``1:30`` stay what they look like.  Text is
one line without control characters.
"""

import math
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import yaml

from extproc.config.document import Document, Place, dotted, fault
from extproc.config.files import Files, remedy
from extproc.errors import ConfigError

MAX_BYTES: Final = 4 << 20
MAX_DEPTH: Final = 16
MAX_TEXT: Final = 4096

_NUMBER: Final = re.compile(r"-?(0|[1-9][0-9]*)(?P<real>(\.[0-9]+)?([eE][+-]?[0-9]+)?)")
_LONGEST_NUMBER: Final = 32
_CONSTANTS: Final = {"": None, "~": None, "null": None, "true": True, "false": False}
_CONTROL: Final = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029]")

_Events = Iterator[yaml.Event]


def read(path: Path, files: Files | None = None) -> Document:
    """Read a file.  Raise ConfigError where it is no YAML, or YAML of more than one reading.

    ``files`` notes it, and whatever else is read for it.
    """
    files = files or Files()
    text = _text(path, files)
    reader = _Reader(path)
    try:
        data = reader.document(yaml.parse(text, Loader=yaml.CSafeLoader))
    except yaml.reader.ReaderError as error:
        line = text.encode()[: error.position].count(b"\n") + 1
        raise fault(path, line, "a control character", "remove it") from error
    except yaml.MarkedYAMLError as error:
        raise _syntax_fault(path, text, error) from error
    return Document(path, data, reader.lines, files=files)


def _text(path: Path, files: Files) -> str:
    try:  # aside: what counts are the settings
        raw = files.aside().read(path, MAX_BYTES)
    except OSError as error:
        helps = remedy(error, "name a file to read")
        raise ConfigError(f"{path}: {error.strerror}; {helps}") from error
    if len(raw) > MAX_BYTES:
        raise ConfigError(f"{path}: larger than {MAX_BYTES >> 20} MiB; remove what is not used")
    try:
        return raw.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = raw[: error.start].count(b"\n") + 1
        raise fault(path, line, "not UTF-8", "save the file in that encoding") from error


def _syntax_fault(path: Path, text: str, error: yaml.MarkedYAMLError) -> ConfigError:
    """The parser's own words, but for tabs, which it only says to "violate indentation"."""
    lines = text.split("\n")
    number = min(error.problem_mark.line, len(lines) - 1) if error.problem_mark else 0
    if lines[number].lstrip(" ").startswith("\t"):
        return fault(path, number + 1, "a tab", "indent with spaces")
    return fault(path, number + 1, f"not YAML: {error.problem}", "correct it here or just above")


class _Reader:
    """Makes data of the parser's events, and notes the lines."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self.lines: dict[Place, int] = {}

    def document(self, events: _Events) -> Any:
        _, first = next(events), next(events)
        if isinstance(first, yaml.StreamEndEvent):
            raise fault(self._path, 1, "the file is empty", "start from envoy/policy.yaml")
        root = next(events)
        self.lines[()] = _line(root)
        data = self._value(root, events, ())
        _, after = next(events), next(events)
        if isinstance(after, yaml.DocumentStartEvent):
            raise fault(self._path, _line(after), "a second document", "remove it")
        return data

    def _value(self, event: yaml.Event, events: _Events, place: Place) -> Any:
        self._refuse_indirection(event, place)
        match event:
            case yaml.ScalarEvent():
                return self._scalar(event, place)
            case yaml.SequenceStartEvent():
                return list(self._items(events, place))
            case _:
                return dict(self._entries(events, place))

    def _items(self, events: _Events, place: Place) -> Iterator[Any]:
        for index, event in enumerate(events):
            if isinstance(event, yaml.SequenceEndEvent):
                return
            self.lines[*place, index] = _line(event)
            yield self._value(event, events, (*place, index))

    def _entries(self, events: _Events, place: Place) -> Iterator[tuple[str, Any]]:
        for event in events:
            if isinstance(event, yaml.MappingEndEvent):
                return
            key = self._key(event, place)
            here = (*place, key)
            if here in self.lines:
                wrong = f"repeated, first on line {self.lines[here]}"
                raise self._fault(event, here, wrong, "keep one of the two")
            self.lines[here] = _line(event)
            yield key, self._value(next(events), events, here)

    def _key(self, event: yaml.Event, place: Place) -> str:
        """Keys are text, whatever they look like: a tenant may be called 42."""
        self._refuse_indirection(event, place)
        if not isinstance(event, yaml.ScalarEvent):
            raise self._fault(event, place, "a key that is a list or a mapping", "write text")
        if event.value == "<<" and event.implicit[0]:
            raise self._fault(event, place, "a merge key", "write the values out")
        return self._bounded(event, place)

    def _scalar(self, event: yaml.ScalarEvent, place: Place) -> Any:
        value = self._bounded(event, place)
        if not event.implicit[0]:  # quoted, or a block
            return value
        if value in _CONSTANTS:
            return _CONSTANTS[value]
        number = _NUMBER.fullmatch(value)
        if number is None:
            return value
        if len(value) > _LONGEST_NUMBER or not math.isfinite(float(value)):
            wrong = "a number out of bounds"
            raise self._fault(event, place, wrong, "shorten it, or quote it if it is text")
        return float(value) if number["real"] else int(value)

    def _bounded(self, event: yaml.ScalarEvent, place: Place) -> str:
        if len(event.value) > MAX_TEXT:
            wrong = f"text of more than {MAX_TEXT} characters"
            raise self._fault(event, place, wrong, "shorten it")
        if _CONTROL.search(event.value):
            wrong = "text with a line break or control character"
            raise self._fault(event, place, wrong, "write it on one line")
        return event.value

    def _refuse_indirection(self, event: yaml.Event, place: Place) -> None:
        if isinstance(event, yaml.AliasEvent):
            raise self._fault(event, place, "an alias", "write the value out")
        assert isinstance(event, yaml.ScalarEvent | yaml.CollectionStartEvent)
        if event.anchor is not None:
            raise self._fault(event, place, "an anchor", "remove it, and write its aliases out")
        if event.tag is not None:
            raise self._fault(event, place, "a tag", "remove it, types are known")
        if len(place) > MAX_DEPTH:
            raise self._fault(event, place, f"nested more than {MAX_DEPTH} deep", "flatten it")

    def _fault(self, event: yaml.Event, place: Place, wrong: str, remedy: str) -> ConfigError:
        return fault(self._path, _line(event), f"{dotted(place)}: {wrong}", remedy)


def _line(event: yaml.Event) -> int:
    assert event.start_mark is not None  # every event of a parsed text has one
    return event.start_mark.line + 1
