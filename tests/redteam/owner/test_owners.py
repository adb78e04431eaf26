from pathlib import Path

from extproc.redteam.client import Client
from extproc.redteam.owner.kept import Kept
from extproc.redteam.owner.labels import LabelOwner
from extproc.redteam.owner.owners import owner_of
from extproc.redteam.owner.vectors import VectorOwner
from extproc.redteam.victims import tiny_lm
from tests.redteam import planted, planted_servers


def test_each_kind_of_victim_has_an_owner_who_knows_its_marks_or_none() -> None:
    kept, client = Kept((Path(),), "thief"), Client("http://model.test")
    assert isinstance(owner_of(planted_servers.VICTIM, kept, client), LabelOwner)
    assert isinstance(owner_of(planted.victim(3), kept, client), VectorOwner)
    assert owner_of(tiny_lm.victim(), kept, client) is None
