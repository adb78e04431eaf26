"""All detectors together: see extproc/detectors/panel.py."""

import numpy as np

from extproc.detectors.panel import layout
from extproc.detectors.reference import Reference
from tests.detectors.questions import reference

LAYOUT = layout(reference(), 0.8, 604_800.0)


def test_they_have_room_in_a_profile_and_names_of_their_own() -> None:
    assert len(LAYOUT.parts) == len(LAYOUT.detectors)
    assert LAYOUT.size <= 740


def test_who_has_asked_nothing_is_suspected_by_none() -> None:
    told = LAYOUT.evidence(np.zeros(LAYOUT.size, np.float32))
    assert all(nats <= 0 for nats in told.values())


def test_numbers_are_not_held_to_what_texts_are() -> None:
    texts, queries = reference(), np.zeros(LAYOUT.size, np.float32)
    [domain] = texts.domains.values()
    numbers = Reference(texts.key, {"numbers/4": domain})
    queries[LAYOUT.parts["near_duplicate"]] = 9.0
    told = layout(numbers, 0.8, 604_800.0).evidence(queries)
    assert told["near_duplicate"] != LAYOUT.evidence(queries)["near_duplicate"]
    assert told["volume"] == LAYOUT.evidence(queries)["volume"]
