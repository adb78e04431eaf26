"""The policies that are attacked: shipped ones by name, or the operator's own.

Rule: a policy is called in rows as it was asked for, without its directory, so that two files with
one name cannot stand beside each other.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import yaml

from extproc.redteam.firing_range.firing_range import MARKED, PRIVATE, SHARED, SHIPPED, WATCHED

BASELINE: Final = "none"
"""The model server itself."""
_COUNTS: Final = ("budgets", "escalation", "limits")
"""Settings under which it matters which question comes first."""


class Misuse(ValueError):  # noqa: N818 -- says whose fault it is
    """An option says what there is not; in one sentence, with the remedy."""


@dataclass(frozen=True, slots=True)
class Choice:
    """A policy of a policy file; without a file it is the model server itself."""

    label: str
    """As in rows."""
    file: Path | None = None
    name: str = ""
    """Within the file."""
    counts: bool = False
    """Whether what it answers depends on what it was asked before."""


def choices(texts: Sequence[str]) -> tuple[Choice, ...]:
    """What ``--policy`` named, the baseline first and each once.

    Raise Misuse, in one sentence, where there is none of a name; ValueError for a file.
    """
    found = {BASELINE: Choice(BASELINE)}
    for text in texts:
        choice = _choice(text)
        before = found.setdefault(choice.label, choice)
        if before != choice:
            raise Misuse(
                f"two files would be called {choice.label!r} in the report: rename one of them"
            )
    return tuple(found.values())


def shipped() -> tuple[str, ...]:
    """Names of the shipped policies."""
    return tuple(_shipped())


def _shipped() -> dict[str, Path]:
    files = (SHIPPED, SHARED, WATCHED, PRIVATE, MARKED)
    return {name: file for file in files for name in _policies(file)}


def _choice(text: str) -> Choice:
    if text == BASELINE:
        return Choice(BASELINE)
    if text in (files := _shipped()):
        return _of(files[text], text, text)
    before, _, after = text.rpartition(":")
    if before and not Path(text).is_file():
        return _of(Path(before), after, f"{Path(before).name}:{after}")
    if Path(text).is_file():
        name = _only(Path(text))
        return _of(Path(text), name, f"{Path(text).name}:{name}")
    raise Misuse(
        f"there is no policy {text!r}: name one of {_listed(shipped())}, or a FILE:NAME of your own"
    )


def _of(file: Path, name: str, label: str) -> Choice:
    policies = _policies(file)
    if name not in policies:
        raise ValueError(f"{file}: there is no policy {name!r}; it has {_listed(policies)}")
    document, policy = _document(file), policies[name]
    counts = any(key in place for place in (document, policy) for key in _COUNTS)
    return Choice(label, file, name, counts)


def _only(file: Path) -> str:
    names = list(_policies(file))
    if len(names) != 1:
        raise ValueError(f"{file}: say which policy, as in {file}:NAME; it has {_listed(names)}")
    return names[0]


def _policies(file: Path) -> dict[str, dict[str, Any]]:
    policies = _document(file).get("policies")
    if not isinstance(policies, dict) or not all(
        isinstance(each, dict) for each in policies.values()
    ):
        raise ValueError(f"{file}: this is no policy file: it has no policies")
    return policies


def _document(file: Path) -> dict[str, Any]:
    try:
        document = yaml.safe_load(file.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        raise ValueError(f"{file}: {str(error).splitlines()[0]}") from error
    return document if isinstance(document, dict) else {}


def _listed(names: Iterable[str]) -> str:
    return ", ".join(sorted(names)) or "none"
