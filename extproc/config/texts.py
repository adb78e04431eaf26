"""Marks of texts: that each route can do what a tier asks of it, and that no answer gives it away.

Rule (design law 12): a model server that takes no bias, a stream that a canary cannot stand behind
and log probabilities that would show the list are errors when the file is loaded.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import msgspec

from extproc.config.document import Document, Place
from extproc.config.settings import Settings
from extproc.dialects import OpenAIChat, OpenAICompletions
from extproc.dialects.gate import Json, gate_of
from extproc.dialects.kinds import kinds_of
from extproc.draw import Draw
from extproc.errors import Malformed
from extproc.fidelity import Fidelity
from extproc.marks import green_list
from extproc.marks.canaries import Canaries
from extproc.marks.cells import Cells
from extproc.marks.pledge import Pledge
from extproc.marks.vocabulary import Vocabulary, read
from extproc.marks.writing import Canary, GreenList, Processor, Writing
from extproc.route import Route

BIAS: Final = "logit_bias"
ARGUMENTS: Final = "vllm_xargs"
LARGEST: Final = 1 << 20
"""Octets of a vocabulary's file."""
EXACT: Final = 1 << 53
"""What every reader of JSON takes for the same whole number."""
_WRITE: Final = "make one by `extproc ownership vocabulary`"


@dataclass(frozen=True, slots=True)
class Texts:
    """How texts are marked for one cohort, or for a tenant that has none."""

    vocabularies: Mapping[str, Vocabulary]
    """By the name of the fidelity."""
    cells: Cells | None
    """None where there are no canaries."""
    key: Draw
    """Of the key epoch, and of whoever it is for."""

    def imposed(self, fidelity: Fidelity) -> Mapping[str, Json]:
        """Fields of requests at a tier that are ours."""
        fields: dict[str, Json] = {}
        for writing in fidelity.writings:
            match writing:
                case GreenList(_, strength):
                    words = self.vocabularies[fidelity.name]
                    fields[BIAS] = green_list.bias(words, list_key(self.key, words), strength)
                case Processor(arguments, name):
                    own = {name: processor_key(self.key).below(EXACT)} if name else {}
                    fields[ARGUMENTS] = {**arguments, **own}
                case Canary():
                    pass
        return fields

    def pledges(self, fidelity: Fidelity) -> tuple[Pledge, ...]:
        """What is committed to of that, as often as it is used."""
        found = []
        for writing in fidelity.writings:
            match writing:
                case GreenList():
                    words = self.vocabularies[fidelity.name]
                    key = list_key(self.key, words)
                    found.append(Pledge("green_list", key, words.json, key.key.hex()))
                case Processor(arguments, name) if name:
                    key = processor_key(self.key)
                    own = str(key.below(EXACT))
                    found.append(Pledge("processor", key, msgspec.json.encode(arguments), own))
        return tuple(found)

    def canaries(self, fidelity: Fidelity) -> Canaries | None:
        canary, cells = fidelity.canary, self.cells
        if canary is None or cells is None:
            return None
        return Canaries(cells, canary_key(self.key), canary.rate, canary.wording)


def list_key(key: Draw, vocabulary: Vocabulary) -> Draw:
    """Of one green list of whoever this is the key of."""
    return green_list.of_vocabulary(key.child(b"green list"), vocabulary)


def processor_key(key: Draw) -> Draw:
    """Of whoever this is the key of: what a logits processor marks by."""
    return key.child(b"processor")


def canary_key(key: Draw) -> Draw:
    """Of all canaries of whoever this is the key of."""
    return key.child(b"canaries")


def marks_texts(settings: Settings) -> bool:
    """Whether any tier does."""
    chains = [kinds.get("text", ()) for kinds in settings.fidelities.values()]
    return any(isinstance(each, Writing) for chain in chains for each in chain)


def vocabularies(document: Document, settings: Settings) -> dict[str, Vocabulary]:
    """By the name of each fidelity that has one.  Raise ConfigError where it cannot be used."""
    found = {}
    for name, kinds in settings.fidelities.items():
        for index, writing in enumerate(kinds.get("text", ())):
            if isinstance(writing, GreenList):
                place = ("fidelities", name, "text", index, "vocabulary")
                found[name] = _vocabulary(document, place, writing.vocabulary)
    return found


def _vocabulary(document: Document, place: Place, path: str) -> Vocabulary:
    file = document.folder(place) / path
    try:
        content = document.files.read(file, LARGEST)
    except OSError as error:
        raise document.fault(place, f"{file} cannot be read ({error.strerror})", _WRITE) from error
    if len(content) > LARGEST:
        raise document.fault(place, f"larger than {LARGEST} bytes", "name fewer words")
    try:
        return read(content)
    except Malformed as error:
        raise document.fault(place, str(error), _WRITE) from error


def check_texts(
    document: Document, settings: Settings, fidelity: Fidelity, routes: Sequence[Route]
) -> None:
    """Raise ConfigError where the tier marks texts as it cannot on one of the routes."""
    if not fidelity.writings:
        return
    chain = settings.fidelities[fidelity.name]["text"]
    for index, writing in enumerate(chain):
        if not isinstance(writing, Writing):
            continue
        place: Place = ("fidelities", fidelity.name, "text", index)
        wrongs = [*_twice(writing, chain[:index]), *_idle(writing)]
        wrongs += _uncommitted(writing, settings)
        for route in routes:
            if "text" in kinds_of(route.dialect):
                wrongs += [*_unable(writing, route), *_betrayed(fidelity, route)]
        for wrong, remedy in wrongs:
            raise document.fault(place, wrong, remedy)


def _twice(writing: Writing, before: Sequence[object]) -> Iterator[tuple[str, str]]:
    if any(type(writing) is type(other) for other in before):
        yield f"{_name(writing)} stands there twice", "remove one of the two"


def _idle(writing: Writing) -> Iterator[tuple[str, str]]:
    match writing:
        case Processor(arguments, "") if not arguments:
            wrong = "vllm_processor without arguments and key does nothing"
            yield wrong, "name the argument that is the key, or remove it"
        case Processor(arguments, key) if key in arguments:
            wrong = f"arguments: {key} is the key, which is each cohort's own"
            yield wrong, f"remove {key} from arguments, or name another key"


def _uncommitted(writing: Writing, settings: Settings) -> Iterator[tuple[str, str]]:
    if settings.ownership is None:
        wrong = f"{_name(writing)} that nothing commits to proves nothing"
        yield wrong, "name a vault under ownership, or remove it"


def _unable(writing: Writing, route: Route) -> Iterator[tuple[str, str]]:
    if isinstance(writing, Canary):
        if not isinstance(route.dialect, OpenAIChat | OpenAICompletions):
            wrong = f"{route.name} answers texts that nothing can stand behind"
            yield wrong, "remove canary from this fidelity, or the route"
        return
    gate: Any = gate_of(route.dialect.read)
    field = BIAS if isinstance(writing, GreenList) else ARGUMENTS
    if gate is None or field not in gate.fields:
        wrong = f"{route.name} speaks an API without {field}"
        yield wrong, f"remove {_name(writing)} from this fidelity, or the route"


def _betrayed(fidelity: Fidelity, route: Route) -> Iterator[tuple[str, str]]:
    if "logprobs" in fidelity.mutators and "logprobs" in kinds_of(route.dialect):
        wrong = f"{route.name} may answer logprobs, which would tell how texts are marked"
        yield wrong, "remove logprobs from this fidelity, or what marks its texts"


def _name(writing: Any) -> str:
    return str(writing.__struct_config__.tag)
