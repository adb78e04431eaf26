"""The keys of marks of texts, as the policy makes them."""

from pathlib import Path

from extproc.config import load
from extproc.config.text_keys import owners, word_lists
from extproc.marks.green_list import bias
from tests.config.example import ENVIRON
from tests.config.test_texts import CANARY, LIST, compiled, policy
from tests.marks.wordlists import vocabulary


def test_they_are_those_that_serve(tmp_path: Path) -> None:
    table = compiled(tmp_path, LIST, CANARY)
    config = load(tmp_path / "policy.yaml")
    found = {each.whose: each for each in owners(config, environ=ENVIRON)}
    assert set(found) == {"tenant acme", "tenant beta", "cohort pair"}
    assert word_lists(config) == {"full": vocabulary()}
    for whose, tenant in (("tenant beta", "beta"), ("cohort pair", "two")):
        serving = policy(table, tenant)
        asked = bias(vocabulary(), found[whose].green_list, 2.0)
        assert serving.terms.imposed == {"logit_bias": asked}
        assert serving.canaries is not None
        assert serving.canaries.draw == found[whose].canaries


def test_each_epoch_has_keys_of_its_own(tmp_path: Path) -> None:
    compiled(tmp_path, LIST)
    config = load(tmp_path / "policy.yaml")
    first, second = (owners(config, epoch, ENVIRON)[0] for epoch in (None, 2))
    assert first.whose == second.whose
    assert first.green_list != second.green_list
    assert owners(config, 1, ENVIRON)[0] == first
