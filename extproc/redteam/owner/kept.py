"""What an owner goes by: the folders of a gateway that marks, and who asked it in a trial."""

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Kept:
    """Of one trial.  The names are those of `firing_range.issue.Party`."""

    folders: tuple[Path, ...]
    """Of the gateway's replicas: each with its policy file, its log and its vault, and their
    keys."""
    thief: str
    others: tuple[str, ...] = ()
    """Bystanders: of one key, and a tenant that is in no cohort."""
