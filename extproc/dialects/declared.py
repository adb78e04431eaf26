"""The tree of an answer that a policy declares, path by path.

Rule: what no path names does not pass.  The numbers of one vector are those that the last ``[]`` or
``*`` of its path runs over: ``scores[]``, ``predictions[].score``, ``result.*``.  Labels beside
them, in the same objects or in arrays of the same object, name their classes; ranking.py says what
becomes of their order.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Final, Literal, get_args

from extproc.dialects.cell import Cell, CellKind, cell, check_labels
from extproc.dialects.gathered import Gathered
from extproc.dialects.json_path import ANY, EACH, Branch, Path, parse, shown
from extproc.dialects.ranking import MEMBERS, Columns, Ranked
from extproc.dialects.shape import (
    ABSENT,
    Fields,
    Gate,
    Items,
    Json,
    Keep,
    Node,
    Opaque,
    Rewrite,
)
from extproc.errors import UpstreamError
from extproc.prediction import Kind

_Opaque = Literal["reasoning", "usage", "usage_detail", "timing", "identity"]
DeclaredKind = CellKind | _Opaque | Literal["keep", "drop"]
_Branch = Branch[DeclaredKind]
_PREDICTED: Final = frozenset[Kind]({*get_args(CellKind), "reasoning"})

_ELSEWHERE: Final = "another path says that something else stands there", "remove one of the two"


@dataclass(frozen=True, slots=True)
class Flaw:
    """What is wrong with a path, and what to do."""

    path: str
    wrong: str
    remedy: str


def declared(kinds: Mapping[str, DeclaredKind]) -> _Branch | Flaw:
    """The paths as one tree of places, or what is wrong with the first that does not fit."""
    root = _Branch()
    for text, kind in kinds.items():
        path = parse(text)
        if path is None:
            return Flaw(text, "not a path", "write one such as predictions[].score or result.*")
        if wrong := _wrong(path, kind):
            return Flaw(text, *wrong)
        if not root.grow(path, kind):
            return Flaw(text, *_ELSEWHERE)
    return _ambiguous(root, ()) or root


def _wrong(path: Path, kind: DeclaredKind) -> tuple[str, str] | None:
    """What the path of a vector must be, and this one is not."""
    if kind == "embedding" and path[-1] != EACH:
        return "an embedding is the numbers of an array", "end the path in []"
    across = path[-1] in {EACH, ANY} or path[-2:-1] == (EACH,)
    if kind == "probabilities" and not across:
        return "probabilities are several numbers", "end the path in [], in .* or in [].name"
    return None


def _ambiguous(branch: _Branch, path: Path) -> Flaw | None:
    """A second vector whose classes the labels beside both might name."""
    for step, inner in branch.steps.items():
        if found := _ambiguous(inner, (*path, step)):
            return found
    across = _of(branch, "probabilities") if path[-1:] == (EACH,) else []
    beside = _of(branch, "probabilities", EACH) if _of(branch, "label", EACH) else []
    for second in (*((name,) for name in across[1:]), *((name, EACH) for name in beside[1:])):
        wrong = "the labels beside it might name another vector's classes"
        return Flaw(shown((*path, *second)), wrong, "declare one of the two as drop or tensor")
    return None


def _of(branch: _Branch, kind: DeclaredKind, *steps: str) -> list[str]:
    """The members that are of this kind, or, with a step, whose items are."""
    return [
        name
        for name, inner in branch.steps.items()
        if name not in {EACH, ANY} and kind == (inner.ends(*steps) if steps else inner.leaf)
    ]


def tree(branch: _Branch, *, each: bool) -> Node:
    """The tree of the places; ``each``: the outermost array's items answer one input each."""
    if branch.leaf is not None:
        return _leaf(branch.leaf)
    if EACH in branch.steps:
        return _array(branch.steps[EACH], each=each)
    if ANY in branch.steps:
        inner = branch.steps[ANY]
        if inner.leaf == "probabilities":
            return MEMBERS
        return _Members(tree(inner, each=each), next(_kinds(inner), "label"))
    numbers, names = _of(branch, "probabilities", EACH), _of(branch, "label", EACH)
    fields = _fields(branch, each=each)
    if numbers and names:
        del fields[numbers[0]]
        return Columns(numbers[0], names, fields)
    return Fields(fields)


def passes(branch: _Branch) -> bool:
    """Whether any of it may pass at some tier."""
    if branch.leaf is not None:
        return branch.leaf != "drop"
    return any(map(passes, branch.steps.values()))


def positional(node: Node) -> bool:
    """Whether there are probabilities in such a tree of which only places tell the classes."""
    match node:
        case Cell(kind):
            return kind == "probabilities"
        case Ranked(_, names, others):
            return not names or any(map(positional, others.values()))
        case Columns(_, _, fields) | Fields(fields):
            return any(map(positional, fields.values()))
        case Items(inner) | Gate(_, inner) | _Members(inner, _):
            return positional(inner)
        case _:
            return False


def _fields(branch: _Branch, *, each: bool) -> dict[str, Node]:
    return {n: tree(inner, each=each) for n, inner in branch.steps.items() if passes(inner)}


def _leaf(kind: DeclaredKind) -> Node:
    match kind:
        case "keep":
            return Keep()
        case "drop":
            return _DROPPED
        case "reasoning" | "usage" | "usage_detail" | "timing" | "identity":
            return Opaque(kind)
        case _:
            return cell(kind)


def _array(item: _Branch, *, each: bool) -> Node:
    if item.leaf in {"probabilities", "embedding"}:
        return _leaf(item.leaf)
    if numbers := _of(item, "probabilities"):
        fields = _fields(item, each=False)
        del fields[numbers[0]]
        return Ranked(numbers[0], _of(item, "label"), fields)
    node: Node = Items(tree(item, each=False), each=each)
    if each and [*_vector_depths(item)] == [1]:
        node = Gathered(node)
    match _sole(item):
        case None | "keep" | "drop":
            return node
        case kind:
            return Gate(kind, node)


def _vector_depths(branch: _Branch, depth: int = 0) -> Iterator[int]:
    """For each embedding declared below, how many arrays or objects it is a part of."""
    if branch.leaf == "embedding":
        yield depth
    for step, inner in branch.steps.items():
        yield from _vector_depths(inner, depth + (step in {EACH, ANY}))


def _kinds(branch: _Branch) -> Iterator[Kind]:
    """The kinds of predictions that are declared below."""
    if branch.leaf in _PREDICTED:
        yield branch.leaf
    for inner in branch.steps.values():
        yield from _kinds(inner)


def _sole(item: _Branch) -> DeclaredKind | None:
    """The kind of all that arrays of arrays hold; None where they hold objects."""
    while EACH in item.steps:
        item = item.steps[EACH]
    return item.leaf


@dataclass(frozen=True, slots=True)
class _Dropped:
    def rewrite(self, value: Json, run: Rewrite, place: str) -> Json:
        return run.drop(place)


_DROPPED: Final = _Dropped()


@dataclass(frozen=True, slots=True)
class _Members:
    """An object of members that share a shape; a key passes with what stands behind it."""

    node: Node
    kind: Kind
    """Of what the keys are counted."""

    def rewrite(self, value: Json, run: Rewrite, place: str) -> Json:
        if value is None:
            return value
        if not isinstance(value, dict):
            raise UpstreamError(f"{place or 'the answer'} is not an object")
        place = f"{place}.*" if place else "*"
        check_labels(value, place)
        after = {name: self.node.rewrite(item, run, place) for name, item in value.items()}
        left = {name: new for name, new in after.items() if not _is_empty(new, value[name])}
        run.told.count_names(len(left), len(value), scored=False, kind=self.kind)
        return value if all(after[name] is item for name, item in value.items()) else left


def _is_empty(new: Json, old: Json) -> bool:
    return new is ABSENT or (new is not old and isinstance(new, dict | list) and not new)
