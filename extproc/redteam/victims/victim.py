"""What is known of a victim."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from extproc.redteam.adapters.adapter import ClassifierAdapter, EmbeddingAdapter
from extproc.redteam.answers import Floats, Ints


@dataclass(frozen=True, slots=True)
class Secret:
    """A classifier's inputs that only the judge sees: [N, d] with their true labels [N]."""

    test: Floats
    truth: Ints
    members: Floats
    """Inputs it was trained on, for membership inference."""
    member_truth: Ints
    others: Floats
    """As many it was not trained on, of the same kind; none of them in ``test``."""
    other_truth: Ints


@dataclass(frozen=True, slots=True)
class ClassifierVictim:
    name: str
    about: str
    """One sentence for the report."""
    adapter: ClassifierAdapter
    dimensions: int
    classes: int
    low: Floats
    high: Floats
    """Bounds of inputs [d]."""
    task: Floats
    """Inputs like the model's own, without labels [N, d]: what a data-rich attacker has."""
    natural: Floats
    """Natural inputs of another kind, in the same format [M, d]."""
    secret: Secret
    linear: bool = False
    """Whether its logits are linear in the input, as its documentation says."""
    real: int = 200
    """Rows of ``task`` that come first and are no mixtures of others; no more than there are."""
    slow: bool = False
    """Whether an answer takes it ten milliseconds; it is judged on a tenth of the inputs."""


@dataclass(frozen=True, slots=True)
class EmbeddingVictim:
    name: str
    about: str
    adapter: EmbeddingAdapter
    dimensions: int
    task: Sequence[str]
    """Texts an attacker has."""
    test: Sequence[str]
    """Texts only the judge has, and their topics."""
    topics: Ints
    base: EmbeddingAdapter | None = None
    """How the public model that it was made from is asked, at `Scene.public`."""


@dataclass(frozen=True, slots=True)
class LanguageVictim:
    name: str
    about: str
    vocabulary: int
    """Tokens; anybody can read the tokenizer's size."""
    hidden: int
    """The secret: the size of its last hidden state."""
    prompts: Sequence[str]
    parameters: dict[str, Any]
    """Fields of every request, such as ``model``."""


Victim = ClassifierVictim | EmbeddingVictim | LanguageVictim
