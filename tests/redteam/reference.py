"""Our attacks beside the numbers of the reference: python -m tests.redteam.reference.

Rule: no gateway; the victims are of the kinds that the reference names, in this process, and answer
in its modes.  Ours are measured here, in every run; the others are constants of
`reference_numbers`.
"""

import argparse
import asyncio
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Final

from extproc.redteam.attack import Attack
from extproc.redteam.attacks import data_free, distillation, equation_solving, label_boundary
from tests.redteam.comparison import SEEDS, Best, best, by_budget, shown, table, verdict
from tests.redteam.digits_tasks import accuracy, task
from tests.redteam.local_scene import Known, Serve, cancer, digits, gains, label, raw, rounded
from tests.redteam.reference_numbers import (
    ACCURACIES,
    BUDGETS,
    CANCER,
    CANCER_BUDGETS,
    DIGITS,
    DIGITS_BUDGETS,
    DISTILLED,
    Solved,
)

POOL: Final = 6_000
"""Inputs of a thief who has some of the model's kind."""
SIMILAR: Final = (distillation.ATTACK,)
WITHOUT_DATA: Final = (data_free.ATTACK, equation_solving.ATTACK)
FROM_SCORES: Final = (equation_solving.ATTACK,)
FROM_LABELS: Final = (equation_solving.ATTACK, label_boundary.ATTACK)
"""The second one has some inputs of the model's kind to begin with."""
SERVED: Final[Mapping[str, Serve]] = {
    "raw": raw,
    "4 decimals": rounded(4),
    "2 decimals": rounded(2),
    "1 decimal": rounded(1),
    "label": label,
}
HEADS: Final = ("victim", "answers", "inputs", "queries", "ours", "by", "reference", "ours is")
ABOUT: Final = f"""# Our attacks beside the reference's numbers

`python -m tests.redteam.reference --markdown docs/redteam/reference.md` wrote this file: it attacks
models in its own process, without a gateway, over {len(SEEDS)} seeds, and measures agreement with
the victim. The column "reference" is not measured here: these are numbers measured with
scikit-learn victims, over three seeds, of thieves and splits of data that are not ours.
"At least as strong": our mean is no lower. "Weaker": our whole 95 % interval, which is wide over
{len(SEEDS)} seeds, lies below. Of several attacks of ours the best by its mean counts, for each row
apart.

A thief of ours picks among surrogates by validation on what it asked about, never by the judge.
From {BUDGETS[0]} made-up inputs that choice is a draw: surrogates that validate alike differ by
tenths on real ones.
"""


def _victims() -> str:
    """What makes ours harder to agree with, or easier."""
    read = ", ".join(
        f"{accuracy(name):.3f} (the reference's {theirs:.3f}; {name})"
        for name, theirs in ACCURACIES.items()
    )
    return (
        f"Of the judge's digits our victims read rightly: {read}. Who errs more is copied worse.\n"
    )


def distilled() -> Iterator[list[str]]:
    for victim, mode, similar, random in DISTILLED:
        kinds = (("like its own", SIMILAR, similar), ("made up", WITHOUT_DATA, random))
        for inputs, attacks, reference in kinds:
            yield from _compared(victim, mode, inputs, attacks, reference)


def _compared(
    victim: str, mode: str, inputs: str, attacks: Sequence[Attack], reference: Sequence[float]
) -> Iterator[list[str]]:
    measured = {each.name: by_budget(each, task(victim, POOL), BUDGETS, mode) for each in attacks}
    for budget, theirs in zip(BUDGETS, reference, strict=True):
        ours = best({name: found[budget] for name, found in measured.items()})
        yield _row(victim, mode, inputs, budget, ours, theirs)


def solved(
    known: Known, budgets: Sequence[int], reference: Sequence[Solved]
) -> Iterator[list[str]]:
    for mode, pairs in reference:
        attacks = FROM_LABELS if mode == "label" else FROM_SCORES
        measured = {each.name: _measured(each, known, SERVED[mode], budgets) for each in attacks}
        for budget, (real, random) in zip(budgets, pairs, strict=True):
            for inputs, theirs in (("real", real), ("random", random)):
                ours = best({name: found[budget, inputs] for name, found in measured.items()})
                yield _row(known.victim.name, mode, inputs, budget, ours, theirs)


def _measured(
    attack: Attack, known: Known, serve: Serve, budgets: Sequence[int]
) -> dict[tuple[int, str], list[float]]:
    """For each budget anew, as a thief who has no more would spread it."""
    judged = {"real": known.test, "random": known.uniform()}
    found: dict[tuple[int, str], list[float]] = {}
    for budget in budgets:
        for seed in SEEDS:
            scene = known.scene(serve, [budget], seed)
            copies, _ = asyncio.run(gains(attack, scene))
            for kind, inputs in judged.items():
                worths = [known.agreement(copy.labels, inputs) for copy in copies.get(budget, [])]
                found.setdefault((budget, kind), []).append(max(worths, default=0.0))
    return found


def _row(victim: str, mode: str, inputs: str, budget: int, ours: Best, theirs: float) -> list[str]:
    said = verdict(ours.agreement, theirs)
    return [
        *(victim, mode, inputs, f"{budget:,}", shown(ours.agreement), ours.name),
        *(f"{theirs:.3f}", said),
    ]


def _counted(rows: Sequence[Sequence[str]]) -> str:
    counts = Counter(row[-1] for row in rows)
    return ", ".join(f"{said}: {count}" for said, count in counts.most_common())


def document() -> str:
    copied = list(distilled())
    equations = [
        *solved(cancer(), CANCER_BUDGETS, CANCER),
        *solved(digits(), DIGITS_BUDGETS, DIGITS),
    ]
    return "\n".join(
        [
            ABOUT,
            _victims(),
            f"## Distillation\n\nOf {len(copied)} rows, {_counted(copied)}.\n",
            f"{table(HEADS, copied)}\n",
            f"## Equation solving\n\nOf {len(equations)} rows, {_counted(equations)}.",
            "Inputs are those that the copy is judged on. The questions of equation-solving are",
            'made for "random"; label-boundary, for labels alone, has inputs of the task too.\n',
            f"{table(HEADS, equations)}\n",
        ]
    )


def main() -> None:
    parser = argparse.ArgumentParser(description="Our attacks beside the reference's numbers.")
    parser.add_argument("--markdown", type=Path, help="a file to write, instead of printing")
    into: Path | None = parser.parse_args().markdown
    text = document()
    if into is None:
        print(text)
        return
    into.parent.mkdir(parents=True, exist_ok=True)
    into.write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
