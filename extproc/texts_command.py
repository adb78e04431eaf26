"""``extproc texts``: whose marks stand in texts, or in what a suspect model writes.

Rule: each tenant that could have been marked is looked at, whoever is suspected, and what is told
is corrected for how many that were (Holm); the level is nobody's to choose.  Texts prove which key
they were written with, and not who wrote them: a list can be learned and a reference repeated.
"""

import json
import math
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Final, Literal

import typer

from extproc.errors import ConfigError

if TYPE_CHECKING:
    from extproc.config.text_keys import Owner
    from extproc.marks.vocabulary import Vocabulary

LEVEL: Final = -20.0
"""log2 of the p-value at which marks are found, corrected: just below one in a million."""
FOUND: Final = 1
"""Exit code where they are."""

Texts = Annotated[
    list[Path],
    typer.Argument(
        help="A text each; of JSON lines, one a line: a string, or an object's ``text``.",
        show_default=False,
    ),
]
Policy = Annotated[Path, typer.Option(help="The policy file.", show_default=False)]
Base = Annotated[
    Path | None,
    typer.Option(envvar="EXTPROC_BASE", help="The platform's base file.", show_default=False),
]
Clean = Annotated[
    list[Path] | None,
    typer.Option(help="Texts of the same kind that nobody marked.", show_default=False),
]
Model = Annotated[
    list[str] | None,
    typer.Option(help="Whose canaries to look for: as it was asked for.", show_default=False),
]
Epoch = Annotated[int | None, typer.Option(help="Of the key; that of the policy by default.")]
Output = Annotated[Literal["text", "json"], typer.Option(help="How the result is printed.")]


@dataclass(frozen=True, slots=True)
class Finding:
    """One kind of mark of one cohort or tenant."""

    whose: str
    mark: str
    bits: float
    """log2 of the p-value."""
    seen: int | None = None
    """Words of the list's vocabulary."""
    green: float | None = None
    usual: float | None = None


def texts(  # noqa: PLR0913, PLR0917 - an option each
    texts: Texts,
    policy: Policy,
    clean: Clean = None,
    model: Model = None,
    epoch: Epoch = None,
    base: Base = None,
    output: Output = "text",
) -> int:
    """Whose marks stand in texts; exit code 1 where there are any."""
    from extproc.config import load
    from extproc.config.text_keys import owners, word_lists

    config = load(policy, base)
    said = [text for path in texts for text in read(path)]
    known = [text for path in clean or () for text in read(path)]
    found = [
        *_lists(owners(config, epoch), word_lists(config), said, known),
        *_canaries(owners(config, epoch), model or (), said),
    ]
    corrected = _corrected(found)
    rows = [_row(*each) for each in zip(found, corrected, strict=True)]
    print(json.dumps(rows, indent=2) if output == "json" else _table(rows))
    return FOUND if min(corrected, default=0.0) <= LEVEL else 0


def read(path: Path) -> list[str]:
    """The texts of a file.  Raise ConfigError where it cannot be read."""
    try:
        whole = path.read_text(encoding="utf-8")
        if path.suffix != ".jsonl":
            return [whole]
        return [_text(json.loads(line)) for line in whole.splitlines() if line.strip()]
    except (OSError, TypeError, ValueError) as error:
        wrong = error.strerror if isinstance(error, OSError) else "no JSON lines, or no UTF-8"
        raise ConfigError(f"{path} cannot be read ({wrong}); name a file of texts") from error


def _text(value: Any) -> str:
    text = value.get("text") if isinstance(value, dict) else value
    if not isinstance(text, str):
        raise TypeError("neither a text nor an object that has one")
    return text


def _lists(
    owners: "Sequence[Owner]",
    lists: "Mapping[str, Vocabulary]",
    said: Sequence[str],
    clean: Sequence[str],
) -> Iterator[Finding]:
    from extproc.marks.green_list import evidence

    for fidelity, vocabulary in lists.items():
        counts = vocabulary.counts(said)
        usual = vocabulary.counts(clean) if clean else None
        for owner in owners:
            found = evidence(counts, vocabulary, owner.green_list, usual)
            yield Finding(
                owner.whose,
                f"green list of {fidelity}",
                found.tail.at_least,
                found.seen,
                found.green,
                found.usual,
            )


def _canaries(
    owners: "Sequence[Owner]", models: Sequence[str], said: Sequence[str]
) -> Iterator[Finding]:
    from extproc.marks.canaries import of_model, recited, references

    for model in models:
        for owner in owners:
            every = references(of_model(owner.canaries, model))
            yield Finding(owner.whose, f"canaries of {model}", recited(every, said).at_least)


def _corrected(found: Sequence[Finding]) -> list[float]:
    from extproc.marks.statistics import holm

    return holm([each.bits for each in found])


def _row(finding: Finding, corrected: float) -> dict[str, Any]:
    return {
        "whose": finding.whose,
        "mark": finding.mark,
        "found": corrected <= LEVEL,
        "p_log2": _finite(finding.bits),
        "corrected_p_log2": _finite(corrected),
        "words": finding.seen,
        "green": finding.green,
        "usual": finding.usual,
    }


def _finite(bits: float) -> float:
    return round(bits, 2) if math.isfinite(bits) else -sys.float_info.max


def _table(rows: Sequence[Mapping[str, Any]]) -> str:
    lines = [f"{'whose':24} {'mark':32} {'p, corrected':>14} {'green':>7} {'usual':>7}"]
    for row in sorted(rows, key=lambda row: row["corrected_p_log2"]):
        p = f"2^{row['corrected_p_log2']:.0f}{' FOUND' if row['found'] else ''}"
        shares = [
            f"{row[name]:.1%}" if row[name] is not None else "" for name in ("green", "usual")
        ]
        lines.append(f"{row['whose']:24} {row['mark']:32} {p:>14} {shares[0]:>7} {shares[1]:>7}")
    return "\n".join(lines)


def _share(value: float | None) -> str:
    return "" if value is None else f"{value:.1%}"
