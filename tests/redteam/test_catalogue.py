"""``--list``."""

from io import StringIO

from rich.console import Console

from extproc.redteam.attacks.roster import ATTACKS
from extproc.redteam.catalogue import show
from extproc.redteam.policy_choice import shipped
from extproc.redteam.victims.roster import VICTIMS


def test_it_names_all_there_is() -> None:
    text = StringIO()
    show(Console(file=text, width=400))
    for name in (*ATTACKS, *VICTIMS, *shipped(), "none"):
        assert name in text.getvalue()
    for attack in ATTACKS.values():
        assert attack.paper in text.getvalue()
