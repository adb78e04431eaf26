from pathlib import Path

import pytest
from msgspec import Struct

from extproc.config import compile_table, load
from extproc.config.diagnosis import settings_of
from extproc.config.exhaustion import compile_exhausted
from extproc.config.exhaustion_settings import ExhaustedSettings
from extproc.config.source import read
from extproc.errors import ConfigError
from extproc.limits import SECOND, Rate
from extproc.limits.exhaustion import (
    PER_SECOND,
    Action,
    Challenge,
    Deny,
    Lower,
    StepUp,
    Throttle,
)

ROOT = Path(__file__).parents[2]


class Budget(Struct, forbid_unknown_fields=True):
    exhausted: ExhaustedSettings = "deny"


def compiled(folder: Path, exhausted: str) -> Action:
    path = folder / "policy.yaml"
    path.write_text(f"# a budget\nexhausted: {exhausted}\n")
    document = read(path)
    settings = settings_of(document, Budget)
    return compile_exhausted(
        document, ("exhausted",), settings.exhausted, "daily", ["coarse", "labels"]
    )


@pytest.mark.parametrize(
    ("written", "action"),
    [
        ("deny", Deny()),
        ("{fidelity: coarse}", Lower("coarse")),
        (
            "{challenge: proof_of_work}",
            Challenge(PER_SECOND // 4, 2 * PER_SECOND, 64),
        ),
        (
            "{challenge: {kind: proof_of_work, least: 100ms, most: 10s, bits: 8}}",
            Challenge(PER_SECOND // 10, 10 * PER_SECOND, 8),
        ),
        ("{acr: ['urn:example:gold', mfa]}", StepUp(("urn:example:gold", "mfa"))),
        (
            "{throttle: {max: 1, window: 10s}}",
            Throttle(Rate("daily:throttle/10s", 1, 10 * SECOND)),
        ),
    ],
)
def test_each_way_of_writing_it_is_an_action(tmp_path: Path, written: str, action: Action) -> None:
    assert compiled(tmp_path, written) == action


@pytest.mark.parametrize(
    ("written", "wrong"),
    [
        ("refuse", "exhausted: unknown name 'refuse'; write deny, or one of fidelity, challenge,"),
        ("deni", "exhausted: unknown name 'deni'; did you mean 'deny'?"),
        ("7", "exhausted: is a whole number; write deny, or one of fidelity, challenge, acr and"),
        ("{}", "exhausted: says nothing; write deny, or one of fidelity, challenge, acr, throttle"),
        ("{fidelity: coarse, acr: [a]}", "exhausted: has fidelity and acr; write deny, or one of"),
        ("{fidelty: coarse}", "exhausted.fidelty: unknown field; did you mean 'fidelity'?"),
        ("{fidelity: coarser}", "exhausted.fidelity: no such tier under fidelities; did you mean"),
        ("{fidelity: [a]}", "exhausted.fidelity: is a list; write a name"),
        ("{fidelity: 'a b'}", "exhausted.fidelity: malformed; write a name"),
        ("{challenge: captcha}", "exhausted.challenge: unknown name 'captcha'; write proof_of_wor"),
        ("{challenge: {least: 1s}}", "exhausted.challenge.kind: missing; add proof_of_work"),
        ("{challenge: {kind: puzzle}}", "exhausted.challenge.kind: unknown name 'puzzle'"),
        (
            "{challenge: {kind: proof_of_work, least: 1s, most: 500ms}}",
            "exhausted.challenge.least: is above most; write at most 500ms",
        ),
        (
            "{challenge: {kind: proof_of_work, most: 11s}}",
            "exhausted.challenge.most: is too long; write at most 10s",
        ),
        (
            "{challenge: {kind: proof_of_work, most: soon}}",
            "exhausted.challenge.most: malformed; write a duration",
        ),
        (
            "{challenge: {kind: proof_of_work, bits: 0}}",
            "exhausted.challenge.bits: out of range; write a whole number from 1 to 1000000000",
        ),
        ("{acr: []}", "exhausted.acr: wrong number of items; write a list of 1 to 16 items"),
        ("{acr: ['a b']}", "exhausted.acr[0]: malformed; write a value of the claim acr"),
        ("{throttle: {max: 1}}", "exhausted.throttle.window: missing; add a duration"),
        ("{throttle: {max: 0, window: 1s}}", "exhausted.throttle.max: out of range; write"),
    ],
)
def test_what_is_wrong_is_told_with_its_place_and_a_remedy(
    tmp_path: Path, written: str, wrong: str
) -> None:
    with pytest.raises(ConfigError) as caught:
        compiled(tmp_path, written)
    assert f"policy.yaml:2: {wrong}" in str(caught.value)


def test_the_example_of_the_guide_loads_with_every_action() -> None:
    table = compile_table(load(ROOT / "docs" / "examples" / "exhaustion.yaml"), {"HMAC": "k" * 32})
    found = table.policies["acme", "POST /v1/embeddings"].reserved
    actions = {type(limit.exhausted) for limit in found}
    assert actions == {Lower, Challenge, StepUp, Throttle, Deny}
