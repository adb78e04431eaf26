"""Scores as OpenAI's APIs report them: one number, and a number for each category of moderation.

Rule: the categories are independent of each other: several may be near 1, and their sum means
nothing.  So each is a ``score`` of its own; as ``probabilities`` they would be rounded to a sum,
and label_only would name one category where two are flagged.  Which are flagged is a ``label``.
"""

import math
from typing import Final

from extproc.dialects.mutation import Edit
from extproc.dialects.shape import ABSENT, Fields, Gate, Items, Json, Keep, Leaf, Opaque
from extproc.errors import UpstreamError
from extproc.prediction import Score

CATEGORIES: Final = (
    "harassment",
    "harassment/threatening",
    "hate",
    "hate/threatening",
    "illicit",
    "illicit/violent",
    "self-harm",
    "self-harm/instructions",
    "self-harm/intent",
    "sexual",
    "sexual/minors",
    "violence",
    "violence/graphic",
)


def number(value: Json, place: str) -> float:
    if type(value) not in {int, float} or not math.isfinite(value):
        raise UpstreamError(f"{place} is not a finite number")
    return float(value)


def _score(value: Json, edit: Edit, place: str) -> Json:
    before = Score(number(value, place))
    after = edit(before)
    if after is None:
        return ABSENT
    if not isinstance(after, Score):
        raise TypeError(f"a mutator made {type(after).__name__} of a score")
    return value if after is before else after.value


SCORE: Final = Leaf("score", _score)

MODERATED: Final = Fields(
    {
        "type": Keep(),
        "model": Opaque("identity"),
        "flagged": Opaque("label"),
        "categories": Gate("label", Fields(dict.fromkeys(CATEGORIES, Keep()))),
        "category_applied_input_types": Gate(
            "label", Fields(dict.fromkeys(CATEGORIES, Items(Keep())))
        ),
        "category_scores": Gate("score", Fields(dict.fromkeys(CATEGORIES, SCORE)), nulled=True),
    }
)
"""What one input, or one output, was judged to be."""

MODERATION: Final = Fields(
    dict.fromkeys(
        ("input", "output"),
        Fields({**MODERATED.fields, "results": Items(MODERATED)}),
    )
)
"""The judgement of a request and its answer, beside the answer."""
