from typing import Any

import jsonschema_rs
import msgspec
from msgspec import Struct

from extproc.config.exhaustion_settings import ExhaustedSettings
from extproc.config.json_schema import for_editors


class Budget(Struct, forbid_unknown_fields=True):
    exhausted: ExhaustedSettings


def test_the_schema_takes_what_loads_and_nothing_that_is_of_no_type() -> None:
    schema: Any = for_editors(msgspec.json.schema(Budget))
    valid = jsonschema_rs.validator_for(schema).is_valid
    for good in (
        "deny",
        {"fidelity": "coarse"},
        {"challenge": "proof_of_work"},
        {"challenge": {"kind": "proof_of_work", "least": "1s"}},
        {"acr": ["gold"]},
        {"throttle": {"max": 1, "window": "1s"}},
    ):
        assert valid({"exhausted": good})
    wrong: tuple[Any, ...] = (
        "allow",
        {"fidelty": "x"},
        {"challenge": "captcha"},
        {"acr": []},
        7,
        None,
    )
    for bad in wrong:
        assert not valid({"exhausted": bad})
