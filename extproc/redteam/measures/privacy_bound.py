"""What an attack on membership proves of epsilon: at least so much, with 95 % confidence.

Rule: a bound is of what was counted, whatever an attacker might still do: it shows a promise
broken, and never kept.

- Of a model that was trained many times, with a record and without: Jagielski, Ullman, Oprea, 2020,
  "Auditing Differentially Private Machine Learning"; Nasr et al., 2021, "Adversary Instantiation".
  Both rates have limits of Clopper and Pearson.
- Of one model, about many records: Steinke, Nasr, Jagielski, 2023, "Privacy Auditing with One (1)
  Training Run", theorem 5.2.  Of guesses whether records were trained on, each of which was with
  chance one half, as many are right at most as of coins that fall right with chance
  exp(epsilon) / (1 + exp(epsilon)); delta adds at most 2 delta for each record.
"""

from math import inf, log

from scipy import special

from extproc.redteam.measures.interval import LEVEL


def of_runs(found: tuple[int, int], alarms: tuple[int, int], delta: float) -> float:
    """Least epsilon of a model trained many times; 0 where nothing is proven.

    ``found``: of runs with the record, in how many it was said to be there, and how many there
    were; ``alarms``: the same of runs without it.  Which answer counts as which must not have been
    chosen by these runs.
    """
    hits, runs = found
    false, others = alarms
    tail = (1 - LEVEL) / 4  # two limits, on either side
    there = _larger(_low(hits, runs, tail), _high(false, others, tail), delta)
    not_there = _larger(_low(others - false, others, tail), _high(runs - hits, runs, tail), delta)
    return max(there, not_there, 0.0)


def of_guesses(right: int, made: int, records: int, delta: float) -> float:
    """Least epsilon of one model; 0 where nothing is proven.

    ``right`` of ``made`` guesses about ``records``; whoever guesses may be silent about any, and
    chooses how to guess without these records.
    """
    tail = 1 - LEVEL - 2 * records * delta
    if made == 0 or tail <= 0:
        return 0.0
    chance = _low(right, made, tail)
    return max(log(chance / (1 - chance)), 0.0) if chance > 0 else 0.0


def _larger(chance: float, other: float, delta: float) -> float:
    """The least epsilon with ``chance <= exp(epsilon) other + delta``."""
    if chance <= delta:
        return 0.0
    return log((chance - delta) / other) if other > 0 else inf


def _low(hits: int, count: int, tail: float) -> float:
    return float(special.betaincinv(hits, count - hits + 1, tail)) if hits else 0.0


def _high(hits: int, count: int, tail: float) -> float:
    return float(special.betaincinv(hits + 1, count - hits, 1 - tail)) if hits < count else 1.0
