"""Nothing passes unprocessed, whatever dies."""

from collections.abc import Iterator
from typing import Final

from extproc.demo.answer import Answer, chat
from extproc.demo.failure import Failure
from extproc.demo.figures import figures, shown
from extproc.demo.verdict import Checks

_END: Final = b"data: [DONE]"
_LOGPROB: Final = b'"logprob":'


def model_down(failure: Failure) -> Iterator[str]:
    if failure.model_down.status not in {502, 503}:
        yield f"status {failure.model_down.status}"
    if not _is_error(failure.model_down):
        yield "the answer is more than an error of the API"
    if failure.model_back.status != 200:
        yield f"with a new model server: status {failure.model_back.status}"


def sidecar_dies_in_a_stream(failure: Failure) -> Iterator[str]:
    whole, cut = failure.uncut, failure.cut
    if whole.status != 200 or not whole.body.rstrip().endswith(_END):
        yield "the model server's own stream has no end"
    if cut.status != 200 or _LOGPROB not in cut.body:
        yield f"the stream had not begun: status {cut.status}, {len(cut.body)} bytes"
    if cut.complete or _END in cut.body:
        yield "the stream was not cut off"
    if passed := len(_exact_logprobs(whole) & shown(cut)):
        yield f"{passed} exact numbers passed"


def sidecar_down(failure: Failure) -> Iterator[str]:
    if failure.sidecar_down.status != 503:
        yield f"status {failure.sidecar_down.status}"
    if not _is_error(failure.sidecar_down):
        yield "the answer is more than an error of the API"
    if passed := len(_exact_logprobs(failure.unprocessed) & shown(failure.sidecar_down)):
        yield f"{passed} exact numbers passed"


def _exact_logprobs(answer: Answer) -> set[str]:
    """Raise ValueError where there are none to look for."""
    found = figures(chat(answer).logprobs)
    if not found:
        raise ValueError("the model server gave no log probabilities")
    return found


def _is_error(answer: Answer) -> bool:
    """Whether it is one object with nothing but a member ``error``, and what RFC 9457 has."""
    (document,) = answer.documents
    return isinstance(document, dict) and document.keys() - _PROBLEM == {"error"}


_PROBLEM: Final = {"type", "title", "status", "detail", "code"}
FAILURE: Final[Checks[Failure]] = {
    "the model server killed: 502 or 503, in the API's own words": model_down,
    "the sidecar killed in the middle of a stream: it is cut off": sidecar_dies_in_a_stream,
    "the sidecar killed: 503, and no byte of an answer": sidecar_down,
}
