from hypothesis import given
from hypothesis import strategies as st

from extproc.audit import Pseudonyms
from extproc.canonical import digest

NAMES = Pseudonyms(b"s" * 32)
OTHER = Pseudonyms(b"t" * 32)
PERSON = "jwt:https://issuer.example|alice@example.com"


def test_an_api_key_is_the_beginning_of_its_hash() -> None:
    assert NAMES.principal("key:" + "0123456789abcdef" * 4) == "key:0123456789abcdef"


def test_a_person_is_a_keyed_digest() -> None:
    name = NAMES.principal(PERSON)
    assert name.startswith("jwt:")
    assert len(bytes.fromhex(name.removeprefix("jwt:"))) == 8
    assert name == NAMES.principal(PERSON)
    assert name not in {OTHER.principal(PERSON), NAMES.principal(PERSON + "x")}


@given(st.text(min_size=8))
def test_no_name_is_told(subject: str) -> None:
    assert subject not in NAMES.principal(f"mtls:{subject}")


def test_nobody_has_no_name() -> None:
    assert NAMES.principal("") == ""
    assert NAMES.principal("jwt:") == ""


def test_inputs_that_count_as_the_same_have_one_fingerprint() -> None:
    fingerprint = NAMES.input([digest("What is the capital of France?")])
    assert len(bytes.fromhex(fingerprint)) == 16
    assert NAMES.input([digest("what is the CAPITAL of france")]) == fingerprint
    assert NAMES.input([digest("what is the capital of spain")]) != fingerprint
    assert OTHER.input([digest("What is the capital of France?")]) != fingerprint


def test_a_batch_has_one_fingerprint_that_knows_its_order() -> None:
    one, two = digest("one"), digest("two")
    assert len({NAMES.input(found) for found in ([one], [two], [one, two], [two, one])}) == 4
    assert NAMES.input([]) == ""


def test_an_epoch_is_the_keys_and_tells_nothing_of_it() -> None:
    assert len(bytes.fromhex(NAMES.epoch)) == 4
    assert NAMES.epoch == Pseudonyms(b"s" * 32).epoch != OTHER.epoch


def test_the_subject_of_a_counter_is_called_as_its_requests_are() -> None:
    assert NAMES.subject(PERSON, ("principal",)) == NAMES.principal(PERSON)


def test_a_subject_that_is_a_person_and_more_is_a_keyed_digest_of_all_of_it() -> None:
    scopes = ("principal", "model")
    name = NAMES.subject(f"{PERSON}|m", scopes)
    assert len(bytes.fromhex(name)) == 8
    assert name not in {OTHER.subject(f"{PERSON}|m", scopes), NAMES.subject(f"{PERSON}|n", scopes)}


def test_a_subject_that_is_nobody_is_left_as_it_is() -> None:
    assert NAMES.subject("POST /v1/x|embedding", ("route", "kind")) == "POST /v1/x|embedding"
    assert NAMES.subject("", ("principal",)) == ""


def test_a_suspect_is_called_by_its_tenant_and_a_pseudonym() -> None:
    assert NAMES.suspect(f"acme|{PERSON}", "acme", PERSON) == f"acme|{NAMES.principal(PERSON)}"
    assert NAMES.suspect("acme", "acme", PERSON) == "acme"
    assert NAMES.suspect("cohort:block", "", "") == "cohort:block"
