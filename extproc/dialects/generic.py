"""An API that the policy declares: what a request may hold, and where predictions stand.

    kind: generic
    model: model                      # a parameter of the path, or a field of the request
    inputs: texts                     # the field that holds the inputs
    request: {model: pass, texts: pass, options.top_k: {most: 5}, debug: drop}
    answer:
      "results[].label": label
      "results[].score": score
      "vectors[][]": embedding
      "probabilities.*": probabilities
      id: keep

Rule: what is not named does not pass, either way; json_path.py says how paths are written,
declared.py how they are read.  Answers are JSON documents and, where ``stream`` names the field
that asks for them, events and lines of JSON in the same shape.

Nothing is known of the other names of the same inference: each is denied unless it is routed.
"""

from collections.abc import Collection, Iterator, Mapping, Sequence
from functools import cached_property
from typing import Any, ClassVar, Final, Literal

import msgspec

from extproc.dialects.answers import Answers, Document, Events, Lines
from extproc.dialects.declared import DeclaredKind, Flaw, declared, passes, positional, tree
from extproc.dialects.dialect import JSON, Mistake, Parameters
from extproc.dialects.gate import (
    PASS,
    Each,
    Forced,
    Granted,
    Object,
    Only,
    Rule,
    Taking,
    Terms,
    Unknown,
    Within,
)
from extproc.dialects.json_path import ANY, EACH, Branch, parse
from extproc.dialects.problem import PROBLEM, problem
from extproc.dialects.request import Asked, admit, require
from extproc.dialects.shape import Json, Node
from extproc.prediction import Kind, Query
from extproc.refusal import Refusal

_SENTINELS: Final = frozenset({b"[DONE]"})
_Scalar = str | int | float | bool | None


class FieldRule(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What a field of a request may be; one of these, or ``least`` and ``most`` together."""

    force: _Scalar | msgspec.UnsetType = msgspec.UNSET
    """It goes on with this value, asked for or not."""
    only: tuple[_Scalar, ...] = ()
    """Any other value is refused."""
    needs: Kind | None = None
    """It is taken out where the tier does not name this kind."""
    least: int | float | None = None
    most: int | float | None = None
    """A number is raised or lowered to these."""

    def rules(self) -> list[Rule]:
        """One for each way that is given."""
        found: list[Rule] = []
        if self.force is not msgspec.UNSET:
            found.append(Forced(self.force))
        if self.only:
            found.append(Only(self.only))
        if self.needs is not None:
            found.append(Granted(self.needs))
        if (self.least, self.most) != (None, None):
            found.append(Within(self.least, self.most))
        return found


RequestRule = Literal["pass", "drop"] | FieldRule
_Branch = Branch[RequestRule]


class Generic(
    msgspec.Struct,
    frozen=True,
    dict=True,
    tag_field="kind",
    tag="generic",
    forbid_unknown_fields=True,
):
    """An API of which all is declared here."""

    answer: dict[str, DeclaredKind] = msgspec.field(default_factory=dict)
    """What passes of an answer, by path."""
    request: dict[str, RequestRule] = msgspec.field(default_factory=dict)
    """What a request may hold, by path."""
    model: str | None = None
    """What names the model: a parameter of the path, or a field of the request."""
    inputs: str | None = None
    """The field of the request that holds the inputs: an array of them, or one."""
    stream: str | None = None
    """The field of the request that asks for a stream, by being true."""
    unknown: Unknown = "refuse"
    """What happens to request fields that are not named."""

    MEDIA_TYPES: ClassVar[frozenset[str]] = frozenset({JSON})
    QUERY: ClassVar[Mapping[str, frozenset[str]]] = {}
    HEADERS: ClassVar[tuple[str, ...]] = ()
    METHODS: ClassVar[tuple[str, ...]] = ("POST",)
    ERRORS: ClassVar[str] = PROBLEM
    MALFORMED: ClassVar[int] = 400

    def read(self, body: bytes, parameters: Parameters, terms: Terms) -> Asked:
        terms = msgspec.structs.replace(terms, unknown=self.unknown)
        admitted = admit(body, self._gate, terms)
        read = admitted.read
        inputs = self._inputs(read)
        query = Query(self._model(read, parameters), len(inputs), self._stream(read))
        return Asked(query, admitted.body, inputs, {}, admitted.changed)

    def _model(self, read: dict[str, Any], parameters: Parameters) -> str:
        if self.model is None:
            return ""
        model = parameters.get(self.model) or _at(read, self.model)
        require(isinstance(model, str) and model, f"{self.model!r} must be a name.")
        return str(model)

    def _inputs(self, read: dict[str, Any]) -> Sequence[Json]:
        if self.inputs is None:
            return (read,)
        value = _at(read, self.inputs)
        require(value is not None and value != [], f"{self.inputs!r} must hold an input.")
        return value if isinstance(value, list) else (value,)

    def _stream(self, read: dict[str, Any]) -> bool:
        value = _at(read, self.stream) if self.stream is not None else None
        require(value is None or isinstance(value, bool), f"{self.stream!r} must be a boolean.")
        return bool(value)

    def answers(self) -> Answers:
        node = self._tree
        return {
            JSON: Document(node),
            "text/event-stream": Events(node, _SENTINELS),
            "application/x-ndjson": Lines(node),
            "application/jsonl": Lines(node),
        }

    def positional(self) -> bool:
        return positional(self._tree)

    def error(self, refusal: Refusal) -> bytes:
        return problem(refusal)

    @cached_property
    def _gate(self) -> Object:
        gate = _rule(_requested(self.request))
        assert isinstance(gate, Object)  # mistakes() finds the paths that do not begin with a name
        return gate

    @cached_property
    def _tree(self) -> Node:
        found = declared(self.answer)
        assert not isinstance(found, Flaw)  # mistakes() finds those
        return tree(found, each=self.inputs is not None)

    def mistakes(self, parameters: Collection[str]) -> Iterator[Mistake]:
        """What cannot work, on a route whose path has these parameters."""
        yield from self._mistaken_answer()
        yield from _mistaken_request(self.request)
        for name in ("model", "inputs", "stream"):
            field = getattr(self, name)
            if field is not None and not (name == "model" and field in parameters):
                yield from _mistaken_field(name, field, self.request)

    def _mistaken_answer(self) -> Iterator[Mistake]:
        found = declared(self.answer)
        if isinstance(found, Flaw):
            yield Mistake(("answer", found.path), found.wrong, found.remedy)
        elif not passes(found):
            remedy = 'name what may pass, such as "predictions[].score": score'
            yield Mistake(("answer",), "nothing of an answer would pass", remedy)


def _mistaken_request(rules: Mapping[str, RequestRule]) -> Iterator[Mistake]:
    root = _Branch()
    for text, rule in rules.items():
        path, place = parse(text), ("request", text)
        if path is None or path[0] == EACH or ANY in path:
            yield Mistake(place, "not a path into a request", "write one such as options.top_k")
        elif not root.grow(path, rule):
            wrong = "another path says that something else stands there"
            yield Mistake(place, wrong, "remove one of the two")
        elif isinstance(rule, FieldRule) and len(rule.rules()) != 1:
            remedy = "give one of force, only, needs, or least and most"
            yield Mistake(place, "not one rule", remedy)


def _mistaken_field(name: str, field: str, rules: Mapping[str, RequestRule]) -> Iterator[Mistake]:
    """It must be a path of names, and a request must be able to hold it."""
    path = parse(field)
    if path is None or {EACH, ANY}.intersection(path):
        yield Mistake((name,), "not a path of names", "write one such as options.model")
        return
    known = [parse(text) or () for text, rule in rules.items() if rule != "drop"]
    if not any(path[: len(other)] == other[: len(path)] for other in known):
        yield Mistake((name,), "no request may hold this field", "name it in request, too")


def _requested(rules: Mapping[str, RequestRule]) -> _Branch:
    root = _Branch()
    for text, rule in rules.items():
        root.grow(parse(text) or (), rule)
    return root


def _rule(branch: _Branch) -> Rule:
    match branch.leaf:
        case "pass":
            return PASS
        case "drop":
            return Taking()
        case FieldRule() as rule:
            return rule.rules()[0]
        case None:
            pass
    if EACH in branch.steps:
        return Each(_rule(branch.steps[EACH]))
    forced = {
        name: inner.leaf.force
        for name, inner in branch.steps.items()
        if isinstance(inner.leaf, FieldRule) and inner.leaf.force is not msgspec.UNSET
    }
    return Object({name: _rule(inner) for name, inner in branch.steps.items()}, forced)


def _at(read: dict[str, Any], path: str) -> Json:
    """What stands at a path of names; None where nothing does."""
    value: Json = read
    for name in parse(path) or ():
        value = value.get(name) if isinstance(value, dict) else None
    return value
