"""Where a run takes place: the range with its processes, or a target of the user's."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from extproc.redteam.policy_choice import BASELINE
from extproc.redteam.preflight import Door


@dataclass(frozen=True, slots=True)
class Place:
    """Where one policy holds."""

    url: str
    issued: Mapping[str, Sequence[str]]
    """API keys, by the names of those who attack."""
    spare: tuple[str, ...] = ()
    """Keys that no trial has, to look around with."""
    parallel: int = 16
    """Requests that a trial may have under way at once."""
    replicas: tuple[str, ...] = ()
    """URLs of the gateway's replicas where there are several, ``url`` first."""
    folders: tuple[Path, ...] = ()
    """What the gateway keeps of what it marked, where it does: see `firing_range.Gateway`."""


@dataclass(frozen=True, slots=True)
class Ground:
    """While it stands."""

    bare: str
    """URL of the victims themselves, past any gateway."""
    places: Mapping[str, Place]
    """By the label of the policy."""
    bare_keys: tuple[str, ...] = ()
    public: str = ""
    """URL of the public models; empty: as ``bare``."""

    def doors(self) -> list[Door]:
        """All places but the baseline's; one that is the victims themselves is not compared."""
        return [
            Door(label, place.url, place.spare, compared=place.url != self.bare)
            for label, place in self.places.items()
            if label != BASELINE
        ]
