"""How exposed a surface is, and why: rules, each about one setting.

Rule: a rule says what is missing, and a surface is as exposed as its worst reason.  So a protection
that is added takes a reason away, or replaces it by a lesser one, and never makes it worse (a test
adds them at random); and nothing is weighed against anything, since nobody knows the weights.
"""

from collections.abc import Iterator, Mapping
from typing import Final

from extproc.inventory.report import Rating, Reason, Surface, Told, ranked
from extproc.prediction import Kind

EXACT: Final = 16.0
"""Bits of a number above which it counts as exact: as many as half precision has."""
FEW: Final = 1.0
"""Bits of a number up to which it is a sign, or a label."""
STRONG: Final = 2
"""What a credential needs to be more than a secret that is copied."""


def reasons_of(surface: Surface) -> tuple[Reason, ...]:
    """Worst first; in the shadow only what does not come of the shadow, and that it is one."""
    if not surface.telling:
        return ()
    found = [*_of_mode(surface), *_of_fields(surface), *_of_credentials(surface)]
    found += _of_training(surface)
    if not surface.shadow:
        found += [reason for told in surface.told for reason in _of_kind(told)]
        found += [*_of_limits(surface), *_of_request(surface), *_of_shape(surface)]
    return ranked(found)


def _of_kind(told: Told) -> Iterator[Reason]:
    if told.private == "uncounted":
        yield _uncounted(told.kind)
    match told.kind:
        case "embedding":
            yield _of_vectors(told)
        case "votes":
            yield _of_votes(told)
        case "probabilities" | "score" | "logprobs":
            yield _of_numbers(told)
        case kind:
            yield Reason(*_AS_IT_IS[kind])


def _uncounted(kind: Kind) -> Reason:
    """What votes hide is what a model was trained on; of other kinds it is each answer alone."""
    rating = Rating.HIGH if kind == "votes" else Rating.LOW
    what = f"{kind} are answered privately, and nobody counts how much is told in all"
    budget = "{name: private, count: privacy, epsilon: 2, delta: 1e-5, per: tenant}"
    return Reason(rating, what, f"budgets: [{budget}]")


_LEARNED: Final = "it is what is asked for, and what a copy learns from"
_LIMITED: Final = "limits per day, and a look at the audit log"
_AS_IT_IS: Final[Mapping[Kind, tuple[Rating, str, str]]] = {
    "tensor": (
        Rating.CRITICAL,
        "tensors that nobody declared pass whole: logits and hidden states among them",
        "declare the outputs, and drop tensor",
    ),
    "reasoning": (
        Rating.MODERATE,
        "what the model writes to itself passes: the best there is to train a copy on",
        "drop reasoning",
    ),
    "usage_detail": (
        Rating.MODERATE,
        "counts of cached and thought tokens pass: they tell what others have asked",
        "drop usage_detail",
    ),
    "timing": (
        Rating.MODERATE,
        "durations pass: they tell what was cached, and how large the model is",
        "drop timing",
    ),
    "identity": (
        Rating.LOW,
        "names of snapshots pass: they tell when the model changed",
        "drop identity",
    ),
    "usage": (
        Rating.LOW,
        "counts of tokens pass: they tell how long a text is, also one that is not shown",
        "drop usage, where nobody is billed by it",
    ),
    "text": (Rating.LOW, f"text passes as it is: {_LEARNED}", _LIMITED),
    "label": (Rating.LOW, f"labels pass as they are: {_LEARNED}", _LIMITED),
}


def _of_vectors(told: Told) -> Reason:
    if told.number > EXACT and not told.own_space:
        what = "embeddings pass exactly, in the model's own space: any two keys can be pooled"
        return Reason(
            Rating.CRITICAL, what, "embedding: [{kind: rotate}, {kind: quantize, bits: 8}]"
        )
    if told.number > EXACT:
        what = "embeddings pass exactly, if in a space of the tenant's own"
        return Reason(Rating.HIGH, what, "{kind: quantize, bits: 8} behind rotate")
    if told.number > FEW and not told.own_space:
        what = "embeddings pass coarsely, in the model's own space: what is known of it fits them"
        return Reason(Rating.MODERATE, what, "{kind: rotate} before, or {kind: quantize, bits: 1}")
    if told.number > FEW:
        what = "embeddings pass coarsely: many of them still teach a copy"
        return Reason(
            Rating.MODERATE, what, "{kind: quantize, bits: 1}, or {kind: hash, bits: 256}"
        )
    what = "embeddings pass as signs: enough to find neighbours, and slow to learn from"
    return Reason(Rating.LOW, what, "limits per day")


_COARSER: Final = {
    "probabilities": "[{kind: top_k, k: 3}, {kind: round, digits: 2}], or {kind: label_only}",
    "score": "{kind: steps, least: 0, step: 0.1, values: 11}: rounding alone leaves any magnitude",
    "logprobs": "[{kind: top_k, k: 1}, {kind: floor, steps: 100}], or drop logprobs",
}


def _of_numbers(told: Told) -> Reason:
    named = "scores" if told.kind == "score" else told.kind
    if told.number > EXACT:
        what = f"{named} pass exactly: a few of them are equations for the model's weights"
        return Reason(Rating.HIGH, what, f"{told.kind}: {_COARSER[told.kind]}")
    if told.number > FEW:
        what = f"{named} pass coarsely: more of them do what a few exact ones would"
        return Reason(Rating.MODERATE, what, f"fewer digits or values, or drop {told.kind}")
    what = f"of {named} passes which, and not how sure: a copy still learns, from more answers"
    return Reason(Rating.LOW, what, "limits per day")


def _of_votes(told: Told) -> Reason:
    if told.number > FEW:
        what = "votes pass as they are: of some inputs they tell what each member was trained on"
        remedy = "votes: [{kind: noisy_max, noise: gaussian, scale: 40}]"
        return Reason(Rating.CRITICAL, what, remedy)
    what = "of votes passes which class has most, under noise: a copy still learns from it"
    return Reason(Rating.LOW, what, "limits per day")


def _of_mode(surface: Surface) -> Iterator[Reason]:
    if surface.shadow:
        what = "mode shadow: any model, any request and all of an answer pass, whatever is said"
        yield Reason(Rating.CRITICAL, what, "mode: enforce")


def _of_fields(surface: Surface) -> Iterator[Reason]:
    if surface.kept:
        what = f"{surface.kept} fields of an answer pass unread, whatever they hold"
        yield Reason(Rating.HIGH, what, "declare what they are, or take them out of the route")
    if surface.request.unread:
        what = f"{surface.request.unread} fields of a request go on unread, whatever they ask for"
        yield Reason(Rating.MODERATE, what, "name the values they may have, or take them out")


def _of_limits(surface: Surface) -> Iterator[Reason]:
    access = surface.access
    if access.principal_day == float("inf"):
        limit = "{name: daily, per: tenant, count: requests, max: 10000, window: 1d}"
        what = "no limit: a caller asks as often as the model server can answer"
        yield Reason(Rating.HIGH, what, f"limits: [{limit}]")
    elif access.tenant_day == float("inf"):
        what = "limits count each principal: a tenant with more keys asks more often"
        yield Reason(Rating.MODERATE, what, "a limit with per: tenant")


def _of_request(surface: Surface) -> Iterator[Reason]:
    request = surface.request
    for name, most, feature in (
        ("inputs", request.inputs, "batch: 16"),
        ("answers to one input", request.choices, "choices: 1"),
        ("tokens", request.tokens, "max_tokens: 512"),
    ):
        if most == float("inf"):
            what = f"one request may ask for any number of {name}, and limits count it once"
            yield Reason(Rating.MODERATE, what, f"allow: {{{feature}}}")
    if request.repeatable and any(told.kind in {"text", "logprobs"} for told in surface.told):
        what = "requests may fix what is drawn at random, which shows the model without its noise"
        yield Reason(Rating.LOW, what, "repeatable: false")
    if not request.validated:
        what = "requests are held to the dialect and to caps, and to nothing that the model expects"
        yield Reason(Rating.LOW, what, "input, on the route: sizes, a schema, ranges")


def _of_credentials(surface: Surface) -> Iterator[Reason]:
    telling = [told.kind for told in surface.told if _tells_much(told)]
    if telling and surface.access.strength < STRONG:
        what = f"{' and '.join(telling)} can be had with a credential of strength "
        what += f"{surface.access.strength}: one that whoever copies it has"
        remedy = "risk: high on the route, and high_risk in the policies that need it"
        yield Reason(Rating.MODERATE, what, remedy)


def _of_training(surface: Surface) -> Iterator[Reason]:
    """Of what tells most of a model, and so of those it was trained on."""
    if surface.high_risk and not surface.training:
        what = "nothing is declared of training: answers may tell who was trained on"
        remedy = "training_privacy: {epsilon: 8, delta: 1.0e-5} on the route, if it is so"
        yield Reason(Rating.LOW, what, remedy)


def _tells_much(told: Told) -> bool:
    exact = told.kind in {"probabilities", "votes", "score", "logprobs"} and told.number > EXACT
    return told.kind in {"embedding", "tensor"} or exact


def _of_shape(surface: Surface) -> Iterator[Reason]:
    shape = surface.shape
    if shape.grid is None:
        what = "answers leave when they are ready: the time tells caches and lengths"
        yield Reason(Rating.LOW, what, "timing: {grid: 250ms}")
    if shape.length is None:
        what = "answers are as long as they are, also to whoever only sees the wire"
        yield Reason(Rating.LOW, what, "length: {buckets: pow2}")
    if shape.streams and shape.pace is None:
        what = "streams leave token by token: length and time of each can be read on the wire"
        yield Reason(Rating.LOW, what, "stream: {tick: 50ms}, or allow: {streaming: false}")
