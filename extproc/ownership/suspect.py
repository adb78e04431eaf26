"""Who is suspected: a model that answers at a URL, or what it said, on record.

Rule: a file of the red team's target is understood too; what else stands in it does not matter.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from operator import itemgetter
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
_OPENAI: Final = Ask(path="/", body="", batch=16)


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
        """Raise ValueError, TypeError or RecursionError where it is no answer about so many inputs:
        it is whatever the suspect likes.
        """
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
    vectors: JsonPlace | None
    labels: Sequence[str | int]

    def body(self, inputs: Sequence[Any]) -> bytes:
        try:
            return self.template.filled(inputs)
        except TypeError as error:
            raise ConfigError("request.body: these inputs are no rows; use {{input}}") from error

    def read(self, body: bytes, count: int) -> list[Said]:
        document = orjson.loads(body)
        named = self.label.leaves(document) if self.label else []
        found: list[Said]
        if self.vectors is not None:
            found = [answers.vector(row) for row in _rows(self.vectors, document, count)]
        elif named:
            found = [answers.of(each, None, self.labels) for each in named]
        else:
            rows = _rows(self.scores, document, count) if self.scores else []
            found = [answers.of(None, row, self.labels) for row in rows]
        return _for_each(found, count)


def _rows(place: JsonPlace, document: Any, count: int) -> list[list[float]]:
    """So many, all as long."""
    values = [float(each) for each in place.leaves(document)]
    if len(values) % count:
        return []
    size = len(values) // count
    return [values[at : at + size] for at in range(0, size * count, max(1, size))]


def _for_each(found: list[Said], count: int) -> list[Said]:
    if len(found) != count or not all(map(len, found)):
        raise ValueError("it is no answer about so many inputs")
    return found


@dataclass(frozen=True, slots=True)
class OpenAi:
    """OpenAI's embeddings API, as many servers speak it."""

    url: str
    """Behind ``#`` is what it calls the model."""
    key: str = ""
    ask: Ask = _OPENAI
    parallel: int = 4

    def body(self, inputs: Sequence[Any]) -> bytes:
        model = urlsplit(self.url).fragment
        asked = {"input": list(inputs), "encoding_format": "float"}
        return orjson.dumps(asked | ({"model": model} if model else {}))

    def read(self, body: bytes, count: int) -> list[Said]:
        try:
            data = sorted(orjson.loads(body)["data"], key=itemgetter("index"))
            return _for_each([answers.vector(each["embedding"]) for each in data], count)
        except (KeyError, TypeError) as error:
            raise ValueError("it is no answer of this API") from error


@dataclass(frozen=True, slots=True)
class Kserve:
    """The Open Inference Protocol over REST, of a model that takes one tensor of a row."""

    url: str
    key: str = ""
    ask: Ask = _KSERVE
    parallel: int = 4

    def body(self, inputs: Sequence[Any]) -> bytes:
        [asked] = inputs
        row = [asked] if isinstance(asked, str) else asked
        datatype = _datatype(row) if isinstance(row, list) else ""
        if not datatype:
            wrong = "these inputs are no rows of numbers or of texts"
            raise ConfigError(f"{wrong}; describe how the suspect is asked in a file")
        tensor = {"name": "input", "shape": [1, len(row)], "datatype": datatype, "data": row}
        return orjson.dumps({"inputs": [tensor]})

    def read(self, body: bytes, count: int) -> list[Said]:
        try:
            outputs = {each["name"]: each["data"] for each in orjson.loads(body)["outputs"]}
            if "embedding" in outputs:
                return _for_each([answers.vector(outputs["embedding"])], count)
            label, scores = outputs.get("label"), outputs.get("probabilities")
            found = answers.of(label[0] if label else None, scores)
        except (KeyError, TypeError, AttributeError, IndexError) as error:
            raise ValueError("it is no answer of this protocol") from error
        if not found:
            raise ValueError("it says neither a label nor probabilities")
        return [found]


def _datatype(row: Sequence[Any]) -> str:
    """Of all its elements; empty where they have none together."""
    if all(isinstance(each, int | float) for each in row):
        return "FP64"
    return "BYTES" if all(isinstance(each, str) for each in row) else ""


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


def _without_secret(found: Kserve | OpenAi | Described) -> Api:
    if urlsplit(found.url).username or urlsplit(found.url).query:
        raise ValueError("a suspect's URL is told in reports; it is to hold no key")
    return found


def _at(url: str, key: str) -> Kserve | OpenAi:
    path = urlsplit(url).path
    if not path.endswith(("/infer", "/embeddings")):
        wrong = (
            f"{url}: only KServe's .../infer and OpenAI's .../embeddings are asked without being"
        )
        raise ValueError(f"{wrong} described; describe it in a YAML file: see docs/ownership.md")
    [found, *_] = api_keys.keys(Path(), [key]) if key else [""]
    return Kserve(url, found) if path.endswith("/infer") else OpenAi(url, found)


def _described(path: Path) -> Described:
    try:
        file = msgspec.convert(yaml.safe_load(path.read_text(encoding="utf-8")), SuspectFile)
    except OSError as error:
        raise ValueError(f"{path}: {error.strerror}; name a file that describes it") from error
    except (ValueError, RecursionError, yaml.YAMLError) as error:
        wrong = f"{path}: it is no description of a suspect: {_why(error)}"
        raise ValueError(f"{wrong}; see docs/ownership.md") from error
    answer, template = file.answer, Template(file.request.body)
    if unknown := template.unknown():
        raise ValueError(f"{path}: request.body: nothing is put into {{{{{unknown[0]}}}}}")
    if not answer.label and not answer.scores and not answer.vectors:
        raise ValueError(f"{path}: answer: say where label is, or scores, or vectors")
    label, scores, vectors = (
        json_place.parse(text) if text else None
        for text in (answer.label, answer.scores, answer.vectors)
    )
    keys = api_keys.keys(path, file.keys) or [""]
    url = file.url.rstrip("/") + file.request.path
    return Described(
        url, file.request, keys[0], file.parallel, template, label, scores, vectors, answer.labels
    )


def _why(error: Exception) -> str:
    """Without what stands in the file, which may be a key."""
    mark = getattr(error, "problem_mark", None)
    return str(error).splitlines()[0] + (f", line {mark.line + 1}" if mark is not None else "")
