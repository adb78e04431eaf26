"""What is looked at before anything is measured: whether there is something to measure.

Rule: a gateway that is off, a policy that changes nothing and a model that answers whatever it is
asked would all give numbers, and none of them would mean anything.  The first and the last end the
run; the second is a row of the report, and said.
"""

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final, Self

from extproc.redteam import probe
from extproc.redteam.attack import Measure
from extproc.redteam.client import Client
from extproc.redteam.probe import Said
from extproc.redteam.request import Request
from extproc.redteam.row import Row
from extproc.redteam.victims.victim import Victim

NAME: Final = "preflight"
"""What stands for the attack in its rows."""
MEASURES: Final = (
    Measure("policy.serves", "share of harmless questions that are answered", worse="low"),
    Measure("policy.changes", "share of answers that the policy changes", worse="low"),
    Measure("policy.other_labels", "share of answers whose label the policy changes"),
)
_WRONG_KEY: Final = "xk-nobody-has-this-key"


class Unattackable(Exception):  # noqa: N818 -- says what is the matter
    """There is nothing that could be measured; why, in a sentence."""


@dataclass(frozen=True, slots=True)
class Door:
    """A way to the victims."""

    policy: str
    """Its label."""
    url: str
    keys: tuple[str, ...]
    """None are needed where there are none."""
    compared: bool = True
    """Whether the victims stand elsewhere, so that answers can be compared."""

    def by(self, at: int) -> Self:
        """With one key alone, another for each victim: where callers are watched, half of what is
        asked here looks odd.
        """
        place = at % max(len(self.keys), 1)
        return replace(self, keys=self.keys[place : place + 1])


async def preflight(
    victims: Mapping[str, Victim],
    bare: str,
    doors: Sequence[Door],
    bare_keys: Sequence[str] = (),
    tried: Collection[tuple[str, str]] | None = None,
) -> list[Row]:
    """Look at the victims at ``bare``, and at each door; of ``tried``, where that is said, at the
    victims alone that are attacked under the door's policy.

    Raise Unattackable where nothing answers, a door lets in anybody, or answers do not depend on
    the question.
    """
    rows: list[Row] = []
    async with Client(bare, bare_keys) as client:
        first = probe.requests(next(iter(victims.values())))[0]
        await answers(client)
        for door in doors:
            await _closed(door, first)
        for at, (name, victim) in enumerate(victims.items()):
            said = await _listening(name, victim, client)
            for door in doors:
                if tried is not None and (name, door.policy) not in tried:
                    continue
                rows += await _changes(name, victim, said, door.by(at))
    return rows


async def answers(client: Client) -> None:
    """Raise Unattackable where nothing answers."""
    reply = await client.send(Request("/", method="GET", key=None, queries=0))
    if not reply.status:
        raise Unattackable(f"nothing answers at {client.url}: start what is to be attacked there")


async def _closed(door: Door, request: Request) -> None:
    async with Client(door.url, (_WRONG_KEY,)) as client:
        await answers(client)
        if not door.keys:
            return
        for key, called in ((None, "without a key"), (0, "with a key that nobody has")):
            reply = await client.send(replace(request, key=key))
            if reply.served:
                raise Unattackable(
                    f"the gateway at {door.url} is off: a request {called} was answered under "
                    f"{door.policy}"
                )


async def _listening(name: str, victim: Victim, client: Client) -> list[Said] | None:
    """What the victim says; None where it says something else each time."""
    said = await probe.ask(victim, client)
    if any(each.value is None for each in said):
        raise Unattackable(f"{name} at {client.url} does not answer harmless questions")
    if len({each.value for each in said}) == 1:
        raise Unattackable(
            f"{name} at {client.url} ignores what it is asked: {len(said)} questions got one answer"
        )
    wrong = probe.misnamed(victim)
    if wrong is not None and any(each.value for each in await probe.ask(wrong, client)):
        raise Unattackable(
            f"{client.url} ignores which model it is asked for: {probe.NOBODY} answered as {name}"
        )
    return said if await probe.ask(victim, client) == said else None


async def _changes(name: str, victim: Victim, said: list[Said] | None, door: Door) -> Iterator[Row]:
    async with Client(door.url, door.keys) as client:
        here = await probe.ask(victim, client)
    return _rows(name, door.policy, said if door.compared else None, here)


def _rows(name: str, policy: str, said: list[Said] | None, here: list[Said]) -> Iterator[Row]:
    served = [each.value is not None for each in here]
    yield _row(name, policy, "policy.serves", sum(served) / len(here))
    if said is None or not any(served):
        return
    pairs = [
        pair
        for pair, is_served in zip(zip(said, here, strict=True), served, strict=True)
        if is_served
    ]
    changed = sum(one.value != two.value for one, two in pairs)
    yield _row(name, policy, "policy.changes", changed / len(pairs))
    relabelled = sum(one.label != two.label for one, two in pairs)
    yield _row(name, policy, "policy.other_labels", relabelled / len(pairs))


def _row(victim: str, policy: str, measure: str, value: float) -> Row:
    return Row(attack=NAME, victim=victim, policy=policy, seed=0, measure=measure, value=value)


def warnings(rows: Sequence[Row], unchanged: Sequence[str] = ()) -> list[str]:
    """What a reader must know; ``unchanged`` policies are meant to change nothing."""
    return [text for row in rows if (text := _warning(row, unchanged))]


def _warning(row: Row, unchanged: Sequence[str]) -> str:
    match row.measure, row.value:
        case "policy.serves", value if value < 1:
            return f"{row.policy} refuses harmless questions to {row.victim}"
        case "policy.changes", 0:
            if row.policy in unchanged:
                return ""
            return f"{row.policy} changes nothing of what {row.victim} answers: it protects nothing"
        case "policy.other_labels", value if value > 0:
            return (
                f"{row.policy} answers something else than {row.victim} does: {value:.0%} of "
                "labels differ"
            )
    return ""
