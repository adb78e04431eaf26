"""The keys by which texts are marked, for whoever looks for the marks.

Rule: they are made as the policy makes them, of the same secret; of an epoch that is over as well,
since a text may be older than its key's last change.
"""

import os
from collections.abc import Mapping
from dataclasses import dataclass

from extproc.config.loading import Config
from extproc.config.marks import Marker
from extproc.config.policies import draw_root
from extproc.config.secret import resolve
from extproc.config.texts import canary_key, list_key, vocabularies
from extproc.draw import Draw
from extproc.marks.vocabulary import Vocabulary


@dataclass(frozen=True, slots=True)
class Owner:
    """Whose texts may be marked."""

    whose: str
    """``cohort NAME``, or ``tenant NAME`` of one that has none."""
    green_list: Draw
    canaries: Draw
    """Has a child of each model: see marks/canaries.py."""


def owners(
    config: Config, epoch: int | None = None, environ: Mapping[str, str] = os.environ
) -> list[Owner]:
    """All but those that are never marked.  Raise ConfigError where the secret cannot be read."""
    settings = config.settings
    key = resolve(config.document, ("keys", "hmac"), settings.keys.hmac, environ)
    marker = Marker(draw_root(key, settings.keys.epoch if epoch is None else epoch))
    found = {}
    for name, tenant in settings.tenants.items():
        if not tenant.exempt:
            cohort = tenant.cohort or ""
            own = marker.key(name, cohort)
            whose = f"cohort {cohort}" if cohort else f"tenant {name}"
            found[whose] = Owner(whose, list_key(own), canary_key(own))
    return list(found.values())


def word_lists(config: Config) -> dict[str, Vocabulary]:
    """By the name of the fidelity.  Raise ConfigError where one cannot be used."""
    return vocabularies(config.document, config.settings)
