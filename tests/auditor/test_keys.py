from extproc.audit.signature import private_key, public_key
from extproc.auditor.keys import new_pair


def test_the_two_halves_of_a_new_key_belong_together() -> None:
    private, public = new_pair()
    assert private_key(private).public_key() == public_key(public)
    assert new_pair()[0] != private
