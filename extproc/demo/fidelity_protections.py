"""What each tier must keep in, and must not break, checked on real answers.

Rule: what the tiers of policy.yaml promise is said here again, and an answer is held against the
model server's own.  Where a search must find nothing, it is first shown to find what is there.
"""

import math
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from typing import Final

from extproc.demo.answer import Answer, chat, embedding, outputs, places
from extproc.demo.cases import API, CASES, Case
from extproc.demo.dialogue import REPEATS, Observed
from extproc.demo.figures import figures, shown
from extproc.demo.policy_file import TIERS
from extproc.demo.preview import cosine
from extproc.demo.verdict import Checks

_LOWERED: Final = ("standard", "coarse")
_TOP: Final = 3
_DECIMALS: Final = 2
_LEVELS: Final = {"standard": 256, "coarse": 2}
_DIMENSIONS: Final = {"standard": 384, "coarse": 64}
_COSINE: Final = {"standard": 0.999, "coarse": 0.7}
"""At least this; of one bit per component sqrt(2/pi), which is 0.8, is to be expected."""
_UNLISTED: Final = {
    "choices.message.annotations",
    "usage.prompt_tokens_details",
    "usage.completion_tokens_details",
}
_IDENTITY: Final = ("system_fingerprint", "service_tier")
_NAMELESS: Final = ("id", "created")
"""New in every answer of the chat API."""


def _pairs(
    observed: Observed,
    api: API,
    tiers: Iterable[str] = TIERS,
    chosen: Callable[[Case], bool] = lambda _: True,
) -> Iterator[tuple[str, str, Answer, Answer]]:
    """Where it was asked, the tier, what the model said, what was served.

    Raise ValueError where there is no answer to check.
    """
    for case in CASES:
        if case.api != api or not chosen(case):
            continue
        for tier in tiers:
            said, got = observed.says(case), observed.gets(case, tier)
            where = f"{case.name}, {tier}"
            if said.status != 200 or got.status != 200:
                raise ValueError(f"{where}: status {said.status} and {got.status}")
            if not said.documents or not got.documents:
                raise ValueError(f"{where}: an empty stream")
            yield where, tier, said, got


def _exact(
    observed: Observed,
    api: API,
    values: Callable[[Answer], Iterable[float]],
    chosen: Callable[[Case], bool] = lambda _: True,
) -> Iterator[str]:
    """Numbers of full precision below tier full; in full all must be found."""
    for where, tier, said, got in _pairs(observed, api, chosen=chosen):
        sought = figures(values(said))
        found = sought & shown(got)
        if tier in _LOWERED and found:
            yield f"{where}: {len(found)} of {len(sought)} exact numbers passed"
        if tier not in _LOWERED and (not sought or found != sought):
            yield f"{where}: the search finds {len(found)} of {len(sought)} that are there"


def _asks_logprobs(case: Case) -> bool:
    return "logprobs" in case.body


def _asks_logits(case: Case) -> bool:
    return "outputs" in case.body


def _asks_reasoning(case: Case) -> bool:
    return "reasoning_effort" in case.body


def _probabilities(answer: Answer) -> list[float]:
    return [float(value) for value in outputs(answer)["probabilities"]]


def no_exact_probability(observed: Observed) -> Iterator[str]:
    yield from _exact(observed, "infer", _probabilities)


def no_exact_component(observed: Observed) -> Iterator[str]:
    yield from _exact(observed, "embeddings", embedding)


def no_exact_logprob(observed: Observed) -> Iterator[str]:
    yield from _exact(observed, "chat", lambda answer: chat(answer).logprobs, _asks_logprobs)


def few_coarse_probabilities(observed: Observed) -> Iterator[str]:
    for where, tier, _, got in _pairs(observed, "infer", _LOWERED):
        told = [value for value in _probabilities(got) if value]
        if tier == "standard" and (len(told) > _TOP or not _on_grid(told)):
            yield f"{where}: {len(told)} classes, or more than {_DECIMALS} decimals"
        if tier == "coarse" and told != [1.0]:
            yield f"{where}: more than the top label"


def _on_grid(values: Iterable[float]) -> bool:
    return all(round(value, _DECIMALS) == value for value in values)


def sums_kept(observed: Observed) -> Iterator[str]:
    """The sum is that of what is shown, to half a step."""
    for where, tier, said, got in _pairs(observed, "infer", _LOWERED):
        best = sorted(_probabilities(said), reverse=True)[:_TOP]
        wanted = math.fsum(best) if tier == "standard" else 1.0
        if abs(math.fsum(_probabilities(got)) - wanted) > 0.5 * 10**-_DECIMALS + 1e-9:
            yield f"{where}: another sum"


def label_kept(observed: Observed) -> Iterator[str]:
    for where, _, said, got in _pairs(observed, "infer"):
        (label,) = outputs(said)["label"]
        if outputs(got)["label"] != [label] or _top(_probabilities(got)) != label:
            yield f"{where}: another label"


def _top(values: Sequence[float]) -> int:
    return max(range(len(values)), key=values.__getitem__)


def no_undeclared_output(observed: Observed) -> Iterator[str]:
    for where, _, said, got in _pairs(observed, "infer", chosen=_asks_logits):
        sought = figures(outputs(said)["logits"])
        if not sought:
            yield f"{where}: the model server gave no logits"
        if "logits" in outputs(got) or sought & shown(got):
            yield f"{where}: logits passed"


def coarse_embeddings(observed: Observed) -> Iterator[str]:
    for where, tier, _, got in _pairs(observed, "embeddings", _LOWERED):
        vector = embedding(got)
        if len(vector) != _DIMENSIONS[tier]:
            yield f"{where}: {len(vector)} dimensions, not {_DIMENSIONS[tier]}"
        if len(set(vector)) > _LEVELS[tier]:
            yield f"{where}: {len(set(vector))} different values, more than {_LEVELS[tier]}"


def useful_embeddings(observed: Observed) -> Iterator[str]:
    for where, tier, said, got in _pairs(observed, "embeddings", _LOWERED):
        if not cosine(embedding(got), embedding(said)) >= _COSINE[tier]:
            yield f"{where}: a cosine below {_COSINE[tier]}"


def coarse_logprobs(observed: Observed) -> Iterator[str]:
    for where, tier, _, got in _pairs(observed, "chat", _LOWERED, _asks_logprobs):
        said = chat(got)
        if tier == "coarse" and said.tokens is not None:
            yield f"{where}: logprobs passed"
        if tier == "standard" and not _whole_percents(said.logprobs):
            yield f"{where}: a probability of more than {_DECIMALS} decimals"
        if any(len(token["top_logprobs"]) > 1 for token in said.tokens or ()):
            yield f"{where}: more than one alternative"


def _whole_percents(logprobs: Collection[float]) -> bool:
    """Whether each is the log of a multiple of 0.01, as far as four decimals of a log can say."""
    percents = [100 * math.exp(logprob) for logprob in logprobs]
    return bool(percents) and all(abs(each - round(each)) < 0.01 for each in percents)


def no_reasoning(observed: Observed) -> Iterator[str]:
    for where, _, said, got in _pairs(observed, "chat", _LOWERED, _asks_reasoning):
        spoken = chat(said)
        if not spoken.reasoning or spoken.reasoning in spoken.text:
            yield f"{where}: the model server gave no reasoning of its own"
        elif spoken.reasoning in chat(got).text or "reasoning" in got.body.decode():
            yield f"{where}: reasoning passed"


def no_identity(observed: Observed) -> Iterator[str]:
    for where, _, said, got in _pairs(observed, "chat", _LOWERED):
        fingerprint = chat(said).fingerprint
        if not fingerprint:
            yield f"{where}: the model server gave no fingerprint"
        elif fingerprint.encode() in got.body or places(got) & set(_IDENTITY):
            yield f"{where}: the identity of the model passed"


def nothing_unlisted(observed: Observed) -> Iterator[str]:
    seen: set[str] = set()
    for where, _, said, got in _pairs(observed, "chat"):
        seen |= places(said)
        if passed := places(got) & _UNLISTED:
            yield f"{where}: {', '.join(sorted(passed))} passed"
    if missing := _UNLISTED - seen:
        yield f"the model server gave no {', '.join(sorted(missing))}"


def no_header(observed: Observed) -> Iterator[str]:
    for api in ("infer", "embeddings", "chat"):
        for where, _, said, got in _pairs(observed, api):
            server = said.headers.get("server")
            if not server:
                yield f"{where}: the model server gave no name"
            elif server in got.headers.values():
                yield f"{where}: the model server's name passed"


def same_again(observed: Observed) -> Iterator[str]:
    for case in CASES:
        for tier in TIERS:
            answers = observed.served[case.name, tier]
            if len({_lasting(case, answer) for answer in answers}) != 1 or len(answers) < REPEATS:
                yield f"{case.name}, {tier}: not the same every time"


def _lasting(case: Case, answer: Answer) -> bytes | str:
    if case.api != "chat":
        return answer.body
    return repr(
        [
            {name: value for name, value in document.items() if name not in _NAMELESS}
            for document in answer.documents
        ]
    )


def granted_unharmed(observed: Observed) -> Iterator[str]:
    for api in ("infer", "embeddings"):
        for where, _, said, got in _pairs(observed, api, ["full"], lambda c: not _asks_logits(c)):
            if got.body != said.body:
                yield f"{where}: other bytes"
    for where, _, said, got in _pairs(observed, "chat"):
        if chat(got).text != chat(said).text:
            yield f"{where}: another text"


FIDELITY: Final[Checks[Observed]] = {
    "no exact probability passes below tier full": no_exact_probability,
    "no exact embedding component passes below tier full": no_exact_component,
    "no exact log probability passes below tier full": no_exact_logprob,
    "probabilities: 3 classes of 2 decimals at standard, the label at coarse": (
        few_coarse_probabilities
    ),
    "probabilities still sum to what they summed to": sums_kept,
    "the top label stays the top label": label_kept,
    "an undeclared output (logits) never passes, asked for or not": no_undeclared_output,
    "embeddings: 256 values at standard, 64 dimensions of 2 values at coarse": coarse_embeddings,
    "embeddings stay useful: cosine 0.999 at standard, 0.7 at coarse": useful_embeddings,
    "log probabilities: whole percents, 1 alternative at standard, null at coarse": coarse_logprobs,
    "hidden reasoning does not pass below tier full": no_reasoning,
    "the model's fingerprint does not pass below tier full": no_identity,
    "fields that no API lists never pass": nothing_unlisted,
    "header fields of the model server never pass": no_header,
    "asking again, 5 times, gives the same answer": same_again,
    "what a tier grants passes unharmed": granted_unharmed,
}
