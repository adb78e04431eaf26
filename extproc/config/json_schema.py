"""JSON Schemas of the policy file and the base file, for editors; docs/extproc.schema.json and
docs/extproc-base.schema.json are their committed copies.

Rule: what it allows may still be refused at load, what it refuses never loads.
"""

from typing import Any

import msgspec

from extproc.config.base import Base
from extproc.config.routes import DIALECTS
from extproc.config.settings import Settings
from extproc.prediction import KINDS


def schema() -> dict[str, Any]:
    """The schema, in draft 2020-12."""
    return _schema("extproc policy file", Settings, "Settings", "RouteSettings")


def base_schema() -> dict[str, Any]:
    """The same of the base file that a platform binds policy files with."""
    title, routes = "extproc base file", ("RouteSettings", "PartRouteSettings")
    return _schema(title, Base, "Parts", *routes)


def _schema(title: str, whole: Any, settings: str, *routes: str) -> dict[str, Any]:
    made = for_editors(msgspec.json.schema(whole))
    parts = made["$defs"]
    # msgspec leaves out which keys a mapping may have, and knows of no names of dialects.
    tiers = parts[settings]["properties"]["fidelities"]["additionalProperties"]
    tiers["propertyNames"] = {"enum": list(KINDS)}
    for route in routes:
        dialect = parts[route]["properties"]["dialect"]["anyOf"]
        dialect[dialect.index({"type": "string"})] = {"enum": list(DIALECTS)}
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", "title": title, **made}


def for_editors(node: Any, name: str = "") -> Any:
    r"""With the end of a text as a schema's patterns (ECMA-262) have it: to Python, ``$`` is before
    a last line break too, so that ours end with ``\Z``.
    """
    match node:
        case dict():
            return {key: for_editors(value, key) for key, value in node.items()}
        case list():
            return [for_editors(value) for value in node]
        case str() if name == "pattern" and node.endswith(r"\Z"):
            return node.removesuffix(r"\Z") + "$"
    return node
