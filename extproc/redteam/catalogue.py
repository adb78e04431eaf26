"""``--list``: what there is to attack with, and what to attack."""

from rich.console import Console
from rich.table import Table

from extproc.redteam.attacks.roster import ATTACKS
from extproc.redteam.policy_choice import BASELINE, shipped
from extproc.redteam.victims.roster import VICTIMS


def show(console: Console) -> None:
    """Print it."""
    attacks = Table("attack", "needs", "victims", "policies", "paper")
    for each in ATTACKS.values():
        under = ", ".join(each.policies) or "all"
        attacks.add_row(
            each.name, "; ".join(each.needs), ", ".join(each.victims), under, each.paper
        )
    victims = Table("victim", "what it is")
    for name, make in VICTIMS.items():
        victims.add_row(name, make().about)
    policies = Table("policy")
    for name in (BASELINE, *shipped()):
        policies.add_row(name)
    for table in (attacks, victims, policies):
        console.print(table)
