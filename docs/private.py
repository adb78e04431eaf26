"""Tables of privacy, for the documents.

``python docs/private.py truth|votes|vectors|accounts|ledger``.  ``truth``: how often randomised
response tells the label that a model said.  ``votes``: how many answers a promise has room for.
``vectors``: how long the noise of one embedding is.  ``accounts``: how far our account of pure
answers is above what a reference accountant tells of them.  ``ledger``: what ``extproc privacy``
says of the policy file of docs/examples/private.yaml, when so much was told.
"""

import io
import math
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Final

from rich.console import Console

ROOT = Path(__file__).parent.parent
sys.path.insert(0, str(ROOT))

from dp_accounting.pld import privacy_loss_distribution as pld  # noqa: E402

from extproc.accounts.messages import Holder  # noqa: E402
from extproc.accounts.rows import Row, row  # noqa: E402
from extproc.config import compile_table, load  # noqa: E402
from extproc.limits import PRIVATE, Limit, Standing  # noqa: E402
from extproc.mutators import NoisyMax, RandomizedResponse  # noqa: E402
from extproc.policy import PolicyTable  # noqa: E402
from extproc.privacy import Cost, capacity, epsilon_of, exact, pure_cost, sigma_of  # noqa: E402
from extproc.promises.outlook import lines, prices  # noqa: E402
from extproc.promises.table import show  # noqa: E402

_EPSILONS: Final = (0.5, 1.0, 2.0, 3.0, 4.0, 6.0, 8.0)
_CLASSES: Final = (2, 10, 100, 1000)


def main() -> None:
    tables = {
        "truth": truth,
        "votes": votes,
        "vectors": vectors,
        "accounts": accounts,
        "ledger": ledger,
    }
    for line in tables[sys.argv[1]]():
        print(line)


def truth() -> Iterator[str]:
    yield "epsilon of one answer  " + "".join(f"{f'{each:,} classes':>15}" for each in _CLASSES)
    for epsilon in _EPSILONS:
        mutator = RandomizedResponse(epsilon=epsilon)
        yield f"{epsilon:<23g}" + "".join(f"{mutator.truth(each):15.3f}" for each in _CLASSES)


def votes() -> Iterator[str]:
    rooms = "".join(f"{f'epsilon {each}':>12}" for each in (1, 2, 8))
    yield f"{'noise of each count':22}{'mu squared':>12}{rooms}"
    for scale in (10.0, 20.0, 40.0, 80.0, 160.0):
        cost = NoisyMax(noise="gaussian", scale=scale).cost()
        told = "".join(f"{capacity(each, 1e-5) // cost.gdp:12,}" for each in (1.0, 2.0, 8.0))
        yield f"{f'sigma {scale:g} votes':22}{cost.gdp / 1e9:12.6f}{told}"


def vectors() -> Iterator[str]:
    yield f"{'epsilon of one answer':24}{'sigma':>8}" + "".join(
        f"{f'{each:,} dimensions':>18}" for each in (16, 256, 1536)
    )
    for epsilon in (1.0, 4.0, 8.0, 16.0):
        sigma = sigma_of(epsilon, 1e-6, 2.0)
        lengths = "".join(f"{sigma * math.sqrt(each):18.1f}" for each in (16, 256, 1536))
        yield f"{epsilon:<24g}{sigma:8.2f}{lengths}"


def accounts() -> Iterator[str]:
    yield f"{'answers':>8}{'epsilon each':>14}{'together':>10}{'mu squared':>12}{'reference':>11}"
    for count, epsilon in ((1, 1.0), (4, 1.0), (20, 0.5), (200, 0.1), (1000, 0.05), (10_000, 0.01)):
        share = 2 / (1 + math.exp(epsilon))
        told = pld.from_randomized_response(share, 2).self_compose(count)
        cost = pure_cost(exact(epsilon)).times(count)
        yield (
            f"{count:8,}{epsilon:14g}{count * epsilon:10g}"
            f"{epsilon_of(Cost(cost.gdp), 1e-6):12.2f}{told.get_epsilon_for_delta(1e-6):11.2f}"
        )


def ledger() -> Iterator[str]:
    """As if its tenants had been told so much in thirty days."""
    environ = {"EXTPROC_HMAC": "0123456789abcdef0123456789abcdef"}
    table = compile_table(load(ROOT / "docs" / "examples" / "private.yaml"), environ)
    own, total = _limits(table, "hospital"), _limits(table, "hospital", shared=True)
    each = NoisyMax(noise="gaussian", scale=89.2).cost().gdp
    told = {"hospital": 412, "insurer": 96}
    holders = [
        Holder(tenant, frozen=False, counters=(_row(own, "", count * each),))
        for tenant, count in told.items()
    ]
    holders += [Holder("shared:", frozen=False, counters=(_row(total, "digits", 508 * each),))]
    known, out = prices(table), io.StringIO()
    changed = {name: replace(price, answer=price.answer // 4) for name, price in known.items()}
    found = lines(holders, known, changed, 30 * 86_400.0)
    show(found, changed=True, console=Console(file=out, width=130))
    yield from (line.rstrip() for line in out.getvalue().splitlines())


def _limits(table: PolicyTable, tenant: str, *, shared: bool = False) -> Limit:
    reserved = table.policies[tenant, "POST /votes"].reserved
    [found] = [each for each in reserved if each.unit in PRIVATE and each.shared is shared]
    return found


def _row(limit: Limit, subject: str, spent: int) -> Row:
    left = limit.rule.max - spent
    return row(limit, Standing(limit.rule.name, subject, spent, left, 0), 0)


if __name__ == "__main__":
    main()
