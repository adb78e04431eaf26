"""What detectors learn: see extproc/detectors/features.py."""

from extproc.detectors.features import without_inputs


def test_queries_that_nobody_has_read_are_counted_all_the_same() -> None:
    features = without_inputs(12.5, "limited", queries=7, knobs=0b101, model=3)
    assert (features.time, features.outcome, features.queries) == (12.5, "limited", 7)
    assert (features.knobs, features.model) == (0b101, 3)
    assert features.sampled == 0
    arrays = (getattr(features, name) for name in features.__struct_fields__)
    assert all(len(array) == 0 for array in arrays if hasattr(array, "dtype"))
