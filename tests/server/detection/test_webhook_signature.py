"""Signatures, verified by code that knows only what receivers are told."""

import pytest

from extproc.config.webhook_secret import secrets
from extproc.server.detection.webhook_signature import signed
from tests.server.detection.receiver import OLD, SECRET, Untrusted, verified

BODY = b'{"test": 2432232314}'


def test_a_published_example_is_signed_as_published() -> None:
    """Of the documentation of Svix, where Standard Webhooks come from."""
    keys = secrets(b"whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw")
    headers = signed(keys, "msg_p5jXN8AQM9LWM0D4loKWxJek", 1614265330, BODY)
    assert headers == {
        "webhook-id": "msg_p5jXN8AQM9LWM0D4loKWxJek",
        "webhook-timestamp": "1614265330",
        "webhook-signature": "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=",
    }


def test_while_a_secret_is_replaced_either_verifies() -> None:
    headers = signed([SECRET, OLD], "a", 1000, BODY)
    for key in (SECRET, OLD):
        verified(headers, BODY, key, 1000, set())
    with pytest.raises(Untrusted, match="signature"):
        verified(headers, BODY, b"another" * 5, 1000, set())


@pytest.mark.parametrize(
    ("change", "body"),
    [
        ({}, BODY + b" "),
        ({"webhook-id": "b"}, BODY),
        ({"webhook-timestamp": "1001"}, BODY),
    ],
)
def test_whatever_is_changed_is_noticed(change: dict[str, str], body: bytes) -> None:
    headers = {**signed([SECRET], "a", 1000, BODY), **change}
    with pytest.raises(Untrusted, match="signature"):
        verified(headers, body, SECRET, 1000, set())


def test_what_comes_again_is_refused_by_its_id_or_its_time() -> None:
    headers, seen = signed([SECRET], "a", 1000, BODY), set[str]()
    verified(headers, BODY, SECRET, 1000, seen)
    with pytest.raises(Untrusted, match="seen before"):
        verified(headers, BODY, SECRET, 1001, seen)
    with pytest.raises(Untrusted, match="old"):
        verified(headers, BODY, SECRET, 1301, set())
