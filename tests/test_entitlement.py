import pytest

from extproc.entitlement import ALL, Entitlement, Feature, unavailable
from extproc.errors import ClientError
from extproc.prediction import Query


def refused(entitlement: Entitlement, query: Query) -> str | None:
    try:
        entitlement.check(query)
    except ClientError as error:
        return error.refusal.message
    return None


def test_everything_is_granted_where_nothing_is_said() -> None:
    assert refused(ALL, Query("m", 1_000_000, stream=True)) is None


@pytest.mark.parametrize(
    ("query", "feature"),
    [
        (Query("m", 2), None),
        (Query("m", 1, stream=True), "streaming"),
        (Query("m", 3), "batch"),
    ],
)
def test_a_stream_and_a_batch_need_a_grant(query: Query, feature: str | None) -> None:
    told = f"The feature {feature!r} is not available." if feature else None
    assert refused(Entitlement(streaming=False, batch=2), query) == told


@pytest.mark.parametrize("feature", ["tools", "max_tokens"])
def test_a_refusal_tells_the_features_name_and_no_amount(feature: Feature) -> None:
    refusal = unavailable(feature).refusal
    assert (refusal.status, refusal.code) == (403, "feature_not_available")
    assert refusal.message == f"The feature {feature!r} is not available."
