"""What a record tells of what an exchange cost, and which limits that is enough for."""

from typing import Final

from extproc.audit import Record
from extproc.limits import Amounts, Limit
from extproc.policy import Policy
from extproc.prediction import Kind

_HIDDEN: Final = {"address": "where requests come from", "user": "end users"}
"""What limits tell callers apart by, and no record tells."""
_ANY: Final[Kind] = "probabilities"
"""A record tells bits of all kinds together."""


def why_not(limit: Limit, policy: Policy, record: Record) -> str:
    """Why this record does not do for a limit; empty where it does."""
    for scope in limit.per:
        if scope in _HIDDEN:
            return f"it tells apart {_HIDDEN[scope]}, which no record tells"
    match limit.unit:
        case "concurrent":
            return "it counts what is under way, which no record tells"
        case "privacy" | "epsilon":
            return "it counts privacy, which a record of answers told again does not tell"
        case "tokens" if "tokens" not in record.charge:
            return "it counts tokens, and no budget did when this was recorded"
        case "credits" if _priced_by_tokens(policy) and "tokens" not in record.charge:
            return "its credits depend on tokens, and no budget counted those"
        case "bits" if limit.kinds or "kind" in limit.per or not _same_bits(policy, record):
            return "it counts bits, which were not counted so when this was recorded"
        case _:
            return ""


def amounts(policy: Policy, record: Record) -> Amounts:
    """What it cost.  Tokens that were read and written are told as one sum; they are counted as
    written, which is what costs more.
    """
    charge = record.charge
    return Amounts(
        queries=record.inputs,
        output_tokens=int(charge.get("tokens", 0)),
        bits={_ANY: int(charge["bits"])} if "bits" in charge else {},
        tariff=policy.tariff.of(record.model),
    )


def _priced_by_tokens(policy: Policy) -> bool:
    return bool(policy.tariff.input_token or policy.tariff.output_token)


def _same_bits(policy: Policy, record: Record) -> bool:
    return "bits" in record.charge and record.fidelity == policy.fidelity.name
