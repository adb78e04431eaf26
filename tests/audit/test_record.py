import msgspec

from tests.audit.logs import record


def test_a_record_says_all_of_its_fields_by_name() -> None:
    """Who reads a log finds every name in every line."""
    assert [*msgspec.json.decode(msgspec.json.encode(record()))] == [
        "kind",
        "time",
        "request",
        "decision",
        "reason",
        "detail",
        "shadow",
        "principal",
        "tenant",
        "route",
        "model",
        "inputs",
        "stream",
        "fingerprint",
        "epoch",
        "policy",
        "fidelity",
        "changed",
        "dropped",
        "charge",
        "status",
        "duration",
    ]
