"""What must hold of the data of every victim that is a classifier."""

from extproc.redteam.answers import Floats
from extproc.redteam.victims.victim import ClassifierVictim


def disjoint(victim: ClassifierVictim) -> None:
    """No input is in two of the secret sets, and none of the judge's is the attacker's."""
    secret = victim.secret
    test, members, others = map(_rows, (secret.test, secret.members, secret.others))
    assert not test & members
    assert not test & others
    assert not members & others
    assert not (test | members) & (_rows(victim.task) | _rows(victim.natural))


def bounded(victim: ClassifierVictim) -> None:
    """All inputs have the form that the model takes."""
    secret = victim.secret
    for rows in (victim.task, victim.natural, secret.test, secret.members, secret.others):
        assert rows.shape[1] == victim.dimensions == len(victim.low) == len(victim.high)
        assert (rows >= victim.low).all()
        assert (rows <= victim.high).all()
    for rows, truth in (
        (secret.test, secret.truth),
        (secret.members, secret.member_truth),
        (secret.others, secret.other_truth),
    ):
        assert len(rows) == len(truth)
        assert ((truth >= 0) & (truth < victim.classes)).all()


def _rows(rows: Floats) -> set[bytes]:
    return {row.tobytes() for row in rows}
