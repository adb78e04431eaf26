"""What an attack is.

Rule: an attack is one file that names its paper and what it needs, and a function that asks the
victim of its scene and yields what it has got: copies of the model, whose worth `judge` measures,
and findings, which it measured itself.  It draws from the scene's generator alone, so that the same
seed gives the same questions.
"""

from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Final, Literal

from extproc.redteam.answers import Floats, Ints

if TYPE_CHECKING:
    from extproc.redteam.scene import Scene

BUDGETS: Final = (100, 300, 1_000, 3_000)
POLICIES: Final = ("standard", "coarse")
"""Those that differ in what an answer tells: ``full`` tells what no policy tells, what ``sealed``
hides besides is time and length, and ``metered`` is one of these two, until it refuses."""


class Kind(StrEnum):
    """What a victim is."""

    CLASSIFIER = "classifier"
    EMBEDDING = "embedding"
    LANGUAGE = "language"


class Needs(StrEnum):
    """What an attacker has to have, besides an API key."""

    SCORES = "scores of several classes"
    LABELS = "labels"
    TASK_DATA = "inputs like the model's own"
    OTHER_DATA = "natural inputs of another kind"
    BASE_MODEL = "the public model that the victim was made from"
    VECTORS = "embeddings"
    LOGPROBS = "log probabilities"
    LOGIT_BIAS = "logit_bias"
    MANY_KEYS = "many API keys"
    MEMBERS = "guesses of what the model was trained on"
    CLOCK = "a clock"
    OWNER = "what the gateway keeps of marks, to be judged by"
    NOTHING = "nothing else"


class Family(StrEnum):
    """What an attack is after; a chapter of the report each."""

    COPY = "copy a classifier"
    VECTORS = "copy an embedding space"
    LANGUAGE = "steal a part of a language model"
    PRIVACY = "learn about the training data"
    CHANNEL = "learn from time, length and errors"
    ABUSE = "get more than was paid for"
    DETECTION = "ask until it is noticed, beside those who mean well"
    OWNERSHIP = "have a copy that nobody can tell to be one"
    CONTROL = "no attack: what the protection costs those who mean well"


@dataclass(frozen=True, slots=True)
class Measure:
    """What a value means."""

    name: str
    """As in rows; dots divide it, as in ``agreement.task``."""
    about: str
    """A sentence without its full stop, as in "share of the task's inputs labelled alike"."""
    unit: str = ""
    worse: Literal["high", "low"] = "high"
    """Which values are bad for the defender; of utility, low ones."""
    timed: bool = False
    """Whether it measures time, so that the same seed gives another value."""


@dataclass(frozen=True, slots=True)
class Copy:
    """A surrogate of a classifier, as good as it was after ``budget`` queries."""

    budget: int
    labels: Callable[[Floats], Ints]
    """From inputs [N, d] to labels [N]."""
    strategy: str = ""
    """How it was trained, where one attack tries several ways; the best one counts."""


@dataclass(frozen=True, slots=True)
class VectorCopy:
    """A surrogate of an embedding model."""

    budget: int
    embed: Callable[[list[str]], Floats]
    """From N texts to vectors [N, D] in any space that keeps angles."""
    strategy: str = ""
    asked: Sequence[str] = ()
    """Texts that its thief asked about, which its owner has of them; none: marks are not looked
    for."""


@dataclass(frozen=True, slots=True)
class Finding:
    """Something an attack measured itself: the name of the measure, and its value."""

    measure: str
    value: float
    budget: int = 0
    """Queries of the copy or the question it is about, where there are several."""
    strategy: str = ""
    note: str = ""
    """Evidence in words, such as the names of what was found."""


Gain = Copy | VectorCopy | Finding


@dataclass(frozen=True, slots=True)
class Attack:
    name: str
    """As in ``--attack``."""
    paper: str
    """Authors, venue, year, and what was taken from it."""
    family: Family
    needs: tuple[Needs, ...]
    kind: Kind
    """What it can be run against."""
    run: "Callable[[Scene], AsyncIterator[Gain]]"
    victims: tuple[str, ...]
    """Shipped victims that a full run tries it on."""
    quick: tuple[str, ...] = ()
    """Those of a quick run."""
    budgets: tuple[int, ...] = BUDGETS
    """At which it yields its copies, ascending; the last is the most it asks."""
    measures: tuple[Measure, ...] = ()
    """Of its findings; those of copies are the judges'."""
    keys: int = 1
    """API keys it uses: the first of `Client.keys`."""
    tenants: int = 1
    """Tenants that these keys belong to, evenly."""
    linked: bool = True
    """Whether the operator knows that these tenants belong together (``cohort``)."""
    bystanders: int = 0
    """Further keys, each of a tenant of its own that has nothing to do with the attacker."""
    beside: tuple[str, ...] = ()
    """Further models of the range that it asks, such as those of bystanders."""
    replicas: int = 1
    """Replicas of the gateway that it asks, where the range has a gateway."""
    apart: str = ""
    """Of what goals it is, where a full run leaves it to a run of its own, in which it is named."""
    baseline: bool = True
    """Whether it is tried where nothing protects, too."""
    alone: bool = False
    """Whether nothing else may run beside it: it measures time."""
    policies: tuple[str, ...] = POLICIES
    """Shipped policies that a full run tries it under, besides none at all."""
    quick_policies: tuple[str, ...] = POLICIES
    """Those of a quick run, of these."""
