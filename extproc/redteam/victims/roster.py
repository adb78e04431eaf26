"""The shipped victims, by name."""

from collections.abc import Callable, Mapping
from typing import Final

from extproc.redteam.victims import digits, digits_private, magika, minilm, tabular, tiny_lm
from extproc.redteam.victims.victim import Victim

VICTIMS: Final[Mapping[str, Callable[[], Victim]]] = {
    "digits": digits.regression,
    "digits-mlp": digits.perceptron,
    "digits-forest": digits.forest,
    "digits-plain": digits_private.plain,
    "digits-dp-8": digits_private.private_8,
    "digits-dp-3": digits_private.private_3,
    "digits-teachers": digits_private.teachers,
    "cancer": tabular.cancer,
    "wine": tabular.wine,
    "magika": magika.victim,
    "minilm": minilm.public,
    "minilm-private": minilm.private,
    "tiny-lm": tiny_lm.victim,
}
"""Each is made when it is first needed."""
