"""A report as JSON: everything that the other formats say, and the numbers unrounded.

Rule: null stands for no bound, since JSON has no infinity.
"""

import json
import math
from dataclasses import asdict
from typing import Any

from extproc.inventory.report import Inventory, Rating, Surface


def render(inventory: Inventory) -> str:
    told = {
        "policy": inventory.policy,
        "tenant": inventory.tenant or None,
        "version": inventory.version,
        "rating": inventory.rating.word,
        "tenants": inventory.tenants,
        "assumed": asdict(inventory.assumed),
        "reasons": [_plain(asdict(reason)) for reason in inventory.reasons],
        "surfaces": [_surface(surface) for surface in inventory.surfaces],
    }
    return json.dumps(told, indent=2, allow_nan=False)


def _surface(surface: Surface) -> dict[str, Any]:
    bits = {"query": surface.bits_query, "request": surface.bits_request, "day": surface.bits_day}
    told = {"rating": surface.rating, "bits": bits, **asdict(surface)}
    return {name: _plain(value) for name, value in told.items()}


def _plain(value: Any) -> Any:
    match value:
        case Rating():
            return value.word
        case dict():
            return {name: _plain(item) for name, item in value.items()}
        case list() | tuple():
            return [_plain(item) for item in value]
        case float() if math.isinf(value):
            return None
        case _:
            return value
