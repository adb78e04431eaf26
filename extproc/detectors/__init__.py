"""What looks like somebody copying a model: (counters, query, outcome) -> (counters, evidence).

Read ``features.py`` (what is known of a query: never its text), ``detector.py`` (what a detector
is), ``profile.py`` (what is kept of a caller), ``evidence.py`` (how it adds up to a suspicion),
then the detectors, a file each.
"""
