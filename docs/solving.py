"""How long challenges take here, and their solutions to be checked: docs/exhaustion.md.

python docs/solving.py [SECONDS]    how long each row is measured
"""

import json
import math
import sys
from time import process_time

import altcha

from extproc.limits.exhaustion import PER_SECOND
from extproc.proof_of_work import SALT, TRIES, Holder, challenge

ASKED = {"250ms": 0.25, "500ms": 0.5, "1s": 1.0, "2s": 2.0, "5s": 5.0, "10s": 10.0}
HOLDER = Holder("acme", "key:0", "budget")
ROW = "{:>6}  {:>10}  {:>12}  {:>9}  {:>9}  {:>9}"


def main() -> None:
    spend = float(sys.argv[1]) if len(sys.argv) > 1 else 1.0
    print(ROW.format("asked", "iterations", "to check", "half", "9 of 10", "99 of 100"))
    for name, seconds in ASKED.items():
        made = challenge(bytes(32), HOLDER, round(seconds * PER_SECOND), 0.0, bytes(SALT))
        posed = altcha.Challenge.from_dict(json.loads(made))
        one = one_try(posed, spend)
        # Each counter solves it with one chance in TRIES, whatever was tried before.
        within = [-math.log(1 - share) * TRIES * one for share in (0.5, 0.9, 0.99)]
        told = [f"{each:.2f} s" for each in within]
        print(ROW.format(name, posed.parameters.cost * TRIES, f"{one * 1000:.2f} ms", *told))


def one_try(posed: altcha.Challenge, spend: float) -> float:
    """Seconds of one core, where nothing else runs: the least of ten readings."""
    return min(_reading(posed, spend / 10) for _ in range(10))


def _reading(posed: altcha.Challenge, spend: float) -> float:
    parameters = posed.parameters
    nonce, salt = bytes.fromhex(parameters.nonce), bytes.fromhex(parameters.salt)
    tried, begun = 0, process_time()
    while process_time() - begun < spend:
        altcha.derive_key_pbkdf2(parameters, salt, nonce + tried.to_bytes(4, "big"))
        tried += 1
    return (process_time() - begun) / tried


if __name__ == "__main__":
    main()
