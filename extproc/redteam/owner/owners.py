"""The owner of a victim, for one trial."""

from extproc.redteam.adapters.openai_embeddings import OpenAiEmbeddings
from extproc.redteam.client import Client
from extproc.redteam.owner.kept import Kept
from extproc.redteam.owner.labels import LabelOwner
from extproc.redteam.owner.vectors import VectorOwner
from extproc.redteam.victims.victim import ClassifierVictim, EmbeddingVictim, Victim


def owner_of(victim: Victim, kept: Kept, client: Client) -> LabelOwner | VectorOwner | None:
    """None of a victim whose copies carry no marks; ``client``: to the model itself."""
    match victim:
        case ClassifierVictim():
            return LabelOwner(kept)
        case EmbeddingVictim(adapter=OpenAiEmbeddings() as adapter):
            return VectorOwner(kept, adapter, client)
        case _:
            return None
