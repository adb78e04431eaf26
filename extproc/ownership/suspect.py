"""Who is suspected: a model that answers at a URL, or what it said, on record.

Rule: a file of the red team's target is understood too; what else stands in it does not matter.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, Protocol
from urllib.parse import urlsplit

import msgspec
import orjson
import yaml

from extproc.declared_api import api_keys, json_place
from extproc.declared_api.description import Answer, Ask, Count, Url
from extproc.declared_api.json_place import JsonPlace
from extproc.declared_api.template import Template
from extproc.errors import ConfigError
from extproc.ownership import answers
from extproc.ownership.answers import Said

KEY: Final = "{{key}}"
"""Where a header field is to hold the API key, if it is not the bearer token."""
_KSERVE: Final = Ask(path="/", body="")


class Api(Protocol):
    """How it is asked, and what it says."""

    @property
    def url(self) -> str: ...

    @property
    def ask(self) -> Ask: ...

    @property
    def key(self) -> str: ...

    @property
    def parallel(self) -> int: ...

    def body(self, inputs: Sequence[Any]) -> bytes:
        """Raise ConfigError where it cannot be asked about these."""
        ...

    def read(self, body: bytes, count: int) -> list[Said]:
        """Raise ValueError where it is no answer about so many inputs."""
        ...


class SuspectFile(msgspec.Struct, frozen=True, kw_only=True):
    url: Url
    request: Ask
    answer: Answer
    keys: Sequence[str] = ()
    parallel: Count = 4
    """Requests under way at once."""


@dataclass(frozen=True, slots=True)
class Described:
    """As a file says."""

    url: str
    ask: Ask
    key: str
    parallel: int
    template: Template
    label: JsonPlace | None
    scores: JsonPlace | None
    labels: Sequence[str | int]

    def body(self, inputs: Sequence[Any]) -> bytes:
        try:
            return self.template.filled(inputs)
        except TypeError as error:
            raise ConfigError("request.body: these inputs are no rows; use {{input}}") from error

    def read(self, body: bytes, count: int) -> list[Said]:
        document = orjson.loads(body)
        named = self.label.leaves(document) if self.label else []
        if named:
            found = [answers.of(each, None, self.labels) for each in named]
        else:
            found = [answers.of(None, row, self.labels) for row in self._rows(document, count)]
        if len(found) != count or not all(found):
            raise ValueError("it is no answer about so many inputs")
        return found

    def _rows(self, document: Any, count: int) -> list[list[float]]:
        values = [float(each) for each in self.scores.leaves(document)] if self.scores else []
        size = len(values) // count
        return [values[at : at + size] for at in range(0, size * count, max(1, size))]


@dataclass(frozen=True, slots=True)
class Kserve:
    """The Open Inference Protocol over REST, of a model that takes one tensor of rows."""

    url: str
    key: str = ""
    ask: Ask = _KSERVE
    parallel: int = 4

    def body(self, inputs: Sequence[Any]) -> bytes:
        [row] = inputs
        if not isinstance(row, list) or not all(isinstance(each, int | float) for each in row):
            wrong = "these inputs are no rows of numbers"
            raise ConfigError(f"{wrong}; describe how the suspect is asked in a file")
        tensor = {"name": "input", "shape": [1, len(row)], "datatype": "FP64", "data": row}
        return orjson.dumps({"inputs": [tensor]})

    def read(self, body: bytes, count: int) -> list[Said]:
        try:
            outputs = {each["name"]: each["data"] for each in orjson.loads(body)["outputs"]}
            label, scores = outputs.get("label"), outputs.get("probabilities")
            return [answers.of(label[0] if label else None, scores)]
        except (KeyError, TypeError, AttributeError, IndexError) as error:
            raise ValueError("it is no answer of this protocol") from error


def api(named: str, key: str = "") -> Api | None:
    """None for a file of recorded answers.  ``key``: where its API key is, for a URL.

    Raise ConfigError where it cannot be used.
    """
    try:
        if named.startswith(("http://", "https://")):
            return _without_secret(_at(named, key))
        path = Path(named)
        described = path.suffix in {".yaml", ".yml"}
        return _without_secret(_described(path)) if described else None
    except ValueError as error:
        raise ConfigError(f"{error}") from error


def _without_secret(found: Kserve | Described) -> Api:
    if urlsplit(found.url).username or urlsplit(found.url).query:
        raise ValueError("a suspect's URL is told in reports; it is to hold no key")
    return found


def _at(url: str, key: str) -> Kserve:
    if not urlsplit(url).path.endswith("/infer"):
        wrong = f"{url}: only KServe's .../infer is asked without being described"
        raise ValueError(f"{wrong}; describe it in a YAML file: see docs/ownership.md")
    found = api_keys.keys(Path(), [key]) if key else [""]
    return Kserve(url, found[0])


def _described(path: Path) -> Described:
    try:
        file = msgspec.convert(yaml.safe_load(path.read_text(encoding="utf-8")), SuspectFile)
    except (OSError, UnicodeDecodeError, yaml.YAMLError, msgspec.ValidationError) as error:
        raise ValueError(f"{path}: {str(error).splitlines()[0]}") from error
    answer, template = file.answer, Template(file.request.body)
    if unknown := template.unknown():
        raise ValueError(f"{path}: request.body: nothing is put into {{{{{unknown[0]}}}}}")
    if not answer.label and not answer.scores:
        raise ValueError(f"{path}: answer: say where label is, or scores")
    label, scores = (
        json_place.parse(text) if text else None for text in (answer.label, answer.scores)
    )
    keys = api_keys.keys(path, file.keys) or [""]
    url = file.url.rstrip("/") + file.request.path
    return Described(
        url, file.request, keys[0], file.parallel, template, label, scores, answer.labels
    )
