from typing import Any

import jsonschema_rs
import msgspec
import pytest

from extproc.config.detection_settings import DetectionSettings, StepSettings
from extproc.config.json_schema import for_editors


@pytest.mark.parametrize(
    ("kind", "good", "wrong"),
    [
        (
            StepSettings,
            [
                {"above": 0.7, "fidelity": "coarse", "for": "1h"},
                {"above": 0.9, "challenge": "proof_of_work", "for": "1h"},
                {"above": 0.97, "deny": True, "for": "24h"},
                {"above": 0.5, "throttle": {"max": 1, "window": "1s"}, "for": "5m"},
            ],
            [
                {"above": 0, "deny": True, "for": "1h"},
                {"above": 1, "deny": True, "for": "1h"},
                {"above": 0.9, "deny": True},
                {"above": 0.9, "deny": True, "time": "1h"},
                {"above": 0.9, "acr": ["gold"], "for": "1h"},
            ],
        ),
        (
            DetectionSettings,
            [
                {"reference": "ref.bin"},
                {"reference": "r", "on_loss": {"fidelity": "coarse"}, "mode": "shadow"},
                {"reference": "r", "alerts": [{"url": "http://127.0.0.1:9/x", "secret": "env:A"}]},
            ],
            [
                {},
                {"reference": ""},
                {"reference": "r", "on_loss": "coarse"},
                {"reference": "r", "alerts": [{"url": "http://10.0.0.1/x", "secret": "env:A"}]},
                {"reference": "r", "alerts": [{"url": "https://a/x", "secret": "plain"}]},
                {"reference": "r", "profiles": 0},
            ],
        ),
    ],
)
def test_the_schema_takes_what_loads_and_nothing_that_is_of_no_type(
    kind: Any, good: list[Any], wrong: list[Any]
) -> None:
    valid = jsonschema_rs.validator_for(for_editors(msgspec.json.schema(kind))).is_valid
    for each in good:
        assert valid(each)
        msgspec.convert(each, kind)
    for each in wrong:
        assert not valid(each)
        with pytest.raises(msgspec.ValidationError):
            msgspec.convert(each, kind)
