import numpy as np

from extproc.fidelity import Fidelity
from extproc.mutators import Round, TopK
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
