"""Chains of mutators over many predictions at once.

Rule: bit for bit what ``mutate`` makes of them one by one, in a fraction of the time.  A chain
works so where each of its mutators does; those that draw do not, since each prediction has draws of
its own.
"""

from collections.abc import Iterable
from typing import Final

import numpy as np

from extproc.mutators.bins import Bins
from extproc.mutators.codebook import Codebook
from extproc.mutators.floor import Floor
from extproc.mutators.label_only import LabelOnly
from extproc.mutators.quantize import Quantize
from extproc.mutators.round import Round
from extproc.mutators.steps import Steps
from extproc.mutators.top_k import TopK
from extproc.mutators.truncate import Truncate
from extproc.prediction import Kind, Matrix, Tokens

ByRows = Bins | Codebook | LabelOnly | Quantize | Round | Steps | TopK | Truncate
"""``apply_rows(kind, rows)``: what a matrix of predictions of that kind becomes, itself where
nothing changed; there is at least one number in it."""

_FEW: Final = 64
"""Classes up to which numpy is quicker where those of one column stand side by side."""

ByTokens = Floor | Round | TopK
"""``apply_tokens(tokens)``: what many predictions of log probabilities become."""


def mutate_rows(mutators: Iterable[ByRows], kind: Kind, rows: Matrix) -> Matrix:
    """Pass predictions of one size through mutators in order: itself where nothing changed."""
    few = kind == "probabilities" and rows.shape[1] <= _FEW
    before = after = np.asfortranarray(rows) if few else rows
    for mutator in mutators:
        if kind not in mutator.KINDS:
            raise TypeError(f"{type(mutator).__name__} does not know {kind}")
        after = mutator.apply_rows(kind, after)
    return rows if after is before else np.ascontiguousarray(after)


def mutate_tokens(mutators: Iterable[ByTokens], tokens: Tokens) -> Tokens:
    """Pass log probabilities through mutators in order."""
    for mutator in mutators:
        tokens = mutator.apply_tokens(tokens)
    return tokens
