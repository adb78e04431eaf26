"""Tell who was in the training data.

Papers: Yeom, Giacomelli, Fredrikson, Jha, 2018, "Privacy Risk in Machine Learning" (the confidence
in the true label, and the gap: right or wrong); Salem et al., 2019, "ML-Leaks" (the highest
confidence); Song and Mittal, 2021, "Systematic Evaluation of Privacy Risks" (modified entropy);
Carlini et al., 2022, "Membership Inference Attacks From First Principles" (shadow
models); Watson, Guo, Cormode, Sablayrolles, 2022, "On the Importance of Difficulty Calibration in
Membership Inference Attacks" (the same without logarithms: an odd record that is told as if it were
none); Choquette-Choo, Tramer, Carlini, Papernot, 2021, "Label-Only Membership Inference Attacks"
(how much noise an answer stands, which needs labels alone).

The attacker has records, half of them members, and knows their true labels, as in these papers;
it is the one attack that reads them from what only judges see.
"""

from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass, replace
from typing import Final

import numpy as np
from sklearn.linear_model import LogisticRegression

from extproc.redteam.answers import Answers, Bools, Floats, Ints
from extproc.redteam.attack import Attack, Family, Finding, Gain, Kind, Measure, Needs
from extproc.redteam.measures.distinguish import auc, auc_interval, true_positives
from extproc.redteam.measures.guesses import guesses
from extproc.redteam.measures.privacy_bound import of_guesses
from extproc.redteam.scene import Scene

NOISES: Final = (0.05, 0.1, 0.2, 0.3)
"""Standard deviations, as shares of each input's range."""
_DRAWS: Final = 5
"""Of each noise."""
_SHADOWS: Final = 12
_RARE: Final = 0.01
"""Share of false positives at which true ones are counted."""
_LEAST: Final = 1e-6
DELTA: Final = 1e-5
"""At which an epsilon is proven."""


@dataclass(frozen=True, slots=True)
class _Candidates:
    """Records [N, d] with their true labels [N], and whether they are members [N]."""

    inputs: Floats
    truth: Ints
    member: Bools


@dataclass(frozen=True, slots=True)
class _Told:
    """What was answered about candidates: chance of each label [N, C], or one of the label told."""

    scores: Floats
    labels: Ints
    in_detail: bool


async def _run(scene: Scene) -> AsyncIterator[Gain]:
    candidates = _candidates(scene)
    suspicions: dict[str, Floats] = {}
    async for name, suspicion in _suspicions(scene, candidates):
        suspicions[name] = suspicion
        for finding in _findings(candidates, name, suspicion):
            yield finding
    made = guesses(suspicions, candidates.member, scene.rng)
    for name, count in (("right", made.right), ("made", made.made), ("records", made.records)):
        yield Finding(f"guesses.{name}", count, note=_WAYS[made.way])
    proven = of_guesses(made.right, made.made, made.records, DELTA)
    yield Finding("guesses.epsilon", proven)


async def _suspicions(scene: Scene, candidates: _Candidates) -> AsyncIterator[tuple[str, Floats]]:
    """How much each candidate looks like a member [N], by each of the known ways."""
    told = await _ask(scene, candidates)
    # Who was refused is neither: a refusal is no wrong answer.
    yield "gap", np.where(told.labels < 0, 0.5, told.labels == candidates.truth)
    shadows = _shadows(candidates, scene.rng)
    chance = _of_truth(told.scores, candidates)
    usual = shadows.outside(shadows.chance)
    yield "calibrated", np.where(told.labels < 0, 0.0, chance - usual)
    if told.in_detail:
        yield "confidence", chance
        yield "highest", told.scores.max(axis=1)
        yield "entropy", -_modified_entropy(told.scores, candidates)
        yield "shadows", _logit(chance) - shadows.outside(_logit(shadows.chance))
    yield "label_only", await _stood(scene, candidates)


def _candidates(scene: Scene) -> _Candidates:
    secret = scene.target.secret
    return _Candidates(
        np.concatenate([secret.members, secret.others]),
        np.concatenate([secret.member_truth, secret.other_truth]),
        np.arange(len(secret.members) + len(secret.others)) < len(secret.members),
    )


async def _ask(scene: Scene, candidates: _Candidates) -> _Told:
    answers = await _asked(scene, candidates.inputs)
    labels, classes = answers.labels, scene.target.classes
    if answers.scores is None:
        return _Told(np.eye(classes)[np.maximum(labels, 0)], labels, in_detail=False)
    scores = np.nan_to_num(answers.scores, nan=1 / classes)
    in_detail = np.any((answers.scores > 0) & (answers.scores < 1))
    return _Told(scores, labels, in_detail=bool(in_detail))


async def _asked(scene: Scene, inputs: Floats) -> Answers:
    """In an order that is no order of members: where answers run out, who has none says nothing."""
    order = scene.rng.spawn(1)[0].permutation(len(inputs))
    answers, back = await scene.classifier().ask(inputs[order]), order.argsort()
    scores = None if answers.scores is None else answers.scores[back]
    return Answers(answers.labels[back], scores, answers.served[back])


def _findings(candidates: _Candidates, name: str, suspicion: Floats) -> Iterator[Finding]:
    """``suspicion`` [N] is higher for who looks like a member."""
    others, members = suspicion[~candidates.member], suspicion[candidates.member]
    value = auc(others, members)
    low, high = auc_interval(value, len(others), len(members))
    yield Finding(f"auc.{name}", value, note=f"95 % of one sample: {low:.3f} to {high:.3f}")
    yield Finding(f"found.{name}", true_positives(others, members, _RARE))


async def _stood(scene: Scene, candidates: _Candidates) -> Floats:
    """Share of noisy variants [N] of which the true label was still told."""
    target = scene.target
    right, served = np.zeros(len(candidates.truth)), np.zeros(len(candidates.truth))
    for noise in NOISES:
        for _ in range(_DRAWS):
            drawn = scene.rng.normal(0, noise, candidates.inputs.shape)
            varied = candidates.inputs + drawn * (target.high - target.low)
            answers = await _asked(scene, np.clip(varied, target.low, target.high))
            right += answers.served & (answers.labels == candidates.truth)
            served += answers.served
    return np.where(served > 0, right / np.maximum(served, 1), 0.5)


def _of_truth(scores: Floats, candidates: _Candidates) -> Floats:
    chances: Floats = scores[np.arange(len(scores)), candidates.truth]
    return chances


def _modified_entropy(scores: Floats, candidates: _Candidates) -> Floats:
    """Song and Mittal, equation 8: small where the true label is sure and the others are not."""
    chance = np.clip(scores, _LEAST, 1 - _LEAST)
    wrong = -chance * np.log(1 - chance)
    true = _of_truth(chance, candidates)
    entropy: Floats = wrong.sum(axis=1) - _of_truth(wrong, candidates) - (1 - true) * np.log(true)
    return entropy


@dataclass(frozen=True, slots=True)
class _Shadows:
    """What S models say of the true labels [S, N], and who was in each one's training [S, N]."""

    chance: Floats
    seen: Bools

    def outside(self, values: Floats) -> Floats:
        """The mean of values [S, N] over the shadows that have not seen a record."""
        unseen = np.maximum((~self.seen).sum(axis=0), 1)
        mean: Floats = np.where(self.seen, 0, values).sum(axis=0) / unseen
        return mean


def _shadows(candidates: _Candidates, rng: np.random.Generator) -> _Shadows:
    """Carlini et al., section VI, the offline attack with one variance for all."""
    count = len(candidates.truth)
    seen = np.array([rng.permutation(count) < count // 2 for _ in range(_SHADOWS)])
    return _Shadows(np.array([_shadow(candidates, each) for each in seen]), seen)


def _shadow(candidates: _Candidates, seen: Bools) -> Floats:
    """What a model says of the true label [N], that was trained on those ``seen``."""
    scale = np.abs(candidates.inputs).max() or 1.0
    model = LogisticRegression(C=10.0, max_iter=500)
    model.fit(candidates.inputs[seen] / scale, candidates.truth[seen])
    chances = np.zeros((len(seen), int(candidates.truth.max()) + 1))
    chances[:, model.classes_] = model.predict_proba(candidates.inputs / scale)
    return _of_truth(chances, candidates)


def _logit(chance: Floats) -> Floats:
    bounded = np.clip(chance, _LEAST, 1 - _LEAST)
    logit: Floats = np.log(bounded) - np.log1p(-bounded)
    return logit


_WAYS: Final = {
    "gap": "by whether the label told is right",
    "confidence": "by the confidence in the true label",
    "highest": "by the highest confidence",
    "entropy": "by modified entropy",
    "shadows": "by how much surer it is than shadow models",
    "calibrated": "by how much likelier it is told than shadow models tell it",
    "label_only": "by how much noise the label stands",
}

ATTACK: Final = Attack(
    name="membership",
    paper=(
        "Yeom et al. 2018; Salem et al. 2019; Choquette-Choo et al. 2021; Watson et al. 2022; "
        "Carlini et al. 2022"
    ),
    family=Family.PRIVACY,
    needs=(Needs.MEMBERS, Needs.LABELS),
    kind=Kind.CLASSIFIER,
    run=_run,
    victims=("digits-mlp", "digits-forest", "digits-plain", "digits-dp-8", "digits-dp-3"),
    quick=("digits-mlp",),
    budgets=(10_000,),
    measures=(
        *(
            Measure(f"auc.{w}", f"how well members are told from others {h}")
            for w, h in _WAYS.items()
        ),
        *(
            Measure(f"found.{w}", f"share of members found {h}, at 1 % of others taken for them")
            for w, h in _WAYS.items()
        ),
        Measure("guesses.right", "guesses of who was trained on that were right"),
        Measure("guesses.made", "guesses ventured, as learnt from the other half of the records"),
        Measure("guesses.records", "records that were guessed about, or not"),
        Measure("guesses.epsilon", "epsilon that these guesses prove at least, at delta 1e-5"),
    ),
)
VOTES: Final = replace(
    ATTACK,
    name="membership-votes",
    victims=("digits-teachers",),
    quick=(),
    apart="private",
    policies=("private",),
    quick_policies=("private",),
)
