"""Orders of mutators in a policy: of every chain it is known whether it loads, and why not."""

import re
from itertools import combinations
from pathlib import Path
from typing import Final, get_args

import pytest

from extproc.errors import ConfigError
from extproc.mutators import Mutator, Private
from extproc.prediction import Kind
from tests.config.example import changed, compiled
from tests.config.orders import (
    DROP,
    KINDS,
    OTHER,
    accepted,
    chains,
    fitting,
    name,
    refused,
    written,
)

FIRST: Final = {"mark", "smooth", "mark_positions"}
"""They stand behind nothing."""
PRIVATE: Final = {"noisy_max", "randomized_response", "discrete_laplace", "gaussian"}
"""They stand behind nothing but ``truncate``."""
LAST: Final = {"similarity"}
"""They stand before nothing, nor behind marks that nobody would see."""
USELESS: Final = {("mark_positions", "similarity"), ("randomized_response", "top_k other")}
BEHIND_OTHER: Final = {"round", "drop"}
every_kind: Final = pytest.mark.parametrize("kind", KINDS)


def wanted(before: str, behind: str) -> bool:
    """Whether a policy allows these two in this order."""
    if before in LAST or behind in FIRST or (before, behind) in USELESS:
        return False
    if before == "top_k other":
        return behind in BEHIND_OTHER
    return behind not in PRIVATE or before == "truncate"


def test_every_mutator_is_tried() -> None:
    tried = {type(each) for kind in KINDS for each in fitting(kind)}
    assert tried == set(get_args(Mutator))
    assert {
        name(each) for kind in KINDS for each in fitting(kind) if isinstance(each, Private)
    } == PRIVATE


@every_kind
def test_of_every_pair_it_is_known_whether_it_loads(kind: Kind) -> None:
    pairs = [(one, other) for one in fitting(kind) for other in fitting(kind) if one != other]
    loads = {pair: refused(kind, pair) is None for pair in pairs}
    assert loads == {(a, b): wanted(name(a), name(b)) for a, b in pairs}


@every_kind
def test_a_chain_loads_where_all_its_pairs_do(kind: Kind) -> None:
    longer = [chain for chain in chains(kind, 3) if len(chain) == 3]
    loads = {pair: refused(kind, pair) is None for pair in chains(kind, 2)}
    for chain in longer:
        all_do = all(loads[pair] for pair in combinations(chain, 2))
        assert (refused(kind, chain) is None) is all_do, written(chain)


@every_kind
def test_what_is_refused_is_refused_in_a_sentence_that_says_where_and_what_to_do(
    kind: Kind,
) -> None:
    for chain in chains(kind, 3):
        said = refused(kind, chain)
        place = rf"policy\.yaml:1: fidelities\.tier\.{kind}\[[0-2]\](\.other)?: "
        assert said is None or re.fullmatch(place + r"[^;]+; [^;]+", said), said


@every_kind
def test_twice_in_one_chain_stands_nothing_that_works_once(kind: Kind) -> None:
    """Planted: two of ``smooth`` took each other's exchange back, by one and the same coin."""
    for each in fitting(kind):
        once = name(each) in FIRST | PRIVATE | LAST or each == OTHER
        assert (refused(kind, (each, each)) is not None) is once


def test_where_a_label_stands_apart_no_chain_makes_its_numbers_say_another() -> None:
    """Planted: ``smooth`` beside a label of the model's own, which told the true class."""
    for chain in accepted("probabilities", 2):
        if OTHER in chain:  # which has no place on such a route
            continue
        relabels = any(each.RELABELS for each in chain)
        said = refused("probabilities", chain, "label", apart=True)
        assert (said is not None) is relabels, written(chain)
        assert said is None or "label" in said


@every_kind
def test_a_chain_that_drops_serves_nothing_and_what_follows_is_no_fault(kind: Kind) -> None:
    assert [chain for chain in accepted(kind, 2) if DROP in chain] == []
    for each in fitting(kind):
        if name(each) not in LAST:
            assert refused(kind, (each, DROP)) is None


SMOOTH = "{kind: smooth, margin: 0.1}"
APART = ("{probs: probabilities}", "{probs: probabilities, top: label}")


@pytest.mark.parametrize(
    ("chain", "more", "said"),
    [
        (
            f"{{kind: top_k, k: 1}}, {SMOOTH}",
            "text",
            (
                "[1]: smooth stands behind others, which may hide the class that is next; "
                "move it to the beginning, once"
            ),
        ),
        (
            f"{SMOOTH}, {SMOOTH}",
            "text",
            "[0]: smooth behind it may change the label again; remove one of the two",
        ),
        (
            SMOOTH,
            "label",
            (
                "[0]: POST /v2/models/{model}/infer answers label as well, which tells what smooth "
                "hides; leave label out, or remove the route"
            ),
        ),
        (
            "{kind: label_only}, {kind: randomized_response, epsilon: 4}",
            "text",
            (
                "[0]: what label_only does is lost in the noise of randomized_response behind it; "
                "put it behind, or remove it"
            ),
        ),
        (
            "{kind: randomized_response, epsilon: 4}, {kind: randomized_response, epsilon: 4}",
            "text",
            (
                "[1]: randomized_response spends privacy on what randomized_response has made "
                "private already; remove one of them"
            ),
        ),
    ],
)
def test_a_file_is_refused_by_its_line(tmp_path: Path, chain: str, more: str, said: str) -> None:
    tier = f"full: {{probabilities: [{chain}], {more}: pass}}"
    text = changed(("full: {probabilities: pass, text: pass}", tier), APART)
    with pytest.raises(ConfigError) as caught:
        compiled(tmp_path, text)
    assert str(caught.value) == f"{tmp_path}/policy.yaml:12: fidelities.full.probabilities{said}"


def test_names_that_follow_their_numbers_may_pass_beside_what_blurs_them(tmp_path: Path) -> None:
    tier = f"full: {{probabilities: [{SMOOTH}], label: pass}}"
    text = changed(("full: {probabilities: pass, text: pass}", tier))
    assert compiled(tmp_path, text).policies
