"""The report for programs: all that was aggregated, and every verdict.

Rule: `VERSION` changes with the meaning of a field; a number that has no value (the end of an
interval over one seed) is null.
"""

from math import isfinite
from typing import Any, Final

import msgspec

from extproc.redteam.measures.interval import Interval
from extproc.redteam.measures.reach import LEVELS
from extproc.redteam.report.chapters.prices import MEASURES
from extproc.redteam.report.costs import cost, times
from extproc.redteam.report.frontier import frontier
from extproc.redteam.report.model import Cell, Model
from extproc.redteam.report.promises import Promised
from extproc.redteam.report.verdicts import Judged, Shown, Verdicts
from extproc.redteam.report.whose import Whose, whose

VERSION: Final = 1


def render(model: Model, verdicts: Verdicts) -> str:
    report = {
        "version": VERSION,
        "run": msgspec.to_builtins(model.run),
        "passed": verdicts.passed,
        "claims": [_judged(each) for each in verdicts.judged],
        "not_stopped": [_shown(each) for each in verdicts.shown],
        "training_privacy": [_promised(each) for each in verdicts.promises],
        "ownership": [_whose(each) for each in whose(model)],
        "best": _best(model),
        "costs": _costs(model),
        "cells": [_cell(cell) for cell in model.strategies.values()],
    }
    return msgspec.json.format(msgspec.json.encode(report), indent=1).decode() + "\n"


def _judged(each: Judged) -> dict[str, Any]:
    return {
        **msgspec.to_builtins(each.goal),
        "verdict": each.verdict,
        "counts": each.counts,
        "measured": _interval(each.measured),
        "sign": each.bound,
        "margin": each.margin,
        "cell": each.cell.key.anchor if each.cell else None,
    }


def _shown(each: Shown) -> dict[str, Any]:
    measured = _interval(each.cell.interval if each.cell else None)
    return {**msgspec.to_builtins(each.entry), "measured": measured}


def _promised(each: Promised) -> dict[str, Any]:
    return {
        "victim": each.right.key.victim,
        "policy": each.right.key.policy,
        "declared": msgspec.to_builtins(each.declared),
        "proven": _finite(each.proven),
        "broken": each.broken,
    }


def _whose(each: Whose) -> dict[str, Any]:
    return {
        "victim": each.key.victim,
        "policy": each.key.policy,
        "attack": each.key.attack,
        "copy": each.surrogate,
        "done": each.way,
        "marked": each.marked,
        "worth": _interval(each.worth.interval if each.worth else None),
        "bits": _interval(each.bits.interval),
        "named": each.named,
        "seeds": len(each.bits.rows),
        "others": _finite(each.others),
        "accused": each.accused,
    }


def _best(model: Model) -> list[dict[str, Any]]:
    """What an attacker still gets, at each budget."""
    return [
        {
            "victim": victim,
            "policy": policy,
            "measure": measure,
            "budget": lead.budget,
            "attack": lead.cell.key.attack,
            **(_interval(lead.cell.interval) or {}),
        }
        for victim, policy, measure in sorted(model.by_question)
        if measure in MEASURES
        for lead in frontier(model, victim, policy, measure)
    ]


def _costs(model: Model) -> list[dict[str, Any]]:
    return [
        found
        for victim, policy, measure in sorted(model.by_question)
        if measure in MEASURES
        for level in LEVELS
        if (found := _cost(model, victim, policy, measure, level))
    ]


def _cost(
    model: Model, victim: str, policy: str, measure: str, level: float
) -> dict[str, Any] | None:
    here = cost(model, victim, policy, measure, level)
    there = cost(model, victim, model.run.baseline, measure, level)
    if here is None:
        return None
    found = times(here, there) if there is not None else None
    return {
        "victim": victim,
        "policy": policy,
        "measure": measure,
        "level": level,
        "attack": here.attack,
        "sign": here.bound,
        "queries": here.queries,
        "served": here.served,
        "keys": here.keys,
        "seconds": here.seconds,
        "money": model.run.prices.cost(here.served, here.keys),
        "seeds_reached": _interval(here.reached),
        "multiplier": found and {"sign": found.bound, **(_interval(found.times) or {})},
    }


def _cell(cell: Cell) -> dict[str, Any]:
    return {
        "id": cell.key.anchor,
        **cell.key._asdict(),
        "strategy": cell.strategy,
        **(_interval(cell.interval) or {}),
        "seeds": {str(seed): row.value for seed, row in cell.rows.items()},
        "queries": cell.mean("queries"),
        "refused": cell.mean("refused"),
        "keys": cell.mean("keys"),
        "seconds": cell.mean("seconds"),
    }


def _interval(interval: Interval | None) -> dict[str, Any] | None:
    if interval is None:
        return None
    return {
        "value": _finite(interval.value),
        "low": _finite(interval.low),
        "high": _finite(interval.high),
        "count": interval.count,
    }


def _finite(value: float) -> float | None:
    return value if isfinite(value) else None
