"""Write the middle of docs/refusals.md from the code: every class of refusal, in every API's words.

``python -m docs.refusals`` writes the page.
"""

from collections.abc import Iterator, Sequence
from typing import Any, Final, get_args

from docs import page
from docs.page import table
from extproc.cause import Cause
from extproc.dialects import Dialect
from extproc.dialects.grpc_dialect import GrpcDialect
from extproc.dialects.problem import UNROUTED
from extproc.grpc_status import of_refusal
from extproc.refusal import (
    FEATURE_NOT_AVAILABLE,
    HEADERS_TOO_LARGE,
    INSUFFICIENT,
    INVALID_REQUEST,
    METHOD_NOT_ALLOWED,
    PATIENCE,
    RATE_LIMITED,
    TOO_LARGE,
    UNAUTHENTICATED,
    UNAVAILABLE,
    UNKNOWN_MODEL,
    UNKNOWN_ROUTE,
    UNSUPPORTED_MEDIA_TYPE,
    UPSTREAM_UNREADABLE,
    Refusal,
    of_status,
)
from extproc.wording import told

_ALL: Final = tuple(Cause)
_STRANGERS: Final = _ALL[: _ALL.index(Cause.ROUTE_NOT_GRANTED)]
_FEATURES: Final = tuple(each for each in Cause if each.startswith("feature_"))
_INPUTS: Final = tuple(
    each for each in Cause if each.startswith("input_") and each is not Cause.INPUT_TOO_LARGE
)
CLASSES: Final[Sequence[tuple[Refusal, str, Sequence[Cause]]]] = (
    (UNAUTHENTICATED, "who asks is not known", _STRANGERS),
    (INSUFFICIENT, "who asks is known, by too weak a credential (RFC 9470)", ()),
    (FEATURE_NOT_AVAILABLE, "more is asked than is granted; names the feature", _FEATURES),
    (
        UNKNOWN_ROUTE,
        "there is no such path for this tenant",
        (Cause.ROUTE_NOT_GRANTED, Cause.QUERY_UNKNOWN, Cause.UPGRADE),
    ),
    (
        UNKNOWN_MODEL,
        "there is no such model for this tenant",
        (Cause.MODEL_DENIED, Cause.UPSTREAM_NOT_FOUND),
    ),
    (METHOD_NOT_ALLOWED, "the path has other methods", ()),
    (INVALID_REQUEST, "what was sent cannot be read, or is not as it must be", _INPUTS),
    (TOO_LARGE, "the body is larger than a bound, which is named", (Cause.INPUT_TOO_LARGE,)),
    (
        UNSUPPORTED_MEDIA_TYPE,
        "the body is of a kind that is not read",
        (Cause.CONTENT_CODING, Cause.MEDIA_TYPE_UNCHECKED),
    ),
    (HEADERS_TOO_LARGE, "the header fields are larger than the route takes", ()),
    (
        RATE_LIMITED,
        "a limit is used up; the record names it",
        (
            Cause.SUSPECTED,
            Cause.TENANT_STOPPED,
            Cause.CHALLENGED,
            Cause.SOLUTION_MALFORMED,
            Cause.SOLUTION_FOREIGN,
            Cause.SOLUTION_EXPIRED,
            Cause.SOLUTION_WRONG,
            Cause.SOLUTION_SPENT,
            Cause.SOLUTION_CHEAP,
        ),
    ),
    (of_status(400), "the model server refused the request", ()),
    (of_status(500), "the model server failed", ()),
    (UPSTREAM_UNREADABLE, "its answer cannot be released; the record says why", ()),
    (
        UNAVAILABLE,
        "nothing can be served now",
        (
            Cause.OVERLOADED,
            Cause.AUDIT_UNAVAILABLE,
            Cause.STORE_UNAVAILABLE,
            Cause.ISSUER_UNAVAILABLE,
            Cause.UPSTREAM_ERROR,
        ),
    ),
)


_BY_THEMSELVES = {UNKNOWN_ROUTE, UNKNOWN_MODEL, INVALID_REQUEST, TOO_LARGE, RATE_LIMITED}
"""Classes that are a cause, too."""


def main() -> None:
    page.write("refusals", filled)


def filled(text: str) -> str:
    """The page with what stands between the two marks written anew."""
    return page.between_marks(text, "refusals", _middle())


def _middle() -> str:
    return "\n".join(
        [
            "## Classes\n",
            table(("status", "code", "is said where", "header fields"), map(_class, CLASSES)),
            "## In the words of each API\n",
            *_shapes(),
            "## Over gRPC\n",
            table(("code", "`grpc-status`"), _numbers()),
            "## Causes\n",
            table(("code", "the record says", "which is"), _causes()),
        ]
    )


def _class(row: tuple[Refusal, str, Sequence[Cause]]) -> tuple[str, ...]:
    refusal, where, _ = row
    fields = [f"`{name}: {value}`" for name, value in refusal.headers.items()]
    if refusal.status == 429:
        fields = ["`retry-after`", f"`x-should-retry: false` above {PATIENCE} s"]
        fields.append("`x-extproc-challenge` where work would do")
    return str(refusal.status), f"`{refusal.code}`", where, ", ".join(fields)


def _shapes() -> Iterator[str]:
    """Dialects that say the same, together."""
    found: dict[tuple[str, ...], list[str]] = {}
    dialects: list[Any] = [each() for each in get_args(Dialect)]
    for dialect in dialects:
        if not isinstance(dialect, GrpcDialect):
            found.setdefault(_said(dialect), []).append(dialect.__struct_config__.tag)
    yield "Where there is no route, and to strangers wherever they ask:\n"
    yield _block(_said(UNROUTED))
    for said, names in sorted(found.items(), key=lambda item: item[1][0]):
        yield f"{', '.join(f'`{name}`' for name in sorted(names))}:\n"
        yield _block(said)


def _said(wording: Any) -> tuple[str, ...]:
    answers = [told(refusal, wording) for refusal, *_ in CLASSES]
    if wording is not UNROUTED:  # strangers see no API
        answers = answers[1:]
    media_type = answers[0].headers["content-type"]
    return media_type, *(f"{each.status} {each.body.decode()}" for each in answers)


def _block(said: Sequence[str]) -> str:
    return "\n".join(["```text", f"content-type: {said[0]}", "", *said[1:], "```", ""])


def _numbers() -> Iterator[tuple[str, str]]:
    for refusal, *_ in CLASSES:
        yield f"`{refusal.code}`", str(of_refusal(refusal))


def _causes() -> Iterator[tuple[str, ...]]:
    for refusal, where, causes in CLASSES:
        if not causes or refusal in _BY_THEMSELVES:
            yield f"`{refusal.code}`", f"`{refusal.code}`", where
        for cause in causes:
            yield f"`{refusal.code}`", f"`{cause}`", cause.meaning


if __name__ == "__main__":
    main()
