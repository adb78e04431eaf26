"""Envoy's configuration, and Kubernetes' manifests of it, as text.

Rule: what is read here is what Envoy reads.  A key that stands twice, or a merge key, could mean
one thing to a checker and another to Envoy, and is refused.
"""

import json
from collections.abc import Hashable
from pathlib import Path
from typing import Any, Final

import yaml

from extproc.envoyconf.bootstrap import Document
from extproc.errors import ConfigError

_HEADER: Final = """\
# Rendered by `extproc envoy`.  Who edits it runs `extproc envoy check FILE` afterwards, which says
# whether it still fails closed; `envoy --mode validate` does not.
"""


def to_yaml(*documents: Document) -> str:
    """The same text for the same documents, with a header that says where they came from."""
    text: str = yaml.dump_all(
        documents, Dumper=_Plain, sort_keys=False, width=100, allow_unicode=True
    )
    return _HEADER + text


class _Plain(yaml.SafeDumper):
    """SafeDumper without anchors: what stands in two places is written in both."""

    def ignore_aliases(self, data: Any) -> bool:
        return True


def read_documents(path: Path) -> list[Document]:
    """Read YAML of one document or several, or JSON.  Raise ConfigError naming file and line."""
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(f"{path}: cannot be read: {error}") from error
    return parse(text, str(path))


def parse(text: str, place: str) -> list[Document]:
    """The same, of a text that is in this place."""
    try:
        documents = _documents(text)
    except (yaml.YAMLError, ConfigError) as error:
        raise ConfigError(f"{place}: {error}") from error
    if not documents or not all(isinstance(each, dict) for each in documents):
        raise ConfigError(f"{place}: is not a mapping, as a bootstrap is")
    return documents


def _documents(text: str) -> list[Any]:
    """JSON apart from YAML, which it nearly is: what a running Envoy tells has megabytes."""
    try:
        return [json.loads(text, object_pairs_hook=_mapping)]
    except json.JSONDecodeError:
        documents = yaml.load_all(text, _Strict)
        return [each for each in documents if each is not None]


def _mapping(pairs: list[tuple[str, Any]]) -> Document:
    found = dict(pairs)
    if len(found) < len(pairs):
        keys = [key for key, _ in pairs]
        twice = next(key for key in keys if keys.count(key) > 1)
        raise ConfigError(f"the key {twice!r} stands twice")
    return found


class _Strict(yaml.SafeLoader):
    """SafeLoader without duplicate keys and merges."""

    def construct_mapping(self, node: Any, deep: bool = False) -> dict[Hashable, Any]:
        seen: set[str] = set()
        for key, _ in node.value:
            problem = "stands twice" if key.value in seen else ""
            if key.tag == "tag:yaml.org,2002:merge":
                problem = "is a merge, which Envoy does not know"
            if problem:
                raise yaml.constructor.ConstructorError(
                    None, None, f"the key {key.value!r} {problem}", key.start_mark
                )
            seen.add(key.value)
        return super().construct_mapping(node, deep=deep)
