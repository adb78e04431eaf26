"""Where a run takes place."""

from extproc.redteam.ground import Ground, Place
from extproc.redteam.preflight import Door


def test_every_policy_is_a_door_and_the_victims_themselves_are_none() -> None:
    ground = Ground(
        "http://bare",
        {"none": Place("http://bare", {}), "full": Place("http://gateway", {}, ("k",))},
    )
    assert ground.doors() == [Door("full", "http://gateway", ("k",), compared=True)]


def test_a_target_without_a_reference_is_compared_with_nothing() -> None:
    ground = Ground("http://it", {"target": Place("http://it", {}, ("k",))}, ("k",))
    assert ground.doors() == [Door("target", "http://it", ("k",), compared=False)]
