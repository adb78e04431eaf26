"""The attacks, by name."""

from collections.abc import Mapping
from typing import Final

from extproc.redteam.attack import Attack
from extproc.redteam.attacks import (
    active_boundary,
    active_centres,
    active_entropy,
    averaging,
    budget_bypass,
    copycat,
    data_free,
    distillation,
    embedding_inversion,
    embedding_pooling,
    embedding_regression,
    equation_solving,
    hop_skip_jump,
    information,
    jacobian,
    knockoff_adaptive,
    knockoff_random,
    label_boundary,
    legitimate_use,
    length,
    membership,
    oracles,
    slow_mixed,
    softmax_bottleneck,
    sybil,
    timing,
    utility,
    utility_retrieval,
)

ATTACKS: Final[Mapping[str, Attack]] = {
    attack.name: attack
    for attack in (
        active_boundary.ATTACK,
        active_centres.ATTACK,
        active_entropy.ATTACK,
        copycat.ATTACK,
        data_free.ATTACK,
        distillation.ATTACK,
        equation_solving.ATTACK,
        information.ATTACK,
        hop_skip_jump.ATTACK,
        jacobian.ATTACK,
        knockoff_adaptive.ATTACK,
        knockoff_random.ATTACK,
        label_boundary.ATTACK,
        embedding_pooling.ATTACK,
        embedding_regression.ATTACK,
        embedding_inversion.ATTACK,
        averaging.ATTACK,
        softmax_bottleneck.ATTACK,
        membership.ATTACK,
        length.LENGTH,
        length.LENGTH_LANGUAGE,
        oracles.ATTACK,
        timing.TIMING,
        timing.TIMING_LANGUAGE,
        budget_bypass.ATTACK,
        slow_mixed.ATTACK,
        sybil.SYBIL_LINKED,
        sybil.SYBIL_UNLINKED,
        legitimate_use.ATTACK,
        utility.ATTACK,
        utility_retrieval.ATTACK,
    )
}
