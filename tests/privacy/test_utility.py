"""How well an ensemble reads handwritten digits that keeps its promise: see teachers.py."""

from pathlib import Path

import numpy as np

from tests.privacy.ledger import Gateway, table, text
from tests.privacy.recorded import DIGITS

BUDGET = "{name: digits, count: privacy, epsilon: 2, delta: 1e-5, per: tenant}"


async def test_at_least_95_of_100_digits_are_read_rightly_at_epsilon_2_over_1000_queries(
    tmp_path: Path,
) -> None:
    mechanism = f"{{kind: noisy_max, noise: gaussian, scale: {DIGITS.noise(2.0)}}}"
    policy = text(BUDGET, mechanism).replace("teachers: 250", f"teachers: {DIGITS.teachers}")
    gateway = Gateway(table(tmp_path, policy.replace("classes: [ape, bee, cat]", "classes: []")))
    right = 0
    for first in range(0, 1000, 100):
        votes = DIGITS.votes[first : first + 100].tolist()
        said = await gateway.ask(*range(first, first + 100), answer={"votes": votes})
        right += int((np.array(said).argmax(1) == DIGITS.truth[first : first + 100]).sum())
    assert right >= 950
    assert await gateway.ask("one more", votes=DIGITS.votes[0].tolist()) == 429
