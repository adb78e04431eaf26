"""Write the middle of docs/dialects.md from the code: what each dialect reads, and lets pass.

``python docs/dialects.py`` writes the page, ``--check`` says whether it is current.  What a gate's
rule or an answer's node does is put into words here, so that the core says it only once: in code.
"""

import ast
import inspect
import sys
from collections.abc import Callable, Iterator, Mapping
from dataclasses import fields, is_dataclass
from functools import partial
from pathlib import Path
from textwrap import dedent
from typing import Any, get_args

import orjson
from msgspec import NODEFAULT
from msgspec import inspect as types

ROOT = Path(__file__).parent.parent
sys.path.insert(0, str(ROOT))

from extproc.config.expectation import wanted  # noqa: E402
from extproc.dialects import Dialect  # noqa: E402
from extproc.dialects.answers import (  # noqa: E402
    Answer,
    Array,
    Body,
    Document,
    Events,
    Frames,
    Lines,
)
from extproc.dialects.counted import Counted  # noqa: E402
from extproc.dialects.dialect import JsonDialect  # noqa: E402
from extproc.dialects.gate import (  # noqa: E402
    Alternatives,
    Each,
    Forced,
    Granted,
    Object,
    Only,
    Pass,
    Repeatable,
    Rule,
    Taking,
    Within,
    gate_of,
)
from extproc.dialects.gathered import Gathered  # noqa: E402
from extproc.dialects.shape import (  # noqa: E402
    Anything,
    Fault,
    Fields,
    Gate,
    Items,
    Keep,
    Leaf,
    ModelName,
    Opaque,
)
from extproc.refusal import RATE_LIMITED  # noqa: E402
from tests.corpus.exchanges import Recorded, recorded  # noqa: E402

SHARED = "Every dialect of a JSON API has these settings:"
PAGE = ROOT / "docs" / "dialects.md"
BEGIN = "<!-- written by docs/dialects.py from the code: make docs -->"
END = "<!-- end of what is written from the code -->"
Row = tuple[str, str]
"""A place, and what happens there."""


def main() -> None:
    before = PAGE.read_text()
    after = filled(before)
    if "--check" in sys.argv:
        sys.exit(0 if after == before else f"{PAGE.name} is not current: make docs")
    PAGE.write_text(after)


def filled(page: str) -> str:
    """The page with what stands between the two marks written anew."""
    head, _, rest = page.partition(BEGIN)
    _, _, tail = rest.partition(END)
    return f"{head}{BEGIN}\n\n{_dialects()}\n{END}{tail}"


def _dialects() -> str:
    exchanges = recorded()
    kinds = [*get_args(Dialect)]
    shared = _table("setting", "is", _settings(JsonDialect), SHARED)
    sections = [_section(kind, kinds, exchanges) for kind in kinds]
    return "\n".join([_index(kinds, exchanges), shared, *sections])


def _index(kinds: list[type], exchanges: list[Recorded]) -> str:
    rows = [
        (f"[`{tag(kind)}`](#{tag(kind)})", f"{_sentence(kind)} {_paths(kind, exchanges)}".strip())
        for kind in kinds
    ]
    return _table("dialect", "reads", rows)


def tag(kind: Any) -> str:
    return str(kind.__struct_config__.tag)


def _paths(kind: type, exchanges: list[Recorded]) -> str:
    """Where its exchanges of the tests stand; a route may put it anywhere."""
    of = [one for one in exchanges if isinstance(one.route.dialect, kind)]
    return ", ".join(dict.fromkeys(f"`{one.route.name}`" for one in of))


def _section(kind: type, kinds: list[type], exchanges: list[Recorded]) -> str:
    dialect = _instance(kind, exchanges)
    own = [row for row in _settings(kind) if row not in _settings(JsonDialect)]
    parts = [f"## {tag(kind)}\n", _story(kind, kinds)]
    parts += [_table("setting", "is", own, "**In the policy file**")] if own else []
    parts += [_request(dialect), *_answers(dialect), _error(dialect)]
    return "\n".join(part for part in parts if part)


def _instance(kind: type, exchanges: list[Recorded]) -> Any:
    """As its name alone makes it, or as the corpus configures it where that is not enough."""
    configured = [one.route.dialect for one in exchanges if isinstance(one.route.dialect, kind)]
    if all(field.default is not NODEFAULT or field.default_factory is not NODEFAULT
           for field in types.type_info(kind).fields):  # type: ignore[attr-defined]  # fmt: skip
        plain = kind()
        if not configured or plain.answers():
            return plain
    return configured[0]


def _story(kind: type, kinds: list[type]) -> str:
    """What the class says, and what its module says, which may have several: that once."""
    first = next(one for one in kinds if one.__module__ == kind.__module__)
    said = [_escaped(dedent(kind.__doc__ or "").strip())]
    if first is kind:
        said.append(_escaped(dedent(sys.modules[kind.__module__].__doc__ or "").strip()))
    else:
        said.append(f"See also [`{tag(first)}`](#{tag(first)}).")
    return "\n\n".join(said) + "\n"


def _sentence(kind: type) -> str:
    first, _, _ = dedent(kind.__doc__ or "").strip().partition("\n\n")
    return _escaped(" ".join(first.split()))


def _escaped(text: str) -> str:
    return text.replace("``", "`").replace("<", "&lt;").replace("|", "\\|")


# What the policy file says of it.


def _settings(kind: type) -> list[Row]:
    described = _described(kind)
    return [
        (f"`{field.encode_name}`", _setting(field, described.get(field.name, "")))
        for field in types.type_info(kind).fields  # type: ignore[attr-defined]
    ]


def _setting(field: Any, described: str) -> str:
    try:
        what = wanted(field.type)
    except KeyError:
        what = "as described"
    needed = "needed; " if field.required else ""
    return f"{needed}{what}. {described}".strip()


def _described(kind: type) -> dict[str, str]:
    """The strings below the fields of a class and of those it comes from."""
    found: dict[str, str] = {}
    for one in reversed(kind.__mro__):
        if one.__module__.startswith("extproc."):
            found |= _strings(inspect.getsource(one))
    return found


def _strings(source: str) -> dict[str, str]:
    (defined,) = ast.parse(dedent(source)).body
    assert isinstance(defined, ast.ClassDef)
    found = {}
    for statement, below in zip(defined.body, defined.body[1:], strict=False):
        match statement, below:
            case ast.AnnAssign(target=ast.Name(name)), ast.Expr(ast.Constant(str(text))):
                found[name] = _escaped(" ".join(text.split()))
    return found


# Requests.


def _request(dialect: Any) -> str:
    media = ", ".join(f"`{one}`" for one in sorted(dialect.MEDIA_TYPES))
    methods = ", ".join(f"`{one}`" for one in dialect.METHODS)
    lines = [f"**Requests** are {methods} of {media}."]
    if dialect.HEADERS:
        names = ", ".join(f"`{name}`" for name in dialect.HEADERS)
        lines.append(f"Of the header fields it reads {names}.")
    gate = gate_of(dialect.read)
    if gate is None:
        return " ".join(lines) + "\n"
    rows = [*_rules(gate, "")]
    passing = ", ".join(f"`{place}`" for place, what in rows if what == "passes")
    lines.append(f"As they are pass: {passing}." if passing else "")
    others = [(f"`{place}`", what) for place, what in rows if what != "passes"]
    return _table("field", "rule", others, " ".join(lines).strip())


def _rules(rule: Rule, place: str) -> Iterator[Row]:
    match rule:
        case Object(known, forced, bounded):
            for name, inner in known.items():
                yield from _rules(inner, _at(place, name))
            for name in bounded[:1]:
                told = "set to the tenant's `max_tokens`, where it has any and nothing is said"
                yield _at(place, name), told
            for name, value in forced.items():
                yield _at(place, name), f"set to {_json(value)} where it is not asked for"
        case Each(inner):
            yield from _rules(inner, f"{place}[]")
        case Granted(kind, inner):
            yield from _granted(rule, kind, inner, place)
        case _:
            yield place, _rule(rule)


def _granted(rule: Rule, kind: str, inner: Rule, place: str) -> Iterator[Row]:
    """A whole part of the tree may be for one kind."""
    if not isinstance(inner, Object | Each):
        yield place, _rule(rule)
        return
    for below, what in _rules(inner, place):
        yield below, f"taken out unless the tier grants `{kind}`; {what}"


def _rule(rule: Rule) -> str:
    match rule:
        case Pass():
            return "passes"
        case Granted(kind, inner):
            return f"taken out unless the tier grants `{kind}`; then {_rule(inner)}"
        case Taking():
            return "taken out"
        case Only(values):
            return f"only {' or '.join(map(_json, values))}; any other value is refused"
        case Forced(value):
            return f"always {_json(value)}"
        case Within(least, most):
            return _bounds(least, most)
        case Alternatives():
            return "a number, lowered to what the tier shows"
        case Repeatable(inner, otherwise):
            return f"{_rule(inner)}; with `repeatable: false`: {_rule(otherwise)}"
        case Object() | Each():
            return "; ".join(f"`{place}`: {what}" for place, what in _rules(rule, ""))
        case _:
            return _own_words(rule)


def _bounds(least: float | None, most: float | None) -> str:
    bounds = [f"raised to {least}" if least is not None else "",
              f"lowered to {most}" if most is not None else ""]  # fmt: skip
    return f"a number, {' and '.join(filter(None, bounds))}".rstrip(", ")


# Answers.


def _answers(dialect: Any) -> Iterator[str]:
    """One table for each tree; where two media types share one it stands once."""
    told: dict[str, str] = {}
    for media, answer in sorted(dialect.answers().items(), key=lambda one: one[0]):
        title, node = _framing(answer)
        rows = _grouped(_nodes(node, "", "", ())) if node is not None else []
        table = _table("what happens", "places", rows)
        same = f" The places are those of `{told[table]}`." if rows and table in told else ""
        yield f"**Answers** of `{media}`: {title}.{same}\n" + ("" if same else f"\n{table}")
        told.setdefault(table, media)


def _grouped(found: Iterator[Row]) -> list[Row]:
    """What happens, and every place at which it does."""
    places: dict[str, list[str]] = {}
    for place, what in found:
        shown = f"`{place}`" if place else "the whole answer"
        listed = places.setdefault(what, [])
        if shown not in listed:
            listed.append(shown)
    return [(what, ", ".join(listed)) for what, listed in places.items()]


def _framing(answer: Answer) -> tuple[str, Any]:
    match answer:
        case Document(node):
            return "one JSON document", node
        case Events(node, sentinels, named):
            ends = ", ".join(f"`{one.decode()}`" for one in sorted(sentinels))
            named_too = ", each called by its `type`" if named else ""
            return f"server-sent events{named_too}{f'; {ends} passes' if ends else ''}", node
        case Lines(node):
            return "JSON documents, one a line", node
        case Array(node):
            return "a JSON array, sent element by element", node
        case Body(reading):
            return "read whole", reading
        case Frames(message, streamed):
            return f"gRPC messages{', one after the other' if streamed else ''}", message


def _nodes(node: Any, place: str, within: str, above: tuple[int, ...]) -> Iterator[Row]:
    """Every place of the tree; a tree that holds itself is walked once."""
    if id(node) in above:
        return
    walk = partial(_nodes, above=(*above, id(node)))
    match node:
        case Fields(known):
            for name, inner in known.items():
                yield from walk(inner, _at(place, name), within)
        case Items(inner):
            yield from walk(inner, f"{place}[]", within)
        case Gate(kind, inner, nulled):
            yield place, f"`{kind}`, or {_left(nulled=nulled)}"
            yield from walk(inner, place, f" with `{kind}`") if type(inner) is not Keep else ()
        case Leaf(kind, _, shape, nulled):
            yield place, f"`{kind}`, changed as the tier says, or {_left(nulled=nulled)}"
            yield from walk(shape, place, f" with `{kind}`") if shape != Anything() else ()
        case Gathered(inner) | Counted(inner):
            yield place, _AROUND[type(node)]
            yield from walk(inner, place, within)
        case Keep() | Anything():
            yield place, f"passes{within}"
        case Opaque(kind):
            yield place, f"`{kind}`, or taken out"
        case ModelName():
            yield place, "the name the client asked for; the model server's own with `identity`"
        case Fault():
            yield place, "an answer that has it is not released"
        case _:
            yield place, _own_words(node) or f"passes{within}"
            yield from _parts(node, place, partial(walk, within=within))


_AROUND = {
    Gathered: "one vector for each input; where the tier says `similarity`, one row",
    Counted: "read for the record's token counts, whether it passes or not",
}


def _left(*, nulled: bool) -> str:
    return "`null`" if nulled else "taken out"


def _parts(node: Any, place: str, walk: Callable[[Any, str], Iterator[Row]]) -> Iterator[Row]:
    """The nodes inside a node that only its dialect knows."""
    if not is_dataclass(node):
        return
    for field in fields(node):
        match getattr(node, field.name):
            case Mapping() as inside:
                for name, part in inside.items():
                    if hasattr(part, "rewrite"):
                        yield from walk(part, f"{place}({name})" if place else f"({name})")
            case frozenset() as names:
                for name in sorted(map(str, names)):
                    yield from walk(Keep(), _at(place, name))
            case part if hasattr(part, "rewrite"):
                yield from walk(part, place)


def _own_words(part: Any) -> str:
    """The first sentence that its class says of itself, where it says one."""
    text = type(part).__doc__ or ""
    if text.startswith(f"{type(part).__name__}("):  # dataclass's own, where nobody wrote one
        return ""
    first, _, _ = dedent(text).strip().partition("\n\n")
    return _escaped(" ".join(first.split()))


# Words and tables.


def _error(dialect: Any) -> str:
    body = dialect.error(RATE_LIMITED)
    try:
        shown = orjson.dumps(orjson.loads(body)).decode()
    except orjson.JSONDecodeError:
        return ""
    return f"**Errors**, here of {RATE_LIMITED.status}:\n\n```json\n{shown}\n```\n"


def _json(value: Any) -> str:
    return f"`{orjson.dumps(value).decode()}`"


def _at(place: str, name: str) -> str:
    return f"{place}.{name}" if place else name


def _table(left: str, right: str, rows: list[Row], title: str = "") -> str:
    body = [f"| {left} | {right} |", "|---|---|", *(f"| {a} | {b} |" for a, b in rows)]
    head = [title, ""] if title else []
    return "\n".join([*head, *body, ""] if rows else head)


if __name__ == "__main__":
    main()
