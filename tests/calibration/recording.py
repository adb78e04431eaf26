"""A file of benign traffic, small, as an operator would have recorded it."""

import json
from pathlib import Path

import numpy as np

from tests.detection.grammar import grammar

KEY = b"of a test" * 4
CLIENTS = 60
QUERIES = 40
WEEK = 604_800.0


def record(path: Path, clients: int = CLIENTS) -> Path:
    """Clients over four weeks; every tenth of a class of its own."""
    rng = np.random.default_rng(1)
    corpus = grammar(rng)
    texts = [corpus.pool.texts[row] for part in corpus.parts for row in corpus.whole(part)]
    lines = []
    for client in range(clients):
        start = rng.uniform(0, 3.5 * WEEK)
        for row in rng.integers(0, len(texts), QUERIES):
            start += rng.exponential(600.0)
            name = "batch" if client % 10 == 0 else "user"
            lines.append((start, f"client-{client}", name, texts[row]))
    lines.sort()
    with path.open("w") as file:
        for time, who, name, text in lines:
            file.write(
                json.dumps({"client": who, "time": 1.76e9 + time, "traffic": name, "input": text})
            )
            file.write("\n")
    return path
