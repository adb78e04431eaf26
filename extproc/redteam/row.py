"""One measured number, with all that says where it comes from."""

import msgspec


class Row(msgspec.Struct, frozen=True, kw_only=True):
    """``value`` of ``measure``.

    Two runs with the same seeds differ in ``seconds``, in values of measures of time, and under
    policies that detect by an answer or two; in nothing else.
    """

    attack: str
    victim: str
    policy: str
    seed: int
    measure: str
    value: float
    budget: int = 0
    strategy: str = ""
    queries: int = 0
    requests: int = 0
    refused: int = 0
    keys: int = 0
    seconds: float = 0.0
    note: str = ""
    """Evidence in words, of a finding."""
