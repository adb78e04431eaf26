import msgspec

from extproc.credentials.proof import Needed, Once, Proof


def test_a_proof_is_its_principal_and_how_strong_it_is_unless_more_is_said() -> None:
    proof = Proof("key:1", 1)
    assert (proof.tenant, proof.scopes, proof.digest, proof.once) == ("", frozenset(), "", None)
    once = Once("sig:1|nonce", 1.0, 5.0)
    assert msgspec.structs.replace(proof, once=once).once == once


def test_the_token_of_a_question_does_not_show() -> None:
    assert "s3cret" not in f"{Needed('tokens', 's3cret')!r} {Needed('tokens', 's3cret')}"
