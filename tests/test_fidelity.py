import numpy as np

from extproc.fidelity import Fidelity
from extproc.marks.writing import Canary, GreenList
from extproc.mutators import Mark, MarkPositions, Rotate, Round, TopK
from extproc.prediction import Probabilities


def test_a_tier_passes_edits_or_leaves_out_each_kind() -> None:
    edits = Fidelity("t", {"text": (), "probabilities": (TopK(k=2), Round(digits=1))}).edits()
    assert edits.keys() == {"text", "probabilities"}
    assert edits["text"] is None
    edit = edits["probabilities"]
    assert edit is not None
    edited = edit(None, Probabilities(np.array([0.62, 0.27, 0.11])))
    assert isinstance(edited, Probabilities)
    assert edited.values.tolist() == [0.6, 0.3, 0.0]


def test_what_a_tier_does_to_texts_is_of_texts_alone_and_no_edit() -> None:
    writings = (GreenList("words.json", 2.0), Canary(0.01))
    tier = Fidelity("t", {"text": (), "probabilities": (Mark(rate=0.005),)}, writings)
    assert tier.writings_on("text") == writings
    assert tier.writings_on("probabilities") == ()
    assert tier.canary == writings[1]
    assert tier.mark == Mark(rate=0.005)
    assert tier.edits()["text"] is None
    assert Fidelity("t", {"text": ()}, writings[:1]).canary is None


def test_what_moves_vectors_is_known() -> None:
    moving = MarkPositions(strength=0.05)
    assert Fidelity("t", {"embedding": (moving, Rotate())}).moving == moving
    assert Fidelity("t", {"embedding": (Rotate(),)}).moving is None
