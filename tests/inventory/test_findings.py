"""What is exposed whichever route is asked."""

from pathlib import Path
from typing import Any

import pytest

from extproc.auditor.keys import new_pair
from extproc.inventory.report import Rating
from tests.inventory.policies import EMBEDDINGS, partner, policy, saying, surveyed

LOW, MODERATE, HIGH, CRITICAL = Rating
JWKS = Path(__file__).parent.parent.parent / "docs" / "examples" / "jwks.json"
ISSUER = {"issuer": "https://login.example.com", "tenant": "org"}


def jwt(**changed: Any) -> dict[str, Any]:
    return ISSUER | {
        "kind": "jwt",
        "audience": "models",
        "jwks": f"file:{JWKS}",
        "algorithms": ["ES256"],
        **changed,
    }


def introspection(**changed: Any) -> dict[str, Any]:
    return ISSUER | {
        "kind": "introspection",
        "url": "https://login.example.com/introspect",
        "client_id": "extproc",
        "client_secret": "env:HMAC",
        **changed,
    }


def signature(**changed: Any) -> dict[str, Any]:
    key = {"tenant": "acme", "algorithm": "hmac-sha256", "secret": "env:HMAC"}
    return {"kind": "signature", "keys": {"partner-1": key}, **changed}


def knowing(**credentials: Any) -> dict[str, Any]:
    return policy(credentials=credentials)


@pytest.mark.parametrize(
    ("data", "rating", "words"),
    [
        (policy(listen="10.0.0.1:9100"), HIGH, "listen:"),
        (policy(listen="[::]:9100"), HIGH, "listen:"),
        (policy(admin="0.0.0.0:9102"), MODERATE, "admin:"),
        (policy(health="192.0.2.1:9101"), LOW, "health:"),
        (policy(), MODERATE, "no audit log"),
        (policy(rollout={"mode": "off"}), CRITICAL, "rollout off: nobody looks"),
        (policy(rollout={"mode": "shadow", "percent": 5}), CRITICAL, "rollout in the shadow:"),
        (policy(rollout={"percent": 25}), CRITICAL, "rollout to 25 % of tenants:"),
        (knowing(keys={"kind": "api_key", "strength": 2}), LOW, "a key counts as strong"),
        (knowing(login=jwt(algorithms=["ES256", "RS256"])), LOW, "RS256 sign with"),
        (knowing(login=jwt(algorithms=["ES256", "PS256"])), LOW, "2 algorithms"),
        (knowing(login=jwt(skew="1h")), MODERATE, "taken for 1h more"),
        (knowing(partners=introspection(cache="1h")), MODERATE, "taken for 1h"),
        (knowing(signed=signature()), LOW, "1 keys are secrets"),
        (knowing(signed=signature(max_age="1h")), LOW, "counts for 1h"),
    ],
)
def test_what_is_found(tmp_path: Path, data: Any, rating: Rating, words: str) -> None:
    found = saying(surveyed(tmp_path, data).reasons, words)
    assert found.rating is rating
    assert found.remedy


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (policy(listen="127.0.0.1:9100"), "listen"),
        (policy(admin="localhost:9102"), "admin"),
        (policy(health="[::1]:9101"), "health"),
        (knowing(keys={"kind": "api_key"}), "strong"),
        (knowing(login=jwt()), "credentials.login"),
        (knowing(partners=introspection()), "credentials.partners"),
        (policy(), "strangers"),
        (policy(), "rollout"),
        (policy(rollout={"mode": "enforce", "percent": 100}), "rollout"),
        (policy(), "policy partner"),
    ],
)
def test_what_is_well_is_not_found(tmp_path: Path, data: Any, words: str) -> None:
    assert words not in str(surveyed(tmp_path, data).reasons)


def test_strangers_are_answered_at_once_where_the_file_does_not_say_otherwise(
    tmp_path: Path,
) -> None:
    data = policy()
    shaping = {name: data.pop(name) for name in ("timing", "length")}
    data["policies"]["partner"] |= shaping
    found = surveyed(tmp_path, data).reasons
    assert saying(found, "without timing").rating is LOW
    assert saying(found, "without length").rating is LOW


def test_an_audit_log_that_drops_is_told(tmp_path: Path) -> None:
    (tmp_path / "audit.pem").write_bytes(new_pair()[0])
    audit = {"path": "audit.jsonl", "key": "file:audit.pem"}
    assert "audit" not in str(surveyed(tmp_path, policy(audit=audit)).reasons)
    found = surveyed(tmp_path, policy(audit={**audit, "full": "drop"}))
    assert saying(found.reasons, "audit.full").rating is LOW


def test_what_nobody_has_is_told(tmp_path: Path) -> None:
    data = partner(routes=["POST /v1/chat/*"])
    data["policies"]["spare"] = data["policies"]["partner"] | {"allow": {}, "routes": ["*"]}
    found = surveyed(tmp_path, data).reasons
    assert saying(found, "policy spare").rating is LOW
    assert saying(found, f"route {EMBEDDINGS}").rating is LOW


def test_keys_in_the_policy_are_counted_and_never_shown(tmp_path: Path) -> None:
    data = knowing(keys={"kind": "api_key"})
    data["tenants"]["acme"]["principals"] = [f"key:{digit * 64}" for digit in "abc"]
    found = surveyed(tmp_path, data)
    assert saying(found.reasons, "3 keys stand in the policy").rating is LOW
    assert "a" * 16 not in repr(found)
