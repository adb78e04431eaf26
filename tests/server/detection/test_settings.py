import math

from extproc.detectors.evidence import suspicion
from tests.server.detection.rig import settings


def test_of_traffic_that_nobody_has_calibrated_nothing_is_suspicious() -> None:
    assert settings().threshold("user") == 10.0
    assert settings().threshold("other") == math.inf
    assert suspicion(1e6, settings().threshold("other")) == 0.0


def test_a_profile_is_a_tenants_or_a_principals() -> None:
    assert settings().subject("acme", "key:1") == "acme"
    assert settings(per="principal").subject("acme", "key:1") == "acme|key:1"
