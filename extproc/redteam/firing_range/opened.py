"""All that a plan needs, running: the victims, and a gateway for each policy file."""

from collections.abc import AsyncIterator, Iterable, Iterator, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from hashlib import sha256
from pathlib import Path
from typing import Final

from extproc.redteam.adapters.kserve import Kserve
from extproc.redteam.adapters.openai_embeddings import OpenAiEmbeddings
from extproc.redteam.attack import Attack
from extproc.redteam.firing_range.benign_traffic import SHARE
from extproc.redteam.firing_range.calibrated import calibrated
from extproc.redteam.firing_range.firing_range import Gateway, gateway, model_server
from extproc.redteam.firing_range.issue import Party, shares
from extproc.redteam.firing_range.redis_server import redis_server
from extproc.redteam.ground import Ground, Place
from extproc.redteam.plan import Planned, parties
from extproc.redteam.policy_choice import Choice
from extproc.redteam.victims.victim import ClassifierVictim, EmbeddingVictim, LanguageVictim, Victim

_AT_ONCE: Final = 16
"""Requests under way, where their order does not matter."""


@asynccontextmanager
async def opened(
    trials: Sequence[Planned],
    attacks: Mapping[str, Attack],
    victims: Iterable[Victim],
    policies: Mapping[str, Choice],
    share: int = SHARE,
) -> AsyncIterator[Ground]:
    """Run it for the length of the block; ``policies`` by label; ``share`` as of `calibrated`.

    Raise ValueError where a policy file cannot be used, ProcessDied where a process does not come
    up, or ends before the block does.
    """
    seed = min(trial.seed for trial in trials)
    used = {trial.policy: policies[trial.policy] for trial in trials}
    those = [attacks[name] for name in sorted({trial.attack for trial in trials})]
    async with AsyncExitStack() as stack:
        let_in = _parties(trials, attacks, used)
        made = {
            file: await stack.enter_async_context(calibrated(file, seed, share)) for file in let_in
        }
        bare = await stack.enter_async_context(model_server(models(victims, those)))
        gateways: dict[Path, Gateway] = {}
        for file, those_let_in in let_in.items():
            replicas = _replicas(file, trials, attacks, used)
            running = _gateway(file, bare, seed, those_let_in, replicas, await made[file])
            gateways[file] = await stack.enter_async_context(running)
        yield Ground(
            bare, {label: _place(choice, bare, gateways) for label, choice in used.items()}
        )


@asynccontextmanager
async def _gateway(
    file: Path, bare: str, seed: int, let_in: Sequence[Party], replicas: int, calibration: bytes
) -> AsyncIterator[Gateway]:
    """One alone counts in memory, whatever its file says: nobody counts with it."""
    async with AsyncExitStack() as stack:
        redis = ""
        if replicas > 1 and shares(file):
            redis = await stack.enter_async_context(redis_server())
        running = gateway(
            *(file, bare, seed, let_in),
            replicas=replicas,
            redis=redis,
            calibration=calibration,
        )
        yield await stack.enter_async_context(running)


def models(victims: Iterable[Victim], attacks: Iterable[Attack] = ()) -> tuple[str, ...]:
    """What the model server has to serve: the victims, the public models they were made of, and
    what bystanders ask.
    """
    own = (name for victim in victims for name in _models(victim))
    beside = (name for attack in attacks for name in attack.beside)
    return tuple(dict.fromkeys([*own, *beside]))


def _models(victim: Victim) -> Iterator[str]:
    match victim:
        case ClassifierVictim(adapter=Kserve() as adapter):
            yield adapter.model
        case EmbeddingVictim():
            for each in (victim.adapter, victim.base):
                if isinstance(each, OpenAiEmbeddings):
                    yield each.model
        case LanguageVictim():
            yield str(victim.parameters["model"])
        case _:
            return


def _parties(
    trials: Sequence[Planned], attacks: Mapping[str, Attack], policies: Mapping[str, Choice]
) -> dict[Path, list[Party]]:
    """By policy file; to look around with, a tenant for each victim."""
    found: dict[Path, list[Party]] = {}
    victims = len({trial.victim for trial in trials})
    for choice in policies.values():
        if choice.file is not None:
            spare = Party(_spare(choice), choice.name, victims, victims, cohort=False)
            found.setdefault(choice.file, []).append(spare)
    for trial in trials:
        choice = policies[trial.policy]
        if choice.file is not None:
            found[choice.file] += parties(trial, attacks[trial.attack], choice.name)
    return found


def _replicas(
    file: Path,
    trials: Iterable[Planned],
    attacks: Mapping[str, Attack],
    policies: Mapping[str, Choice],
) -> int:
    """As many as the attack asks that asks most of them."""
    return max(attacks[t.attack].replicas for t in trials if policies[t.policy].file == file)


def _place(choice: Choice, bare: str, gateways: Mapping[Path, Gateway]) -> Place:
    if choice.file is None:
        return Place(bare, {})
    running = gateways[choice.file]
    spare = tuple(running.keys[_spare(choice)])
    at_once = 1 if choice.counts else _AT_ONCE
    return Place(running.url, running.keys, spare, at_once, running.urls, running.folders)


def _spare(choice: Choice) -> str:
    return "p" + sha256(choice.label.encode()).hexdigest()[:24]
