import asyncio
import json
import time
from base64 import b64decode, b64encode
from datetime import UTC, datetime
from functools import cache
from typing import Any

import altcha
import pytest
from hypothesis import given
from hypothesis import strategies as st

from extproc.cause import Cause
from extproc.proof_of_work import (
    DEAREST,
    LIFETIME,
    LONGEST,
    SALT,
    TRIES,
    Holder,
    Solved,
    challenge,
    read_challenge,
    signing_key,
    verify,
)
from extproc.refusal import RATE_LIMITED
from extproc.stores.memory_replays import MemoryReplays

KEY = b"0123456789abcdef0123456789abcdef"
ALICE = Holder("acme", "key:aaaa", "budget")
NOW = float(int(datetime.now(UTC).timestamp())) + 86_400
"""Of the wall, since altcha's own verification reads no other clock; and of tomorrow, since a run
of all tests takes longer than a challenge counts.
"""
WORK = TRIES
SALTS = st.binary(min_size=SALT, max_size=SALT)


def posed(
    holder: Holder = ALICE, work: int = WORK, now: float = NOW, salt: bytes = bytes(SALT)
) -> dict[str, Any]:
    read: dict[str, Any] = json.loads(challenge(KEY, holder, work, now, salt))
    return read


def solved(given_: dict[str, Any]) -> str:
    """What ALTCHA's own client answers."""
    asked = altcha.Challenge.from_dict(given_)
    solution = altcha.solve_challenge(asked)
    assert solution is not None
    return altcha.Payload(asked, solution).to_base64()


@cache
def answer() -> str:
    return solved(posed())


def changed(*path: str, to: Any) -> str:
    """The answer with one thing in it changed."""
    read = json.loads(b64decode(answer()))
    inside = read
    for step in path[:-1]:
        inside = inside[step]
    inside[path[-1]] = to(inside[path[-1]]) if callable(to) else to
    return packed(read)


def packed(value: Any) -> str:
    return b64encode(json.dumps(value).encode()).decode()


def test_what_altcha_solves_counts() -> None:
    found = verify(KEY, answer(), ALICE, NOW)
    assert isinstance(found, Solved)
    assert found.work == WORK
    assert found.once.since == NOW
    assert found.once.until == NOW + LIFETIME


@given(SALTS, st.integers(1, 3 * TRIES))
def test_altcha_takes_every_challenge_for_its_own(salt: bytes, work: int) -> None:
    text = solved(posed(salt=salt, work=work))
    assert altcha.verify_solution(text, signing_key(KEY)).verified
    assert isinstance(verify(KEY, text, ALICE, NOW), Solved)


@given(SALTS, st.integers(0, 0xFFFFFFFF), st.booleans())
def test_a_counter_that_altcha_refuses_is_refused(salt: bytes, counter: int, real: bool) -> None:
    asked = altcha.Challenge.from_dict(posed(salt=salt))
    parameters = asked.parameters
    password = bytes.fromhex(parameters.nonce) + counter.to_bytes(4, "big")
    derived = altcha.derive_key_pbkdf2(parameters, bytes.fromhex(parameters.salt), password)
    said = derived.hex() if real else "000" + derived.hex()[3:]
    text = altcha.Payload(asked, altcha.Solution(counter, said)).to_base64()
    theirs = altcha.verify_solution(text, signing_key(KEY)).verified
    assert isinstance(verify(KEY, text, ALICE, NOW), Solved) is theirs


def test_it_may_be_as_long_as_the_bound() -> None:
    longest = b64encode(b64decode(answer()).ljust(LONGEST // 4 * 3)).decode()
    assert len(longest) == LONGEST
    assert isinstance(verify(KEY, longest, ALICE, NOW), Solved)


@pytest.mark.parametrize(
    "other",
    [
        Holder("beta", "key:aaaa", "budget"),
        Holder("acme", "key:bbbb", "budget"),
        Holder("acme", "key:aaaa", "escalation"),
        Holder("acmekey:aaaa", "", "budget"),
        Holder('acme","key:aaaa', "budget", ""),
    ],
)
def test_it_counts_for_nobody_else_and_nothing_else(other: Holder) -> None:
    assert verify(KEY, answer(), other, NOW) is Cause.SOLUTION_FOREIGN


def test_it_counts_until_it_expires_and_under_the_key_that_made_it() -> None:
    assert isinstance(verify(KEY, answer(), ALICE, NOW + LIFETIME), Solved)
    assert verify(KEY, answer(), ALICE, NOW + LIFETIME + 0.001) is Cause.SOLUTION_EXPIRED
    assert verify(b"other" * 8, answer(), ALICE, NOW) is Cause.SOLUTION_FOREIGN


async def test_a_challenge_counts_once_with_whatever_solution() -> None:
    replays = MemoryReplays(began=NOW - 1)
    asked = altcha.Challenge.from_dict(posed())
    first = altcha.solve_challenge(asked)
    assert first is not None
    second = altcha.solve_challenge(asked, counter_start=first.counter + 1)
    assert second is not None
    texts = [altcha.Payload(asked, each).to_base64() for each in (first, second, first)]
    found = [verify(KEY, text, ALICE, NOW) for text in texts]
    nonces = [each.once for each in found if isinstance(each, Solved)]
    assert len(nonces) == 3
    shown = await asyncio.gather(*(replays.first(once, now=NOW) for once in nonces))
    assert sorted(shown) == [False, False, True]


@given(SALTS, SALTS)
def test_two_challenges_are_two(one: bytes, other: bytes) -> None:
    names = {posed(salt=salt)["parameters"]["nonce"] for salt in (one, other)}
    found = {challenge(KEY, ALICE, WORK, NOW, salt) for salt in (one, other)}
    assert len(found) == len({one, other}) >= len(names)


@pytest.mark.parametrize(
    ("path", "to"),
    [
        (("challenge", "parameters", "cost"), 2),
        (("challenge", "parameters", "expiresAt"), int(NOW) + 10**6),
        (("challenge", "parameters", "nonce"), "0" * 31 + "1"),
        (("challenge", "parameters", "salt"), "0" * 31 + "1"),
        (("challenge", "parameters", "data"), {"at": 0, "for": "0" * 64}),
        (("challenge", "signature"), "0" * 64),
    ],
    ids=lambda value: value[-1] if isinstance(value, tuple) else "",
)
def test_a_challenge_that_was_changed_is_nobodys(path: tuple[str, ...], to: object) -> None:
    assert verify(KEY, changed(*path, to=to), ALICE, NOW) is Cause.SOLUTION_FOREIGN


@pytest.mark.parametrize(
    ("path", "to"),
    [
        (("solution", "counter"), lambda counter: counter + 1),
        (("solution", "counter"), 0),
        (("solution", "derivedKey"), "000" + "a" * 61),
    ],
)
def test_a_solution_that_is_none_is_wrong(path: tuple[str, ...], to: object) -> None:
    assert verify(KEY, changed(*path, to=to), ALICE, NOW) is Cause.SOLUTION_WRONG


@pytest.mark.parametrize(
    "text",
    [
        "",
        "{}",
        "€",
        "a",
        "====",
        answer() + "\n",
        answer()[:-8],
        " " * (LONGEST + 1),
        "A" * (LONGEST + 4),
        packed([]),
        packed({"solution": {}}),
        changed("solution", "counter", to=-1),
        changed("solution", "counter", to=1 << 32),
        changed("solution", "counter", to=10**400),
        changed("solution", "counter", to=1.5),
        changed("solution", "counter", to=None),
        changed("solution", "derivedKey", to=str.upper),
        changed("solution", "derivedKey", to="a" * 64 + "\n"),
        changed("challenge", "signature", to="€" * 64),
        changed("challenge", "parameters", "cost", to=0),
        changed("challenge", "parameters", "cost", to=DEAREST),
        changed("challenge", "parameters", "algorithm", to="SCRYPT"),
        changed("challenge", "parameters", "keyPrefix", to=""),
        changed("challenge", "parameters", "keyLength", to=1),
        changed("challenge", "parameters", "data", to={"at": 0, "for": "0" * 64, "more": 1}),
        b64encode(b64decode(answer()) + b" " * LONGEST).decode(),
        # Deeper than a parser goes, in what it would skip.
        b64encode(b'{"solution":{"x":' + b"[" * 3000).decode(),
        b64encode(b"\xff\xfe{}").decode(),
    ],
)
def test_what_is_malformed_is_no_solution_and_no_exception(text: str) -> None:
    assert verify(KEY, text, ALICE, NOW) is Cause.SOLUTION_MALFORMED
    assert read_challenge(text) is None or text.startswith("ey")


@given(st.text(max_size=99) | st.binary(max_size=99).map(lambda data: b64encode(data).decode()))
def test_whatever_is_sent_nothing_is_raised(text: str) -> None:
    assert verify(KEY, text, ALICE, NOW) is Cause.SOLUTION_MALFORMED
    assert read_challenge(text) is None


@given(st.integers(0, 2**70), st.integers(0, 2**70))
def test_a_solution_covers_what_would_be_asked_for_as_much_or_less(one: int, other: int) -> None:
    costs = [posed(work=work)["parameters"]["cost"] for work in (one, other)]
    assert all(1 <= cost <= DEAREST // TRIES for cost in costs)
    assert (costs[0] <= costs[1]) or one > other
    once = verify(KEY, answer(), ALICE, NOW)
    assert isinstance(once, Solved)
    had = Solved(costs[0] * TRIES, once.once)
    assert had.covers(other) is (costs[0] >= costs[1])
    assert had.covers(one)


def test_a_challenge_names_nobody() -> None:
    text = challenge(KEY, Holder("acme", "jwt:https://i|alice@example.com", "leak"), 1, NOW, b"")
    assert not any(word in text for word in ("acme", "alice", "jwt", "leak", "key:"))


def test_a_challenge_is_read_from_a_header_field_a_body_and_a_whole_body() -> None:
    text = challenge(KEY, ALICE, WORK, NOW, bytes(SALT))
    field = RATE_LIMITED.posing(text).headers["x-extproc-challenge"]
    for given_ in (text, field, json.dumps({"error": "No.", "challenge": json.loads(text)})):
        assert read_challenge(given_) == json.loads(text)
    assert read_challenge('{"error": "No."}') is None


@pytest.mark.slow
def test_checking_the_dearest_solution_does_not_hold_up_the_loop() -> None:
    """With 5 ms as the bound on a quiet machine: the quickest of several counts."""
    asked = altcha.Challenge.from_dict(posed(work=DEAREST))
    text = altcha.Payload(asked, altcha.Solution(1, "0" * 64)).to_base64()
    spent = []
    for _ in range(20):
        begun = time.perf_counter()
        assert verify(KEY, text, ALICE, NOW) is Cause.SOLUTION_WRONG
        spent.append(time.perf_counter() - begun)
    assert min(spent) < 0.005


def test_a_challenge_counts_for_whoever_began_in_the_second_that_it_was_made_in() -> None:
    """A store of one process cannot say what was shown before it began."""
    made = NOW + 0.75
    proven = verify(KEY, solved(posed(now=made)), ALICE, made)
    assert isinstance(proven, Solved)
    assert made <= proven.once.since < made + 0.002
    assert proven.once.until == int(made) + LIFETIME
