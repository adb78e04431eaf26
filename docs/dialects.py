"""Write the middle of docs/dialects.md from the code: what each dialect reads, and lets pass.

``python -m docs.dialects`` writes the page.  What a gate's rule or an answer's node does is put
into words by the modules beside this one, so that the core says it only once: in code.
"""

import ast
import inspect
import sys
from collections.abc import Sequence
from textwrap import dedent
from typing import Any, get_args

import orjson
from msgspec import NODEFAULT
from msgspec import inspect as types

from docs import page
from docs.answers import answers
from docs.gates import rules
from docs.page import table
from docs.words import Row, escaped, sentence
from extproc.config.expectation import wanted
from extproc.dialects import Dialect
from extproc.dialects.dialect import JsonDialect
from extproc.dialects.gate import gate_of
from extproc.refusal import RATE_LIMITED
from tests.corpus.exchanges import Recorded, recorded

SHARED = "Every dialect of a JSON API has these settings:"
_SETTING = ("setting", "is")


def main() -> None:
    page.write("dialects", filled)


def filled(text: str) -> str:
    """The page with what stands between the two marks written anew."""
    return page.between_marks(text, "dialects", _dialects())


def _dialects() -> str:
    exchanges = recorded()
    kinds = [*get_args(Dialect)]
    shared = _titled(SHARED, _SETTING, _settings(JsonDialect))
    sections = [_section(kind, kinds, exchanges) for kind in kinds]
    return "\n".join([_index(kinds, exchanges), shared, *sections])


def _index(kinds: list[type], exchanges: list[Recorded]) -> str:
    rows = [
        (f"[`{tag(kind)}`](#{tag(kind)})", f"{sentence(kind)} {_paths(kind, exchanges)}".strip())
        for kind in kinds
    ]
    return table(("dialect", "reads"), rows)


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
    parts += [_titled("**In the policy file**", _SETTING, own)] if own else []
    parts += [_request(dialect), *answers(dialect), _error(dialect)]
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
    said = [escaped(dedent(kind.__doc__ or "").strip())]
    if first is kind:
        said.append(escaped(dedent(sys.modules[kind.__module__].__doc__ or "").strip()))
    else:
        said.append(f"See also [`{tag(first)}`](#{tag(first)}).")
    return "\n\n".join(said) + "\n"


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
                found[name] = escaped(" ".join(text.split()))
            case _:
                pass
    return found


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
    rows = [*rules(gate, "")]
    passing = ", ".join(f"`{place}`" for place, what in rows if what == "passes")
    lines.append(f"As they are pass: {passing}." if passing else "")
    others = [(f"`{place}`", what) for place, what in rows if what != "passes"]
    return _titled(" ".join(lines).strip(), ("field", "rule"), others)


def _error(dialect: Any) -> str:
    body = dialect.error(RATE_LIMITED)
    try:
        shown = orjson.dumps(orjson.loads(body)).decode()
    except orjson.JSONDecodeError:
        return ""
    return f"**Errors**, here of {RATE_LIMITED.status}:\n\n```json\n{shown}\n```\n"


def _titled(title: str, heads: Sequence[str], rows: Sequence[Row]) -> str:
    return f"{title}\n" + (f"\n{table(heads, rows)}" if rows else "")


if __name__ == "__main__":
    main()
