"""What was answered is kept, and what was refused is not."""

from extproc.redteam.walks.ledger import Ledger
from tests.redteam.local_scene import digits, label


async def test_refused_inputs_are_asked_and_not_learned_from() -> None:
    scene = digits().scene(label, [100], 1, refuse_after=20)
    ledger = Ledger(scene.classifier())
    inputs = digits().victim.task[:20]

    first, second = await ledger.labels(inputs), await ledger.labels(inputs)

    assert first.tolist() == digits().model(inputs).tolist()
    assert second.tolist() == [-1] * 20
    assert ledger.asked == 40
    assert ledger.inputs.tolist() == inputs.tolist()
    assert ledger.answered.tolist() == first.tolist()
