"""Laws of keyed randomness."""

import hashlib
import hmac
import itertools
import math
import subprocess
import sys
from collections import Counter
from statistics import NormalDist

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from extproc.draw import Draw, Draws, Source
from extproc.prediction import Vector
from tests.mutators.vectors import distance

ROOT = Draw(b"0123456789abcdef0123456789abcdef")
LAW = NormalDist()


def digests(count: int) -> list[bytes]:
    return [hashlib.sha256(b"%d" % number).digest() for number in range(count)]


def draws(
    inputs: list[bytes], *, space: bytes = b"model", tier: bytes = b"t", root: Draw = ROOT
) -> Draws:
    return Draws(root.child(space), inputs, tier)


def test_a_cell_is_its_inputs_own_and_of_no_tier() -> None:
    """Of one input all is about that one; of several, what nobody knows to be of which has none."""
    first, second = ROOT.child(b"first"), ROOT.child(b"second")
    both = Draws(ROOT, digests(2), b"t", {0: first, 1: second})
    assert [both.of(at).cell for at in (0, 1, 2, None)] == [first, second, None, None]
    assert Draws(ROOT, digests(1), b"u", {0: first}).of(None).cell == first
    assert Draws(ROOT, digests(1), b"u").of(0).cell is None
    assert both.of(0, [["a"], ["b"]]).names == [["a"], ["b"]]
    assert both.of(None, [["a"]]).names == [["a"]]


def test_answers_about_one_input_share_no_noise() -> None:
    """Nor do such of which nobody knows about which they are; other sorts have their own."""
    both = Draws(ROOT, digests(2), b"t")
    for at in (0, 1, None):
        found = [both.of(at).answer(sort).key for sort in (b"a", b"b", b"a", b"a")]
        again = [Draws(ROOT, digests(2), b"t").of(at).answer(sort).key for sort in (b"a", b"b")]
        assert len({*found}) == 4
        assert found[:2] == again
    assert both.of(2).answer(b"a").key != both.of(None).answer(b"a").key


def uniforms() -> Vector:
    return np.concatenate([ROOT.child(b"%d" % number).uniform(100) for number in range(1000)])


def test_the_same_octets_come_out_on_every_machine() -> None:
    secret = ROOT.child(b"a")
    assert secret.key.hex() == "aa2187723645a252148bbf3aad0e20d4c3a2861235bb65a264967af9d46faec2"
    assert secret.octets(8).hex() == "0cd028b19d86e7ea"
    assert secret.uniform(2).tolist() == [0.917595304011374, 0.4727695032477267]
    assert secret.normal(2).tolist() == [1.3890772648490899, -0.06830982421921612]
    assert secret.below(1000) == 708


def test_a_draw_does_not_change_from_process_to_process() -> None:
    program = (
        "from extproc.draw import Draw\n"
        "print(Draw(b'0123456789abcdef0123456789abcdef').child(b'a').normal(1000).tobytes().hex())"
    )
    run = [sys.executable, "-c", program]
    outputs = {subprocess.check_output(run, env={"PYTHONHASHSEED": seed}) for seed in "12"}
    assert outputs == {f"{ROOT.child(b'a').normal(1000).tobytes().hex()}\n".encode()}


def test_of_the_octets_the_first_are_always_the_same() -> None:
    assert ROOT.octets(100)[:10] == ROOT.octets(10)
    assert ROOT.uniform(100)[:10].tolist() == ROOT.uniform(10).tolist()


@given(st.lists(st.binary(max_size=40), max_size=4), st.lists(st.binary(max_size=40), max_size=4))
def test_no_two_chains_of_labels_meet(first: list[bytes], second: list[bytes]) -> None:
    ends = []
    for chain in (first, second):
        end = ROOT
        for label in chain:
            end = end.child(label)
        ends.append(end.key)
    assert (ends[0] == ends[1]) is (first == second)


def test_a_label_that_is_cut_elsewhere_is_another() -> None:
    chains = [(b"ab", b"c"), (b"a", b"bc"), (b"abc",), (b"abc", b""), (b"", b"abc"), (b"abc\0",)]
    ends = set()
    for chain in chains:
        end = ROOT
        for label in chain:
            end = end.child(label)
        ends.add(end.key)
    assert len(ends) == len(chains)


def test_every_ingredient_of_a_draw_changes_it() -> None:
    one, other = digests(2)
    sources = [
        draws([one]).of(0),
        draws([other]).of(0),
        draws([one], space=b"model2").of(0),
        draws([one], tier=b"u").of(0),
        draws([one], root=ROOT.child(b"epoch 2")).of(0),
        draws([one]).of(None),
        draws([one, other]).of(None),
        draws([other, one]).of(None),
        draws([]).of(None),
    ]
    assert len({source.input.key for source in sources}) == len(sources)


def test_only_the_input_makes_one_model_s_draws_differ() -> None:
    one, other = (draws([digest]).of(0) for digest in digests(2))
    assert one.model == other.model
    assert one.input != other.input


def test_a_space_outlives_its_tier() -> None:
    one, other = (draws(digests(1), tier=tier).of(0) for tier in (b"t", b"u"))
    assert one.space == other.space
    assert one.model != other.model
    assert draws([], space=b"model2").of(None).space != one.space


def test_the_order_of_the_inputs_says_which_is_which() -> None:
    one, other = digests(2)
    forth, back = draws([one, other]), draws([other, one])
    assert forth.of(0) == back.of(1)
    assert forth.of(1) == back.of(0)
    assert forth.of(0) != back.of(0)


def test_what_is_asked_beside_others_draws_what_it_draws_alone() -> None:
    inputs = digests(64)
    assert [draws(inputs).of(at) for at in range(64)] == [draws([each]).of(0) for each in inputs]


@pytest.mark.parametrize("at", [None, 2, 64])
def test_an_answer_to_no_known_input_draws_from_all(at: int | None) -> None:
    inputs = digests(2)
    source = draws(inputs).of(at)
    assert source == draws(inputs).of(None)
    assert source.input not in {draws(inputs).of(0).input, draws(inputs).of(1).input}


def test_a_secret_is_not_shown() -> None:
    assert ROOT.key.decode() not in repr(ROOT)
    assert ROOT.key.decode() not in repr(Source(ROOT, ROOT, ROOT))


@given(st.integers(0, 300))
def test_uniform_numbers_are_multiples_of_the_smallest_step_below_1(count: int) -> None:
    values = ROOT.child(b"%d" % count).uniform(count)
    assert values.shape == (count,)
    assert ((values >= 0) & (values < 1)).all()
    assert (values * 2.0**53 % 1 == 0).all()


def test_uniform_numbers_of_many_inputs_follow_their_law() -> None:
    values = uniforms()
    assert distance(values, values) < 1.95


def test_octets_of_many_inputs_are_equally_likely() -> None:
    seen = Counter(b"".join(ROOT.child(b"%d" % number).octets(64) for number in range(2000)))
    mean = 64 * 2000 / 256
    chi2 = sum((seen[octet] - mean) ** 2 / mean for octet in range(256))
    assert 255 - 4 * math.sqrt(510) < chi2 < 255 + 4 * math.sqrt(510)


def test_draws_of_neighbours_are_not_related() -> None:
    """One number of each of 10,000 inputs in a row, tenants in a row, labels in a row."""
    rows = [
        [draws([digest]).of(0).input.uniform(1)[0] for digest in digests(10_000)],
        [draws(digests(1), space=b"%d" % n).of(0).input.uniform(1)[0] for n in range(10_000)],
        [draws(digests(1), tier=b"%d" % n).of(0).input.uniform(1)[0] for n in range(10_000)],
        [ROOT.child(b"%d" % n).uniform(1)[0] for n in range(10_000)],
    ]
    for row in rows:
        values = np.array(row)
        assert distance(values, values) < 1.95
        for lag in (1, 2, 10):
            assert abs(np.corrcoef(values[:-lag], values[lag:])[0, 1]) < 4 / math.sqrt(10_000)
    for first, second in itertools.combinations(rows, 2):
        assert abs(np.corrcoef(first, second)[0, 1]) < 4 / math.sqrt(10_000)


def test_normal_numbers_follow_their_law() -> None:
    parts = [ROOT.child(b"%d" % number).normal(1000) for number in range(100)]
    values = np.concatenate(parts)
    assert distance(values, np.array([LAW.cdf(value) for value in values])) < 1.95
    assert abs(values.mean()) < 4 / math.sqrt(values.size)
    assert values.var() == pytest.approx(1.0, abs=4 * math.sqrt(2 / values.size))
    assert np.abs(values).max() <= 3.965


def test_what_is_below_a_bound_is_any_of_the_numbers_below_it() -> None:
    seen = Counter(ROOT.child(b"%d" % number).below(6) for number in range(6000))
    assert set(seen) == set(range(6))
    assert sum((count - 1000) ** 2 / 1000 for count in seen.values()) < 20.5  # 1 in 1,000
    assert ROOT.below(1) == 0
    assert 0 <= ROOT.below(2**64) < 2**64


@given(st.binary(min_size=1, max_size=200), st.binary(max_size=200))
@example(b"k" * 64, b"")
@example(b"k" * 65, b"a")
def test_a_child_is_what_rfc_2104_says(key: bytes, label: bytes) -> None:
    assert Draw(key).child(label).key == hmac.digest(key, label, "sha256")
