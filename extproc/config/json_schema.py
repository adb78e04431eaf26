"""JSON Schema of the policy file, for editors; docs/extproc.schema.json is its committed copy.

Rule: what it allows may still be refused at load, what it refuses never loads.
"""

from typing import Any

import msgspec

from extproc.config.routes import DIALECTS
from extproc.config.settings import Settings
from extproc.prediction import KINDS


def schema() -> dict[str, Any]:
    """The schema, in draft 2020-12."""
    made = msgspec.json.schema(Settings)
    parts = made["$defs"]
    # msgspec leaves out which keys a mapping may have, and knows of no names of dialects.
    tiers = parts["Settings"]["properties"]["fidelities"]["additionalProperties"]
    tiers["propertyNames"] = {"enum": list(KINDS)}
    dialect = parts["RouteSettings"]["properties"]["dialect"]["anyOf"]
    dialect[dialect.index({"type": "string"})] = {"enum": list(DIALECTS)}
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "extproc policy file",
        **made,
    }
