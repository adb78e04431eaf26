"""What the documents claim of the policies, as numbers that a run can hold or not.

Rule: a goal is held where the whole interval is on its side of the bound.  Where the interval
crosses it, the goal is undecided, which counts as not held: a claim that one cannot show is none.
"""

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Annotated, Any, Final

import msgspec
import yaml

SHIPPED: Final = Path(__file__).with_name("goals.yaml")
"""The goals of the shipped policies."""
DETECTION: Final = SHIPPED.with_name("goals.detection.yaml")
"""Those of the policies with detection."""
PRIVATE: Final = SHIPPED.with_name("goals.private.yaml")
"""Those of the policy that answers privately."""
OWNERSHIP: Final = SHIPPED.with_name("goals.ownership.yaml")
"""Those of the policy that marks."""
FILES: Final[Mapping[str, Path]] = {
    "": SHIPPED,
    "detection": DETECTION,
    "private": PRIVATE,
    "ownership": OWNERSHIP,
}
"""By what an attack says of them (`Attack.apart`)."""

Name = Annotated[str, msgspec.Meta(pattern=r"^[a-z0-9][a-z0-9_.-]*\Z")]
Sentence = Annotated[str, msgspec.Meta(min_length=1)]
Level = Annotated[float, msgspec.Meta(gt=0, le=1)]
Positive = Annotated[float, msgspec.Meta(gt=0)]


class Relative(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """How many times what it is under another policy."""

    to: str = "none"
    level: Level | None = None
    """Of the queries until the measure is so high; without it, of the measure itself."""
    times_at_least: Positive | None = None
    times_at_most: Positive | None = None


class Place(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Which number is meant."""

    id: Name
    victim: str
    policy: str
    measure: str
    attack: str = ""
    """Empty: whichever attack gets most."""
    budget: int | None = None
    """None: the largest that was measured."""
    strategy: str | None = None
    """None: whichever is best."""


class Goal(Place, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """A claim, and the bound that it is held by; exactly one."""

    claim: Sentence
    """As the documents say it."""
    at_most: float | None = None
    at_least: float | None = None
    relative: Relative | None = None


class NotStopped(Place, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """What the policies do not stop, said plainly, and the number that shows it."""

    statement: Sentence


class Goals(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    goals: tuple[Goal, ...] = ()
    not_stopped: tuple[NotStopped, ...] = ()


def together(some: Iterable[Goals]) -> Goals:
    """All of several files."""
    parts = tuple(some)
    return Goals(
        goals=tuple(goal for part in parts for goal in part.goals),
        not_stopped=tuple(entry for part in parts for entry in part.not_stopped),
    )


class _Loader(yaml.SafeLoader):
    """Refuses a key that is written twice, of which YAML would take the last."""


def _mapping(loader: _Loader, node: yaml.MappingNode) -> dict[Any, Any]:
    mapping: dict[Any, Any] = {}
    for key_node, value_node in node.value:
        key = loader.construct_object(key_node)
        if key in mapping:
            raise yaml.constructor.ConstructorError(
                problem=f"{key!r} is written twice", problem_mark=key_node.start_mark
            )
        mapping[key] = loader.construct_object(value_node, deep=True)
    return mapping


_Loader.add_constructor(yaml.resolver.BaseResolver.DEFAULT_MAPPING_TAG, _mapping)


def load(path: Path) -> Goals:
    """Read a file of goals.  Raise ValueError, in one sentence with its place, where it is none."""
    try:
        document = yaml.load(path.read_text(encoding="utf-8"), _Loader)  # noqa: S506 -- a safe one
    except yaml.MarkedYAMLError as error:
        line = f":{error.problem_mark.line + 1}" if error.problem_mark else ""
        raise ValueError(f"{path}{line}: {error.problem}") from error
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        raise ValueError(f"{path}: {str(error).splitlines()[0]}") from error
    try:
        goals = msgspec.convert(document, Goals)
    except msgspec.ValidationError as error:
        raise ValueError(f"{path}: {_told(str(error), document)}") from error
    if wrong := _wrong(goals):
        raise ValueError(f"{path}: {wrong}")
    return goals


def _told(error: str, document: Any) -> str:
    """With the id of the entry, where it has one: numbers of a list are hard to count."""
    for kind in ("goals", "not_stopped"):
        _, found, after = error.partition(f"$.{kind}[")
        if found:
            entry = document[kind][int(after.partition("]")[0])]
            name = entry.get("id") if isinstance(entry, dict) else None
            return f"{error} ({name})" if name else error
    return error


def _wrong(goals: Goals) -> str:
    """What is wrong with goals of the right types, or nothing."""
    ids: set[str] = set()
    for place in (*goals.goals, *goals.not_stopped):
        if place.id in ids:
            return f"two entries have the id {place.id!r}: give one of them another"
        ids.add(place.id)
    for goal in goals.goals:
        if _count(goal.at_most, goal.at_least, goal.relative) != 1:
            return f"goal {goal.id!r} needs one of at_most, at_least and relative"
        if (wanted := goal.relative) and _count(wanted.times_at_least, wanted.times_at_most) != 1:
            return f"goal {goal.id!r} needs one of times_at_least and times_at_most"
    return ""


def _count(*values: object) -> int:
    return sum(value is not None for value in values)
