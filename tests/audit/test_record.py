import msgspec

from tests.audit.logs import act, marked, record, seen, suspected


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


def test_an_act_says_all_of_its_fields_by_name() -> None:
    assert [*msgspec.json.decode(msgspec.json.encode(act()))] == [
        "kind",
        "time",
        "act",
        "uid",
        "pid",
        "who",
        "tenant",
        "budget",
        "subject",
        "epoch",
        "amount",
        "unit",
        "counters",
        "policy",
        "outcome",
    ]


def test_what_was_found_of_a_suspect_says_all_of_its_fields_by_name() -> None:
    assert [*msgspec.json.decode(msgspec.json.encode(suspected()))] == [
        "kind",
        "time",
        "finding",
        "subject",
        "tenant",
        "principal",
        "epoch",
        "traffic",
        "suspicion",
        "before",
        "after",
        "escalated",
        "until",
        "shadow",
        "evidence",
        "counts",
        "policy",
    ]


def test_a_mark_says_all_of_its_fields_by_name_and_nothing_of_what_was_asked() -> None:
    assert [*msgspec.json.decode(msgspec.json.encode(marked()))] == [
        "kind",
        "time",
        "request",
        "tenant",
        "cohort",
        "route",
        "model",
        "cell",
        "stamp",
        "commitment",
        "policy",
    ]


def test_what_detectors_learned_says_only_what_there_is() -> None:
    """There is one for each exchange."""
    said = msgspec.json.decode(msgspec.json.encode(seen()))
    assert [*said] == ["kind", "time", "request", "tenant", "features"]


def test_what_was_charged_is_whole_but_for_credits() -> None:
    said = msgspec.json.encode(record(charge={"requests": 1, "credits": 0.125}))
    assert b'"charge":{"requests":1,"credits":0.125}' in said
