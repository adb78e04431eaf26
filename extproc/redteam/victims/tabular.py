"""The demo's two classifiers of tables: tumours by 30 features, wines by 13.

Rule: the split is that of `extproc.demo.server.models.tabular`.  Half of its held-out rows are the
judge's; the other half are the attacker's, and are those that membership inference has to tell from
members.  All other rows of `task` are mixtures of the attacker's (`expansion.py`).
"""

from collections.abc import Callable
from typing import Any, Final

import numpy as np
from sklearn.datasets import load_breast_cancer, load_diabetes, load_iris, load_wine
from sklearn.model_selection import train_test_split

from extproc.redteam.adapters.kserve import Kserve
from extproc.redteam.answers import Floats
from extproc.redteam.victims.expansion import expanded
from extproc.redteam.victims.victim import ClassifierVictim, Secret

_HELD_OUT: Final = 0.4
_SEED: Final = 0
_TASK: Final = 12_000
_NATURAL: Final = 12_000


def cancer() -> ClassifierVictim:
    about = (
        "Logistic regression on scikit-learn's breast tumours: 30 inputs, 2 classes; tells 95 % of"
        " held-out tumours rightly."
    )
    return _victim("cancer", about, load_breast_cancer, (load_wine, load_iris, load_diabetes))


def wine() -> ClassifierVictim:
    about = (
        "Softmax regression on scikit-learn's wines: 13 inputs, 3 classes; tells 97 % of held-out"
        " wines rightly."
    )
    return _victim("wine", about, load_wine, (load_breast_cancer, load_iris, load_diabetes))


def _victim(
    name: str, about: str, load: Callable[..., Any], others: tuple[Callable[..., Any], ...]
) -> ClassifierVictim:
    rows, labels = load(return_X_y=True)
    members, held, member_truth, truth = train_test_split(
        _scaled(rows), labels, test_size=_HELD_OUT, random_state=_SEED, stratify=labels
    )
    judged = len(held) // 2
    own, features = len(held) - judged, rows.shape[1]
    return ClassifierVictim(
        name=name,
        about=about,
        adapter=Kserve(name, "features", int(labels.max()) + 1),
        dimensions=features,
        classes=int(labels.max()) + 1,
        low=np.zeros(features),
        high=np.ones(features),
        task=expanded(held[judged:], _TASK, _SEED),
        natural=expanded(_foreign(others, features), _NATURAL, _SEED),
        secret=Secret(
            held[:judged],
            truth[:judged],
            members[:own],
            member_truth[:own],
            held[judged:],
            truth[judged:],
        ),
        linear=True,
        real=own,
    )


def _foreign(loads: tuple[Callable[..., Any], ...], features: int) -> Floats:
    """Rows of other tables, their columns scaled alike and repeated or cut to ``features``."""
    tables = [_scaled(load(return_X_y=True)[0]) for load in loads]
    columns = np.arange(features)
    return np.concatenate([table[:, columns % table.shape[1]] for table in tables])


def _scaled(rows: Floats) -> Floats:
    """Each column to 0 and 1 by its range."""
    low, high = rows.min(axis=0), rows.max(axis=0)
    scaled: Floats = (rows - low) / (high - low)
    return scaled
