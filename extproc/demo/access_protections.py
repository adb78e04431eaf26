"""Who gets nothing, and how little a refusal tells.

Rule: a refusal is compared whole: status, header fields and body.
"""

from collections.abc import Iterator
from typing import Final

from extproc.demo.access import Access
from extproc.demo.answer import Answer
from extproc.demo.verdict import Checks

_LIMIT: Final = 5
# Envoy closes the connection where it answers before it has read the request's body, which is a
# matter of packets and not of who asked for what.
_CHANGING: Final = {"date", "connection"}


def _all_of(answer: Answer) -> tuple[int, bytes, list[tuple[str, str]]]:
    headers = {name: value for name, value in answer.headers.items() if name not in _CHANGING}
    if "x-request-id" in headers:  # names the one request, always as long
        headers["x-request-id"] = str(len(headers["x-request-id"]))
    return answer.status, answer.body, sorted(headers.items())


def strangers_refused(access: Access) -> Iterator[str]:
    for wrong, answer in access.strangers.items():
        if answer.status != 401:
            yield f"{wrong}: status {answer.status}"


def strangers_learn_nothing(access: Access) -> Iterator[str]:
    usual = _all_of(access.strangers["no key"])
    others = {**access.strangers, "an unknown path": access.hidden_path}
    for asked, answer in others.items():
        if _all_of(answer) != usual:
            yield f"{asked}: another answer than for a known path without a key"


def unknown_path_denied(access: Access) -> Iterator[str]:
    if access.unknown_path.status != 404:
        yield f"status {access.unknown_path.status}"


def models_hidden(access: Access) -> Iterator[str]:
    if access.permitted_model.status != 200:
        yield f"a key that may ask the model gets {access.permitted_model.status}"
    if access.forbidden_model.status != 404:
        yield f"the forbidden model: status {access.forbidden_model.status}"
    if _all_of(access.forbidden_model) != _all_of(access.unknown_model):
        yield "an unknown model is answered in another way"


def unknown_argument_refused(access: Access) -> Iterator[str]:
    if access.unknown_argument.status != 400:
        yield f"status {access.unknown_argument.status}"


def no_biased_logprobs(access: Access) -> Iterator[str]:
    for asked, answer in access.biased.items():
        wanted = 400 if asked == "both" else 200
        if answer.status != wanted:
            yield f"{asked}: status {answer.status}"


def identity_not_spoofed(access: Access) -> Iterator[str]:
    if access.honest.status != 200:
        yield f"without the header fields: status {access.honest.status}"
    if _all_of(access.spoofed) != _all_of(access.honest):
        yield "header fields changed the answer"


def burst_limited(access: Access) -> Iterator[str]:
    passed = [answer for answer in access.burst if answer.status == 200]
    refused = [answer for answer in access.burst if answer.status == 429]
    if not 0 < len(passed) <= _LIMIT or len(passed) + len(refused) != len(access.burst):
        yield f"{len(passed)} of {len(access.burst)} passed, {len(refused)} got 429"
    if not all(answer.headers.get("retry-after", "").isdigit() for answer in refused):
        yield "a 429 does not say when to come back"


ACCESS: Final[Checks[Access]] = {
    "no key, an unknown key, two keys, another scheme: 401": strangers_refused,
    "to a stranger every path answers alike": strangers_learn_nothing,
    "an unknown path is denied: 404": unknown_path_denied,
    "a forbidden model answers as an unknown one: 404": models_hidden,
    "an unknown request argument is refused: 400": unknown_argument_refused,
    "logit_bias with logprobs, which gives the logits away, is refused: 400": no_biased_logprobs,
    "header fields that claim another identity change nothing": identity_not_spoofed,
    "of 8 requests at once no more pass than the limit of 5: 429": burst_limited,
}
