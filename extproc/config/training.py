"""What an operator declares of how the models behind a route were trained.

Rule: nobody here can check it; it is shown wherever the route is, as declared.
"""

from typing import Annotated

from msgspec import Meta, Struct

from extproc.config.limit_settings import ModelPattern


class Privacy(Struct, frozen=True, forbid_unknown_fields=True):
    """Differential privacy of each record, as training's accountant has it (Dwork and Roth, 2014,
    definition 2.4): what it counts beyond, such as how models were chosen, is to be in it.
    """

    epsilon: Annotated[float, Meta(gt=0, le=1000)]
    delta: Annotated[float, Meta(gt=0, lt=1)]
    """Below one over the number of records, or it promises little."""
    models: Annotated[tuple[ModelPattern, ...], Meta(min_length=1, max_length=100)] = ("*",)
    """Of which it holds; of several declarations, the first that names a model is its own."""


Declared = Privacy | Annotated[tuple[Privacy, ...], Meta(min_length=1, max_length=100)]
"""One of all models, or one for some models each."""


def stated(declared: Declared | None) -> tuple[Privacy, ...]:
    """All that is declared; none where nothing is."""
    match declared:
        case None:
            return ()
        case Privacy():
            return (declared,)
        case _:
            return declared
