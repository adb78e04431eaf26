"""Lists and references, committed to as the sidecar does, and texts that were written with them."""

import secrets
from collections.abc import Sequence
from typing import Any

import msgspec
import numpy as np

from extproc.config.marks import Marker
from extproc.config.policies import draw_root
from extproc.config.texts import canary_key, list_key
from extproc.draw import Draw
from extproc.marks.canaries import of_model, references
from extproc.marks.entry import Entry
from extproc.marks.green_list import green
from extproc.marks.marking import Finding
from extproc.marks.pledge import Pledge
from extproc.marks.vocabulary import Vocabulary
from extproc.ownership.commitments import Bounds, committed
from extproc.ownership.text_marks import TextMarks, gathered
from extproc.ownership.text_report import TextBasis
from extproc.ownership.vault_file import open_vault, read_key
from tests.marks.wordlists import vocabulary
from tests.ownership.making import Made

SECRET = b"of these tests, and no secret at all"
WORDS = vocabulary()


def whose(tenant: str = "acme", cohort: str = "", epoch: int = 1) -> Draw:
    root = draw_root(SECRET, epoch)
    return Marker(root).key(tenant, cohort)


def listed(made: Made, words: Vocabulary = WORDS, key: Draw | None = None, **more: Any) -> Draw:
    """Commit to a list; the key of it."""
    fields = {"tenant": "acme", "cohort": "", "model": "chat", "route": "POST /chat"} | more
    own = key or list_key(whose(fields["tenant"], fields["cohort"]), words)
    pledge = Pledge("green_list", own, words.json, own.key.hex())
    keep(made, pledge.finding(fields["model"], fields["route"]), **fields)
    return own


def canary(made: Made, at: int = 0, said: str = "", **more: Any) -> str:
    """Commit to a reference; which it is."""
    fields = {"tenant": "acme", "cohort": "", "model": "chat", "route": "POST /chat"} | more
    own = whose(fields["tenant"], fields["cohort"])
    told = said or references(of_model(canary_key(own), fields["model"]))[at]
    keep(made, Finding("canary", secrets.token_hex(16), b'"What is it?"', "", told), **fields)
    return told


def keep(made: Made, found: Finding, *, vault: bool = True, **fields: Any) -> Entry:
    entry = Entry(
        salt=secrets.token_hex(16),
        time=made.now.isoformat(),
        epoch=1,
        cell=found.cell,
        stamp=found.stamp,
        input=msgspec.Raw(found.input),
        truth=found.truth,
        other=found.other,
        **fields,
    )
    return made.keep(entry, vault=vault)


def written(
    key: Draw | None, count: int = 10, seed: int = 1, words: Vocabulary = WORDS
) -> list[str]:
    """Texts by a list; by none where there is no key."""
    weights = np.ones(len(words.words))
    if key is not None:
        weights = np.where(green(words, key), 8.0, 1.0)
    names = [each.word for each in words.words]
    chance = np.random.default_rng(seed)
    return [*map(" ".join, chance.choice(names, (count, 60), p=weights / weights.sum()).tolist())]


def basis(made: Made, bounds: Bounds | None = None, model: str = "") -> TextBasis:
    made.write()
    within = bounds or Bounds()
    log = committed([made.log], [made.folder / "audit.pub"], within, live=False)
    opened = open_vault([made.vault], read_key(made.folder / "vault.pem"))
    return TextBasis(log, within, opened, gathered(log.counted, opened.entries, model))


def marks(made: Made, **more: Any) -> TextMarks:
    return basis(made, **more).marks


def all_of(*texts: Sequence[str]) -> list[str]:
    return [each for some in texts for each in some]
