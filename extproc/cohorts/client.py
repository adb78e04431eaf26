"""A link: clients that look alike, by their TLS handshake or the header fields they send.

Rule: it weighs as much as the looks are rare, and never enough to link two subjects by itself: most
callers use one of a few libraries.  Source: Althouse, "JA4+ Network Fingerprinting", 2023, for
looks; Sparck Jones 1972 (network.py) for rarity.
"""

from typing import Final

from extproc.cohorts.coincidence import Nats

MOST: Final = 2.5
"""Nats."""


def evidence(rarest: Nats) -> Nats:
    """Of the rarest looks that both had: minus the logarithm of the share of subjects that have
    them, 0 where there are none; shape (pairs,).
    """
    return rarest.clip(0.0, MOST)
