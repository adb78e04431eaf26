"""Marks: that each can be committed to, and is not given away by what stands beside it.

Rule (design law 12): a tier that could not keep what its marks promise is an error when the file is
loaded.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import cached_property, partial
from typing import Final

from extproc.config.document import Document
from extproc.config.settings import Settings
from extproc.config.texts import Texts
from extproc.dialects.kinds import kinds_of
from extproc.dialects.label_places import labels_apart
from extproc.draw import Draw
from extproc.fidelity import Fidelity
from extproc.marks.cells import Cells
from extproc.marks.marking import Marks
from extproc.marks.vocabulary import Vocabulary
from extproc.mutators import Mark
from extproc.route import Route

_TRUTHFUL: Final = ("votes", "tensor")
"""Kinds by which an answer may tell the likeliest class, whatever its probabilities say."""

_NO_WORDS: Final[Mapping[str, Vocabulary]] = {}


class Marker:
    """How the answers of one key epoch are marked; what all tenants share is made once, and only
    where something is marked.
    """

    def __init__(self, root: Draw, vocabularies: Mapping[str, Vocabulary] = _NO_WORDS) -> None:
        self._root, self._vocabularies = root.child(b"marks"), vocabularies

    @cached_property
    def _cells(self) -> Cells:
        return Cells(self._root.child(b"cells"))

    def of(self, tenant: str, cohort: str) -> Callable[[Mark], Marks]:
        """For a cohort, or for a tenant that has none."""
        return partial(self._marks, self.key(tenant, cohort))

    def texts(self, tenant: str, cohort: str, fidelity: Fidelity) -> Texts:
        """The same of what a tier does to texts."""
        cells = self._cells if fidelity.canary is not None else None
        return Texts(self._vocabularies, cells, self.key(tenant, cohort))

    def key(self, tenant: str, cohort: str) -> Draw:
        """Of all marks of a cohort, or of a tenant that has none."""
        return self._root.child((f"cohort {cohort}" if cohort else f"tenant {tenant}").encode())

    def _marks(self, draw: Draw, mark: Mark) -> Marks:
        return Marks(self._cells, draw, mark.rate, frozenset(mark.protected))


def check_marks(
    document: Document, settings: Settings, fidelity: Fidelity, routes: Sequence[Route]
) -> None:
    """Raise ConfigError where the tier marks what it cannot on one of the routes."""
    for index, mutator in enumerate(fidelity.mutators.get("probabilities", ())):
        if isinstance(mutator, Mark):
            place = ("fidelities", fidelity.name, "probabilities", index)
            for wrong, remedy in (*_uncommitted(settings), *_betrayed(fidelity, routes)):
                raise document.fault(place, wrong, remedy)


def _uncommitted(settings: Settings) -> Iterator[tuple[str, str]]:
    if settings.ownership is None:
        wrong = "a mark that nothing commits to costs accuracy, and proves nothing"
        yield wrong, "name a vault under ownership, or remove it"


def _betrayed(fidelity: Fidelity, routes: Sequence[Route]) -> Iterator[tuple[str, str]]:
    for route in routes:
        kinds = set(kinds_of(route.dialect))
        if "probabilities" not in kinds:
            continue
        if "label" in fidelity.mutators and labels_apart(route.dialect):
            wrong = f"{route.name} may answer the label apart, which would tell where a mark is"
            yield wrong, "remove label from this fidelity, or what the route declares one"
        for kind in sorted(kinds & set(_TRUTHFUL) & set(fidelity.mutators)):
            wrong = f"{route.name} may answer {kind}, which would tell where a mark is"
            yield wrong, f"remove {kind} from this fidelity, or mark"
