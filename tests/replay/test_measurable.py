"""What a record tells of what an exchange cost: see extproc/replay/measurable.py."""

from pathlib import Path

import pytest

from extproc.policy import Policy
from extproc.replay.measurable import amounts, why_not
from tests.config.example import changed, compiled
from tests.privacy.ledger import table as policies
from tests.privacy.ledger import text
from tests.replay.recorded import ROUTE, daily, record

LIMITS = (
    "    limits:\n      - {name: burst, per: principal, count: requests, max: 20, window: 1s}\n"
)


def policy(folder: Path, limits: str, *more: tuple[str, str]) -> Policy:
    return compiled(folder, changed((LIMITS, limits), *more)).policies["acme", ROUTE]


@pytest.mark.parametrize(
    ("limits", "why"),
    [
        (daily("queries", 5), ""),
        (daily("credits", 5), ""),
        (daily("tokens", 5), "it counts tokens, and no budget did when this was recorded"),
        (
            "    limits:\n      - {name: flight, per: tenant, count: concurrent, max: 2}\n",
            "it counts what is under way, which no record tells",
        ),
        (
            "    limits:\n      - {name: net, per: address, count: requests, max: 2, window: 1s}\n",
            "it tells apart where requests come from, which no record tells",
        ),
    ],
)
def test_a_limit_is_judged_by_what_was_written_down(tmp_path: Path, limits: str, why: str) -> None:
    found = policy(tmp_path, limits)
    (limit,) = (*found.limits, *found.reserved)
    assert why_not(limit, found, record()) == why


def test_tokens_that_were_counted_are_judged(tmp_path: Path) -> None:
    found = policy(tmp_path, daily("tokens", 5))
    told = record(charge={"tokens": 7})
    assert why_not(found.reserved[0], found, told) == ""
    assert amounts(found, told).of("tokens") == (7, 0)


def test_credits_by_tokens_need_tokens(tmp_path: Path) -> None:
    tariff = ("tenants:\n", "credits: {query: 1, output_token: 0.5}\ntenants:\n")
    found = policy(tmp_path, daily("credits", 5), tariff)
    (limit,) = found.reserved
    assert why_not(limit, found, record()) == (
        "its credits depend on tokens, and no budget counted those"
    )
    told = record(inputs=2, charge={"tokens": 4})
    assert why_not(limit, found, told) == ""
    assert amounts(found, told).of("credits")[0] == 4000


def test_bits_are_judged_at_the_tier_they_were_counted_at(tmp_path: Path) -> None:
    dialect = "    dialect: {kind: kserve_v2"
    sized = (dialect, f"    sizes: {{probabilities: 10}}\n{dialect}")
    found = policy(tmp_path, daily("bits", 500), sized)
    (limit,) = found.reserved
    same = record(charge={"bits": 9}, fidelity="standard")
    assert why_not(limit, found, same) == ""
    assert amounts(found, same).of("bits") == (9, 9)
    for other in (record(charge={"bits": 9}), record(fidelity="standard")):
        assert why_not(limit, found, other).startswith("it counts bits")


def test_privacy_is_not_judged(tmp_path: Path) -> None:
    found = policies(tmp_path, text()).policies["acme", "POST /votes"]
    (limit,) = found.reserved
    assert why_not(limit, found, record()).startswith("it counts privacy, which a record")
