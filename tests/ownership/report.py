"""What a trial found, in Markdown."""

from collections.abc import Iterator, Sequence

from extproc.ownership import wording
from tests.ownership.trial import Clean, Row


def of_copies(asked: int, keys: int, rows: Sequence[Row]) -> str:
    return "\n".join(_copies(asked, keys, rows))


def of_growth(keys: int, found: Sequence[tuple[int, Sequence[Row]]]) -> str:
    return "\n".join(_growth(keys, found))


def of_clean(found: Clean) -> str:
    return "\n".join(_clean(found))


def _copies(asked: int, keys: int, rows: Sequence[Row]) -> Iterator[str]:
    marks, controls = rows[0].thief.marks.cells, rows[0].thief.controls.cells
    yield (
        f"A softmax regression of digits, marked at 0.5 %; the thief asks about {asked:,} patches"
        f" of photographs, which is some {marks} marks and {controls} controls, a bystander"
        f" about as many others; the worst of {keys} keys."
    )
    yield ""
    yield "| copy | agrees with the model | marks | controls | by chance | the bystander |"
    yield "|---|---:|---:|---:|---:|---|"
    for row in rows:
        yield (
            f"| {row.name} | {row.agreement:.1%} | {wording.agreeing(row.thief.marks)} |"
            f" {wording.agreeing(row.thief.controls)} | {wording.chance(row.thief.corrected)} |"
            f" {wording.chance(row.bystander.corrected)} |"
        )


def _growth(keys: int, found: Sequence[tuple[int, Sequence[Row]]]) -> Iterator[str]:
    names = [row.name for row in found[0][1]]
    yield f"| asked | marks | {' | '.join(names)} |"
    yield f"|---:|---:|{'---:|' * len(names)}"
    for asked, rows in found:
        bits = " | ".join(wording.chance(row.thief.corrected) for row in rows)
        yield f"| {asked:,} | {min(row.thief.marks.cells for row in rows)} | {bits} |"
    yield ""
    yield f"The worst of {keys} keys."


def _clean(found: Clean) -> Iterator[str]:
    yield "| p-value at most | share of clean models |"
    yield "|---:|---:|"
    for level, share in found.levels:
        yield f"| {level:g} | {share:.2%} |"
    yield ""
    yield (
        f"{found.models:,} perceptrons that were taught digits by people's labels, each by 600"
        f" images of its own, and judged under a key of its own. The least p-value is"
        f" {wording.chance(found.least)}; {found.below} are below 0.001. Randomised within"
        f" what is exactly as many, they are uniform: Kolmogorov and Smirnov's p-value is"
        f" {found.uniform:.2f}."
    )
