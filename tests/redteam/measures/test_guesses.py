import numpy as np

from extproc.redteam.measures.guesses import guesses
from extproc.redteam.measures.privacy_bound import of_guesses

MEMBER = np.arange(400) < 200


def test_what_tells_members_is_found_and_counted_on_records_that_were_not_learnt_from() -> None:
    rng = np.random.default_rng(1)
    telling = MEMBER + rng.normal(0, 0.1, 400)
    found = guesses({"noise": rng.random(400), "telling": telling}, MEMBER, rng)
    assert found.way == "telling"
    assert found.records == 200
    assert 180 < found.right <= found.made


def test_a_few_that_stand_out_are_guessed_and_the_others_are_not() -> None:
    rng = np.random.default_rng(2)
    suspicion = rng.random(400)
    suspicion[:40] += 1
    found = guesses({"few": suspicion}, MEMBER, rng)
    assert 10 < found.made < 60
    assert found.right / found.made > 0.85


def test_many_useless_ways_prove_nothing_though_the_luckiest_is_taken() -> None:
    proven = []
    for seed in range(40):
        rng = np.random.default_rng(seed)
        ways = {f"{way}": rng.random(400) for way in range(20)}
        found = guesses(ways, MEMBER, rng)
        proven.append(of_guesses(found.right, found.made, found.records, 0.0))
    assert np.mean(np.array(proven) > 0) <= 0.1


def test_a_suspicion_that_is_the_same_of_all_is_no_reason_to_guess_twice() -> None:
    found = guesses({"flat": np.zeros(400)}, MEMBER, np.random.default_rng(3))
    assert found.made <= found.records == 200
