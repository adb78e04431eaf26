"""Bootstrap documents as YAML text.

Rule: what is read here is what Envoy reads.  A key that stands twice, or a merge key, could mean
one thing to a checker and another to Envoy, and is refused.
"""

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


def read_yaml(path: Path) -> Document:
    """Read a bootstrap, YAML or JSON.  Raise ConfigError naming file and line."""
    try:
        document = yaml.load(path.read_text(encoding="utf-8"), _Strict)  # noqa: S506 - a SafeLoader
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(f"{path}: cannot be read: {error}") from error
    except yaml.YAMLError as error:
        raise ConfigError(f"{path}: {error}") from error
    if not isinstance(document, dict):
        raise ConfigError(f"{path}: is not a mapping, as a bootstrap is")
    return document


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
