"""What a policy may ask of the time and length of answers, and what no route can do."""

from pathlib import Path

import pytest

from extproc.config import compile_table
from extproc.dialects.answers import Answers, Body, Document, Events, Frames, Lines
from extproc.dialects.openai_embeddings import OpenAIEmbeddings
from extproc.dialects.shape import Anything
from extproc.errors import ConfigError
from extproc.padding import Buckets
from extproc.shaping import UNSHAPED, Grid, Rate, Shaping
from tests.config.example import ENVIRON, TEXT, changed, compiled, loaded

OWN = ("fidelity: full}", "fidelity: full, timing: {grid: 100ms}, length: {buckets: 1024}}")
STREAM = ("fidelity: full}", "fidelity: full, stream: {tick: 50ms, size: 640}}")
SHARED = TEXT + "timing: {grid: 250ms}\nlength: {buckets: pow2}\n"


def test_answers_leave_as_they_are_unless_told_otherwise(tmp_path: Path) -> None:
    table = compiled(tmp_path)
    assert set(table.shapings.values()) == {UNSHAPED}
    assert {policy.shaping for policy in table.policies.values()} == {UNSHAPED}


def test_the_files_own_shaping_is_that_of_strangers_and_of_policies_without_theirs(
    tmp_path: Path,
) -> None:
    table = compiled(tmp_path, SHARED.replace(*OWN))
    shared = Shaping(Grid(0.25), Buckets())
    assert table.shapings == {"": shared, "acme": shared, "beta": Shaping(Grid(0.1), Buckets(1024))}
    for (tenant, _), policy in table.policies.items():
        assert policy.shaping == table.shapings[tenant]


def test_a_policy_that_envoy_selects_has_its_own_shaping_for_every_tenant(tmp_path: Path) -> None:
    table = compiled(tmp_path, SHARED.replace(*OWN))
    own = table.shapings
    assert table.shaping("beta") == own["beta"] != own["acme"]
    for name, of in (("trial", "beta"), ("partner", "acme"), ("nobodys", "acme")):
        assert table.shaping("acme", name) == own[of]
    for place, policy in table.selecting("trial").items():
        assert table.shaping(place[0], "trial") == policy.shaping
    assert table.shaping("", "trial") == own[""]  # what a stranger is denied tells no policy
    tried = compiled(tmp_path, SHARED.replace(*OWN) + "rollout: {mode: shadow}\n")
    assert tried.shaping("acme", "trial") == UNSHAPED


def test_a_stream_has_a_rate_and_a_size(tmp_path: Path) -> None:
    table = compiled(tmp_path, changed(STREAM))
    assert table.shapings["beta"] == Shaping(rate=Rate(0.05, 640))
    shorter = compiled(tmp_path, changed(STREAM).replace(", size: 640", ""))
    assert shorter.shapings["beta"].rate == Rate(0.05, 512)


def test_on_trial_nothing_waits(tmp_path: Path) -> None:
    shadow = SHARED.replace("fidelity: full}", "fidelity: full, mode: shadow}")
    table = compiled(tmp_path, shadow)
    assert table.shapings["beta"] == UNSHAPED
    assert table.shapings["acme"] != UNSHAPED


def test_how_many_may_wait_is_a_cap(tmp_path: Path) -> None:
    assert compiled(tmp_path, TEXT + "caps: {waiting: 7}\n").caps.waiting == 7


WAIT = "too short or too long a wait; write one from 10ms to 5s"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (TEXT + "timing: {grid: 9ms}\n", f"26: timing.grid: {WAIT}"),
        (TEXT + "timing: {grid: 6s}\n", f"26: timing.grid: {WAIT}"),
        (
            changed(OWN).replace("100ms", "1m"),
            f"17: policies.trial.timing.grid: {WAIT}",
        ),
        (changed(STREAM).replace("50ms", "5ms"), f"17: policies.trial.stream.tick: {WAIT}"),
        (
            TEXT + "drain: 1s\ntiming: {grid: 1100ms}\n",
            "27: timing.grid: longer than drain, which is 1s; shorten it, or raise drain",
        ),
        (
            TEXT + "length: {buckets: pow3}\n",
            (
                "26: length.buckets: unknown name 'pow3'; did you mean 'pow2'?"
            ),
        ),
        (
            TEXT + "length: {buckets: 100}\n",
            (
                "26: length.buckets: out of range; "
                "write pow2 or a whole number from 256 to 1048576"
            ),
        ),
        (
            changed(STREAM).replace("640", "63"),
            (
                "17: policies.trial.stream.size: out of range; "
                "write a whole number from 64 to 65536"
            ),
        ),
    ],
)  # fmt: skip
def test_what_cannot_be_kept_is_told_by_its_place(tmp_path: Path, text: str, message: str) -> None:
    with pytest.raises(ConfigError) as caught:
        compiled(tmp_path, text)
    assert str(caught.value) == f"{tmp_path}/policy.yaml:{message}"


class Reads:
    """A whole body, and a message: what it becomes is of no interest here."""

    def rewrite(self, *_: object) -> bytes:
        return b""


IMPOSSIBLE = "in which clients ignore no byte; remove it, or remove the route"


@pytest.mark.parametrize(
    ("answers", "lengths", "streams"),
    [
        ({"application/json": Document(Anything())}, True, True),
        ({"text/event-stream": Events(Anything())}, True, True),
        ({"application/x-ndjson": Lines(Anything())}, True, True),
        ({"application/octet-stream": Body(Reads())}, False, True),  # type: ignore[arg-type]
        ({"application/grpc": Frames(Reads())}, False, True),
        ({"application/grpc": Frames(Reads(), streamed=True)}, False, False),
    ],
)
def test_what_a_route_cannot_do_is_an_error_of_the_policy(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    answers: Answers,
    *,
    lengths: bool,
    streams: bool,
) -> None:
    monkeypatch.setattr(OpenAIEmbeddings, "answers", lambda _: answers)
    (media_type,) = answers
    wrong = f"POST /v1/embeddings answers {media_type}, {IMPOSSIBLE}"
    length = ("fidelity: full}", "fidelity: full, length: {buckets: pow2}}")
    for text, possible, place in (
        (changed(length), lengths, "17: policies.trial.length"),
        (TEXT + "length: {buckets: pow2}\n", lengths, "26: length"),
        (changed(STREAM), streams, "17: policies.trial.stream"),
    ):
        config = loaded(tmp_path, text)
        if possible:
            assert compile_table(config, ENVIRON).shapings
            continue
        with pytest.raises(ConfigError) as caught:
            compile_table(config, ENVIRON)
        assert str(caught.value) == f"{tmp_path}/policy.yaml:{place}: {wrong}"


def test_a_file_without_tenants_shapes_what_strangers_get(tmp_path: Path) -> None:
    text = TEXT[: TEXT.index("fidelities:")] + "timing: {grid: 1s}\n"
    assert compiled(tmp_path, text).shapings == {"": Shaping(Grid(1.0))}
