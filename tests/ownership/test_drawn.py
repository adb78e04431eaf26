"""What is called a mark was drawn by the secret, or does not count."""

import hmac
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import pytest

from extproc.canonical import at_once
from extproc.config.marks import Marker
from extproc.config.texts import EXACT, processor_key
from extproc.draw import Draw
from extproc.errors import ConfigError
from extproc.marks.entry import Entry
from extproc.marks.pledge import Pledge
from extproc.marks.stamps import name
from extproc.mutators import Mark
from extproc.ownership.drawn import drawn, read_secret
from extproc.ownership.vault_file import Opened
from tests.marks.wordlists import vocabulary
from tests.ownership import moving, writing
from tests.ownership.making import Made
from tests.ownership.moving import told, world
from tests.ownership.writing import canary, keep, listed, whose

SECRET = b"of these tests, and no secret"
ROWS = np.random.default_rng(1).random((600, 40)).tolist()


def entries(rate: float, cohort: str = "") -> list[Entry]:
    """As the sidecar draws them: see config/policies.py."""
    root = Draw(hmac.digest(SECRET, b"draw", "sha256")).child(b"3")
    marks = Marker(root).of("acme", cohort)(Mark(rate=rate))
    marking = at_once(marks.marking("digits", [[["image", row]] for row in ROWS]))
    return [
        Entry(
            *("", "", "acme", cohort, "r", "digits", 3, name(each.cell), each.stamp),
            input=msgspec.Raw(each.input),
            truth=1,
            other=2,
        )
        for each in marking.stamped.values()
    ]


def known(some: Iterable[Entry]) -> Opened:
    return Opened({str(at): entry for at, entry in enumerate(some)}, 0)


@pytest.mark.parametrize("rate", [0.001, 0.005])
@pytest.mark.parametrize("cohort", ["", "pair"])
def test_what_the_sidecar_draws_is_drawn_so(rate: float, cohort: str) -> None:
    every = known(entries(rate, cohort))
    assert every.entries
    assert drawn(every, SECRET) == Opened(every.entries, 0, undrawn=0)


def test_what_was_chosen_is_not() -> None:
    """Planted: without it, an owner calls marks what a model gets wrong that is there already."""
    every = entries(0.005)
    swapped = {"mark": "control", "control": "mark"}
    for change in (
        [msgspec.structs.replace(each, stamp=swapped[each.stamp]) for each in every],
        [msgspec.structs.replace(each, cell="0" * 32) for each in every],
        [msgspec.structs.replace(each, tenant="other") for each in every],
        [msgspec.structs.replace(each, epoch=4) for each in every],
        [msgspec.structs.replace(each, input=msgspec.Raw(b'"a text"')) for each in every],
    ):
        assert drawn(known(change), SECRET) == Opened({}, 0, len(every))
    assert drawn(known(every), SECRET[1:]).entries == {}


def test_of_an_embedding_the_key_is_drawn() -> None:
    """Planted: believing it lets its owner try keys until one fits a model that is there."""
    texts = world().texts[:4]
    _, every = told("acme", texts, world().private(texts), epoch=3)
    assert drawn(known(every), moving.SECRET) == Opened(known(every).entries, 0, undrawn=0)
    for change in (
        [msgspec.structs.replace(each, tenant="other") for each in every],
        [msgspec.structs.replace(each, epoch=4) for each in every],
        [msgspec.structs.replace(each, cohort="pair") for each in every],
        [msgspec.structs.replace(each, model="other") for each in every],
        [msgspec.structs.replace(each, moved=None) for each in every],
    ):
        assert drawn(known(change), moving.SECRET) == Opened({}, 0, len(every))
    assert drawn(known(every), SECRET).entries == {}


def test_the_secret_is_read_as_a_policy_reads_it(tmp_path: Path) -> None:
    (tmp_path / "hmac").write_bytes(SECRET + b"\r\n")
    assert read_secret(tmp_path / "hmac") == SECRET
    with pytest.raises(ConfigError, match=r"name the file of keys\.hmac"):
        read_secret(tmp_path / "nowhere")


def of_texts(made: Made) -> list[Entry]:
    """A list, a reference and a processor's key, as the sidecar draws them."""
    listed(made)
    canary(made)
    key = processor_key(whose())
    pledge = Pledge("processor", key, b"{}", str(key.below(EXACT)))
    fields: dict[str, Any] = {
        "tenant": "acme",
        "cohort": "",
        "model": "chat",
        "route": "POST /chat",
    }
    keep(made, pledge.finding("chat", "POST /chat"), **fields)
    return made.entries


def test_keys_of_texts_are_drawn_so_or_do_not_count(made: Made) -> None:
    """Planted: a list that was searched for until it fits a model that is there already."""
    every = of_texts(made)
    assert drawn(known(every), writing.SECRET).undrawn == 0
    for change in (
        [msgspec.structs.replace(each, other="0" * 64) for each in every],
        [msgspec.structs.replace(each, tenant="other") for each in every],
        [msgspec.structs.replace(each, epoch=2) for each in every],
    ):
        assert drawn(known(change), writing.SECRET) == Opened({}, 0, 3)
    other = msgspec.Raw(vocabulary(61).json)
    for used_with in (other, msgspec.Raw(b"{}")):
        assert not drawn(
            known([msgspec.structs.replace(every[0], input=used_with)]), writing.SECRET
        ).entries
