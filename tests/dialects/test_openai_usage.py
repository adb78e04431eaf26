import pytest

from extproc.dialects.openai_usage import COMPLETION_USAGE, USAGE
from extproc.dialects.shape import ABSENT, Gate, Json, Rewrite

COMPLETION = {"prompt_tokens": 1, "completion_tokens": 2, "total_tokens": 3}
INPUT = {"input_tokens": 1, "output_tokens": 2, "total_tokens": 3}
CACHED = {"cached_tokens": 1}
THOUGHT = {"reasoning_tokens": 2}


@pytest.mark.parametrize(
    ("node", "totals", "details"),
    [
        (
            COMPLETION_USAGE,
            COMPLETION,
            {"prompt_tokens_details": CACHED, "completion_tokens_details": THOUGHT},
        ),
        (USAGE, INPUT, {"input_tokens_details": CACHED, "output_tokens_details": THOUGHT}),
        (USAGE, INPUT | {"type": "tokens"}, {"input_token_details": {"audio_tokens": 1}}),
        (USAGE, {"type": "duration", "seconds": 3.5}, {}),
    ],
)
def test_what_was_cached_or_thought_is_another_kind_than_the_totals(
    node: Gate, totals: dict[str, Json], details: dict[str, Json]
) -> None:
    usage = totals | details | {"cost": 0.1}
    assert node.rewrite(usage, Rewrite({}, "m"), "usage") is ABSENT
    assert node.rewrite(usage, Rewrite({"usage": None}, "m"), "usage") == totals
    run = Rewrite({"usage": None, "usage_detail": None}, "m")
    assert node.rewrite(usage, run, "usage") == totals | details
    assert run.dropped == {"usage.*": 1}
