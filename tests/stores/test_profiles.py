import tracemalloc

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from extproc.detectors.profile import ASKED, Decay, Layout
from extproc.stores.profiles import Profile, Profiles
from tests.server.detection.rig import CELLS, DAY, NOW, Volume, features, layout, profiles


def counters(kept: Profiles, subject: str, now: float = NOW) -> list[float]:
    found = kept.read(subject, now)
    assert found is not None
    return [float(value) for value in found.counters]


def known(kept: Profiles, subject: str) -> Profile:
    found = kept.read(subject, NOW)
    assert found is not None
    return found


def test_what_is_counted_adds_up() -> None:
    kept = profiles()
    kept.add("a", "a", features(1, 2, 2, 9))
    assert counters(kept, "a") == [0, 2, 1, 0, 0, 0, 0, 0, 3]
    assert known(kept, "a").queries == 4
    assert kept.read("b", NOW) is None


def test_what_is_asked_again_counts_once_at_any_time() -> None:
    kept = profiles()
    for later in range(3):
        kept.add("a", "a", features(5, time=NOW + later))
    assert counters(kept, "a", NOW)[5] == pytest.approx(1)
    assert known(kept, "a").queries == 3


def test_what_is_old_counts_less() -> None:
    kept = profiles()
    kept.add("a", "a", features(1, time=NOW - DAY))
    kept.add("a", "a", features(2, time=NOW))
    assert counters(kept, "a")[1:3] == pytest.approx([0.5, 1])
    assert counters(kept, "a", NOW + DAY)[1:3] == pytest.approx([0.25, 0.5])


@given(
    st.lists(st.tuples(st.floats(0, 5 * DAY), st.integers(0, 99)), min_size=1, max_size=12),
    st.randoms(use_true_random=False),
)
@settings(max_examples=40, deadline=None)
def test_the_order_of_exchanges_makes_no_difference(
    asked: list[tuple[float, int]], random: "object"
) -> None:
    one, other = profiles(), profiles()
    queries = [(NOW + ago, 100 * place + what) for place, (ago, what) in enumerate(asked)]
    for time, what in queries:
        one.add("a", "a", features(what, time=time))
    for time, what in sorted(queries, key=lambda each: each[1] % 7):
        other.add("a", "a", features(what, time=time))
    end = NOW + 5 * DAY
    assert counters(one, "a", end) == pytest.approx(counters(other, "a", end), rel=1e-4)


def test_many_exchanges_in_a_short_time_still_decay() -> None:
    kept = profiles(half_life=100.0)
    steps = 2_000
    for step in range(steps):
        kept.add("a", "a", features(step, time=NOW + step * 0.1))
    end = NOW + steps * 0.1
    rate = np.log(2) / 100.0
    expected = (1 - np.exp(-rate * (end - NOW))) / (rate * 0.1)
    assert counters(kept, "a", end)[-1] == pytest.approx(expected, rel=1e-3)


def test_what_others_counted_is_added_as_of_its_time() -> None:
    one = profiles()
    one.add("a", "a", features(1))
    asked = np.zeros(ASKED, np.uint8)
    asked[3] = 1
    one.merge("a", "a", np.ones(CELLS + 1, np.float32), asked, NOW - DAY)
    assert counters(one, "a")[:3] == pytest.approx([0.5, 1.5, 0.5])
    assert known(one, "a").asked[3] == 1
    one.merge("b", "b", np.ones(CELLS + 1, np.float32), asked, NOW)
    assert counters(one, "b") == [1.0] * (CELLS + 1)


def test_the_first_and_the_last_time_are_known() -> None:
    kept = profiles()
    for time in (NOW, NOW - 5, NOW + 7):
        kept.add("a", "a", features(1, time=time))
    assert (known(kept, "a").first, known(kept, "a").last) == (NOW - 5, NOW + 7)


def test_who_is_forgotten_begins_anew() -> None:
    kept = profiles(capacity=2)
    for name in ("a", "b"):
        kept.add(name, name, features(1, 2, 3))
    kept.forget("a")
    kept.forget("nobody")
    assert "a" not in kept
    kept.add("c", "c", features(9))
    kept.forget("b")
    kept.add("b", "b", features(9))
    assert counters(kept, "c") == counters(kept, "b")
    assert (len(kept), sorted(kept.subjects()), kept.forgotten) == (2, ["b", "c"], 0)
    assert known(kept, "c").asked.sum() > 0


def test_made_up_names_push_out_each_other_and_no_suspect() -> None:
    kept = profiles(capacity=200)
    kept.add("suspect", "acme", features(1))
    kept.judge("suspect", 20.0)
    kept.add("old", "acme", features(*range(64)))
    for number in range(1_500):
        kept.add(f"made-up-{number}", "acme", features(1, time=NOW + 1 + number))
    assert len(kept) == 200
    assert kept.forgotten == 1_502 - 200
    assert "suspect" in kept
    assert "old" in kept


def test_the_callers_of_one_tenant_cannot_push_out_those_of_others() -> None:
    kept = profiles(capacity=100)
    others = [f"other-{number}" for number in range(40)]
    for name in others:
        kept.add(name, "other" + name, features(1))
    for number in range(1_000):
        kept.add(f"made-up-{number}", "acme", features(1, 2, time=NOW + 1))
    assert all(name in kept for name in others)
    assert len(kept) == 100
    for number in range(60):
        kept.add(f"new-{number}", "third", features(1))
    assert all(name in kept for name in others)


def test_who_pushes_others_out_pays_with_its_own() -> None:
    kept = profiles(capacity=100)
    for tenant in ("acme", "third"):
        for number in range(200):
            kept.add(f"{tenant}-{number}", tenant, features(1))
    held = {
        name: sum(each.startswith(name) for each in kept.subjects()) for name in ("acme", "third")
    }
    assert held["third"] >= 25
    assert held["acme"] >= 25


def test_memory_for_each_caller_is_bounded() -> None:
    count, size, one = 8_192, 740, features()

    class Wide(Volume):
        size = 740

    kept = Profiles(Layout((Wide(),)), Decay(DAY), count, draws=np.random.default_rng(1))
    tracemalloc.start()
    try:
        before, _ = tracemalloc.get_traced_memory()
        for number in range(count):
            kept.add(f"tenant|principal-{number:08}-0123456789", "tenant", one)
        each = (tracemalloc.get_traced_memory()[0] - before) / count
        kept.add("one|more", "tenant", one)
        more = tracemalloc.get_traced_memory()[0] - before
    finally:
        tracemalloc.stop()
    assert 4 * size + ASKED <= each <= (4 << 30) / 1_000_000
    assert more <= each * count + 10_000


def test_a_layout_of_other_counters_has_rows_of_its_own() -> None:
    kept = Profiles(layout(), Decay(DAY), 2_100, draws=np.random.default_rng(1))
    for number in range(2_100):
        kept.add(f"{number}", f"{number}", features(number))
    assert all(counters(kept, f"{number}")[-1] == 1 for number in range(0, 2_100, 97))
